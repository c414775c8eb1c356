import { sql } from 'kysely'
import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Change } from '../domain/store.ts'
import type { Standard } from '../tables.ts'
import { subjectOf, type Wire } from './endpoints.ts'
import { badBody, filled, read, setOf } from './kinds.ts'
import type { Resource } from './resource.ts'
import { tagsOf } from './standard.ts'

const mostTags = 50
const tagKind = filled(255)

/** Six endpoints, the same below each resource that has tags; each asks the rule of that resource (OSSA-2024-005, OSSA-2026-016). */
export function tagEndpoints<Row extends Standard, Item extends Row>(wire: Wire, resource: Resource<Row, Item>): Endpoint[] {
  const { store } = wire
  const { name, path } = resource
  const on = (verb: string, rest: string) => `${verb} ${path}/{id}/tags${rest}`
  const common = (rule: 'create' | 'get' | 'update' | 'delete') => ({
    policy: `${rule}_${name}:tags`,
    visible: `get_${name}`,
    ...subjectOf(wire, resource),
  })
  type TagAsk = Ask<unknown, Item>
  const now = async ({ subject }: TagAsk) => (await tagsOf(store.read, [subject.id])).get(subject.id) ?? []
  const write = (ask: TagAsk, run: (change: Change) => Promise<unknown>) =>
    store.change(async (change) => {
      const row = await change.tx
        .updateTable(resource.table as 'network_network')
        .set({ updated_at: change.now(), revision: sql<number>`revision + 1` })
        .where('id', '=', ask.subject.id)
        .returning('id')
        .executeTakeFirst()
      if (!row) throw resource.missing(ask.subject.id)
      await run(change)
    })
  const put = async ({ tx }: Change, id: string, tags: string[]) => {
    if (tags.length > 0)
      await tx
        .insertInto('network_tag')
        .values(tags.map((tag) => ({ resource_id: id, tag })))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    const all = await tx.selectFrom('network_tag').select('tag').where('resource_id', '=', id).execute()
    if (all.length > mostTags) throw badBody(`The number of tags exceed the per-resource limit of ${mostTags}`)
  }
  const bodyTags = (body: unknown): string[] =>
    read('tags', setOf(tagKind, 'tag', mostTags), (body as { tags?: unknown } | null | undefined)?.tags ?? 'nothing')
  const clear = ({ tx }: Change, id: string) => tx.deleteFrom('network_tag').where('resource_id', '=', id).execute()
  const missing = (tag: string) => new Problem('not-found', `Tag ${tag} could not be found.`, { code: 'TagNotFound' })
  return [
    endpoint({ on: on('GET', ''), ...common('get'), handle: async (ask) => ({ tags: await now(ask) }) }),
    endpoint({
      on: on('PUT', ''),
      ...common('update'),
      body: Type.Unknown(),
      async handle(ask) {
        const tags = bodyTags(ask.body)
        await write(ask, async (change) => {
          await clear(change, ask.subject.id)
          await put(change, ask.subject.id, tags)
        })
        return { tags: await now(ask) }
      },
    }),
    endpoint({
      on: on('POST', ''),
      ...common('create'),
      body: Type.Unknown(),
      async handle(ask) {
        const tags = bodyTags(ask.body)
        await write(ask, (change) => put(change, ask.subject.id, tags))
        return { tags: await now(ask) }
      },
    }),
    endpoint({
      on: on('DELETE', ''),
      ...common('delete'),
      handle: (ask) => write(ask, (change) => clear(change, ask.subject.id)),
    }),
    endpoint({
      on: on('GET', '/{tag}'),
      ...common('get'),
      async handle(ask) {
        if (!(await now(ask)).includes(ask.params['tag']!)) throw missing(ask.params['tag']!)
      },
    }),
    endpoint({
      on: on('PUT', '/{tag}'),
      ...common('update'),
      status: 201,
      handle: (ask) => write(ask, (change) => put(change, ask.subject.id, [read('tag', tagKind, ask.params['tag'])])),
    }),
    endpoint({
      on: on('DELETE', '/{tag}'),
      ...common('delete'),
      async handle(ask) {
        if (!(await now(ask)).includes(ask.params['tag']!)) throw missing(ask.params['tag']!)
        await write(ask, ({ tx }) =>
          tx.deleteFrom('network_tag').where('resource_id', '=', ask.subject.id).where('tag', '=', ask.params['tag']!).execute(),
        )
      },
    }),
  ]
}
