import type { Bus } from '../kit/bus/bus.ts'
import { type Clock, minute } from '../kit/clock.ts'
import type { Migration } from '../kit/db/migrate.ts'
import type { Db } from '../kit/db/open.ts'
import { isProblem, Problem } from '../kit/errors.ts'
import { uuid } from '../kit/ids.ts'
import type { LinkServer } from '../kit/link/server.ts'

type Tables = { main_host_answer: { id: string; answer: string; made_at: number } }

export const questionMigrations: Migration[] = [
  {
    name: 'main-0002-host-answers',
    statements: ['create table main_host_answer (id text primary key, answer text not null, made_at bigint not null)'],
  },
]

type Parts = {
  db: Db<unknown>
  bus: Bus
  clock: Clock
  /** The link of this process; undefined where it has none. */
  server(): Pick<LinkServer, 'hosts' | 'ask'> | undefined
  /** True where no other process can have a link. */
  alone: boolean
  /** How long to wait for another controller to say that the host is its own. Default 2,000. */
  heardMs?: number
  /** How long to wait then for the answer. Default 12,000: hosts have ten seconds. */
  answerMs?: number
}

export type Questions = {
  /** Asks the host through whichever controller it is connected to. Throws unavailable when it is connected to none, or does not answer. */
  ask(host: string, question: unknown): Promise<unknown>
}

type Answer = { value?: unknown } | { error: string }
type Asked = { id: string; host: string; question: unknown }

/** Questions travel by the bus; answers may be longer than it carries, so that they lie in the database until they are fetched. */
export function openQuestions({ db: database, bus, clock, server, alone, heardMs = 2000, answerMs = 12_000 }: Parts): Questions {
  const db = database as Db<Tables>
  const waiting = new Map<string, (word: string) => void>()
  const isHere = (host: string) => server()?.hosts().includes(host) ?? false
  const unavailable = (host: string) => new Problem('unavailable', `The host ${host} is not connected.`)

  const keep = (id: string, answer: Answer) =>
    db.transaction(async (tx) => {
      // What nobody came for.
      await tx
        .deleteFrom('main_host_answer')
        .where('made_at', '<', clock.now() - minute)
        .execute()
      await tx
        .insertInto('main_host_answer')
        .values({ id, answer: JSON.stringify(answer), made_at: clock.now() })
        .execute()
    })
  const take = async (id: string): Promise<Answer | undefined> => {
    const row = await db.transaction((tx) =>
      tx.deleteFrom('main_host_answer').where('id', '=', id).returning('answer').executeTakeFirst(),
    )
    return row && (JSON.parse(row.answer) as Answer)
  }
  const hearQuestion = async ({ id, host, question }: Asked) => {
    if (!isHere(host)) return
    bus.publish('host-answers', `${id} heard`)
    const answer: Answer = await server()!
      .ask(host, question)
      .then(
        (value) => ({ value }),
        (error) => ({ error: isProblem(error) ? error.message : 'The host failed; its log says more.' }),
      )
    await keep(id, answer)
    bus.publish('host-answers', `${id} ready`)
  }
  // Who asked hears nothing then, and says so.
  bus.subscribe('host-questions', (text) => void hearQuestion(JSON.parse(text) as Asked).catch(() => {}))
  bus.subscribe('host-answers', (text) => {
    const [id = '', word = ''] = text.split(' ')
    waiting.get(id)?.(word)
  })

  const elsewhere = async (host: string, question: unknown): Promise<unknown> => {
    const id = uuid()
    const wasHeard = await new Promise<boolean>((resolve) => {
      let timer = setTimeout(() => resolve(false), heardMs)
      waiting.set(id, (word) => {
        clearTimeout(timer)
        if (word === 'ready') return resolve(true)
        timer = setTimeout(() => resolve(true), answerMs)
      })
      bus.publish('host-questions', JSON.stringify({ id, host, question } satisfies Asked))
    })
    waiting.delete(id)
    if (!wasHeard) throw unavailable(host)
    const answer = await take(id)
    if (!answer) throw new Problem('unavailable', `The host ${host} did not answer.`)
    if ('error' in answer) throw new Problem('unavailable', answer.error)
    return answer.value
  }
  return {
    async ask(host, question) {
      if (isHere(host)) return server()!.ask(host, question)
      if (alone) throw unavailable(host)
      return elsewhere(host, question)
    },
  }
}
