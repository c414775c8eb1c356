import WebSocket from 'ws'
import { context, withContext } from '../context.ts'
import { explainError, Problem, type ProblemKind } from '../errors.ts'
import { requestId } from '../ids.ts'
import type { Log } from '../log.ts'

export type LinkClientOptions = {
  /** `http://controller:8781` */
  url: string
  key: string
  /** Name of this host; empty for an operator's tool. */
  host: string
  log: Log
}

export type LinkClient = {
  /** Throws the Problem the controller threw, or unavailable when it is not reached. */
  call(name: string, ask?: unknown): Promise<unknown>
  stream(name: string, id: string): Promise<AsyncIterable<Uint8Array>>
  /** Holds the connection for hints and questions, and opens it again when it is lost, until closed. */
  listen(hear: { hint(text: string): void; ask(question: unknown): Promise<unknown>; connected(): void }): void
  close(): void
}

export function openLinkClient({ url, key, host, log }: LinkClientOptions): LinkClient {
  const headers = () => ({
    authorization: `Bearer ${key}`,
    'x-host': host,
    'x-openstack-request-id': context().requestId ?? requestId(),
  })
  let socket: WebSocket | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const request = async (path: string, init: RequestInit): Promise<Response> => {
    const answer = await fetch(`${url}${path}`, { ...init, headers: { ...headers(), 'content-type': 'application/json' } }).catch(
      (error) => {
        throw new Problem('unavailable', 'No controller answers.', { cause: error })
      },
    )
    if (answer.ok) return answer
    const { kind = 'internal', message = '' } = (await answer.json().catch(() => ({}))) as {
      kind?: ProblemKind
      message?: string
    }
    throw new Problem(kind, message || `The controller answered ${answer.status}.`)
  }

  const listen: LinkClient['listen'] = (hear) => {
    if (closed) return
    const opened = new WebSocket(`${url.replace(/^http/, 'ws')}/hints`, { headers: headers() })
    socket = opened
    // A connection that says nothing for so long is dead, whatever TCP believes: the server pings each 15 s.
    let alive = setTimeout(() => opened.terminate(), 45_000)
    const beat = () => {
      clearTimeout(alive)
      alive = setTimeout(() => opened.terminate(), 45_000)
    }
    opened.on('open', hear.connected)
    opened.on('ping', beat)
    opened.on('message', (data) => {
      beat()
      void hearOne(JSON.parse(String(data)))
    })
    opened.on('error', (error) => log.debug({ error: explainError(error) }, 'link'))
    opened.on('close', () => {
      clearTimeout(alive)
      if (!closed) timer = setTimeout(() => listen(hear), 500 + Math.random() * 500)
    })
    const hearOne = async (said: { hint?: string; ask?: string; question?: unknown }) => {
      if (said.hint !== undefined) return hear.hint(said.hint)
      if (said.ask === undefined) return
      const reply = await withContext({ requestId: requestId() }, () => hear.ask(said.question)).then(
        (value) => ({ answer: said.ask, value }),
        (error) => ({
          answer: said.ask,
          error: error instanceof Problem ? error.message : 'The host failed; its log says more.',
        }),
      )
      opened.send(JSON.stringify(reply))
    }
  }

  return {
    async call(name, ask) {
      const answer = await request(`/call/${encodeURIComponent(name)}`, { method: 'POST', body: JSON.stringify(ask ?? null) })
      return ((await answer.json()) as { value?: unknown }).value
    },
    async stream(name, id) {
      const answer = await request(`/stream/${encodeURIComponent(name)}/${encodeURIComponent(id)}`, { method: 'GET' })
      return answer.body as unknown as AsyncIterable<Uint8Array>
    },
    listen,
    close() {
      closed = true
      clearTimeout(timer)
      socket?.terminate()
    },
  }
}
