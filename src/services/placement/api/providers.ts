import { type TSchema, Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { dashed, uuid } from '../../../kit/ids.ts'
import { noProvider } from '../domain/faults.ts'
import { listProviders } from '../domain/provider-list.ts'
import { createProvider, destroyProvider, type Provider, updateProvider } from '../domain/providers.ts'
import type { PlacementDb } from '../tables.ts'
import { aggregatesAsked, resourcesAsked, traitsAsked } from './query.ts'
import { fresh, newestOf, providerSubject, Texts, Uuid } from './wire.ts'

const Parent = Type.Optional(Type.Union([Uuid, Type.Null()]))
const Name = Type.String({ maxLength: 200 })
const strict = { additionalProperties: false }

const NewBody = (version: number): TSchema =>
  Type.Object({ name: Name, uuid: Type.Optional(Uuid), ...(version >= 14 ? { parent_provider_uuid: Parent } : {}) }, strict)
const ChangeBody = (version: number): TSchema =>
  Type.Object({ name: Name, ...(version >= 14 ? { parent_provider_uuid: Parent } : {}) }, strict)

type Body = { name: string; uuid?: string; parent_provider_uuid?: string | null }

const ListQuery = (version: number): TSchema =>
  Type.Object(
    {
      name: Type.Optional(Texts),
      uuid: Type.Optional(Type.Array(Uuid)),
      ...(version >= 3 ? { member_of: Type.Optional(Texts) } : {}),
      ...(version >= 4 ? { resources: Type.Optional(Texts) } : {}),
      ...(version >= 14 ? { in_tree: Type.Optional(Type.Array(Uuid)) } : {}),
      ...(version >= 18 ? { required: Type.Optional(Texts) } : {}),
    },
    strict,
  )

export const providerPath = (id: string): string => `/resource_providers/${id}`

const relations: [string, number][] = [
  ['inventories', 0],
  ['usages', 0],
  ['aggregates', 1],
  ['traits', 6],
  ['allocations', 11],
]

const shown = ({ id, name, generation, parentId, rootId }: Provider, version: number) => ({
  uuid: id,
  name,
  generation,
  links: [
    { rel: 'self', href: providerPath(id) },
    ...relations.filter(([, since]) => version >= since).map(([rel]) => ({ rel, href: `${providerPath(id)}/${rel}` })),
  ],
  ...(version >= 14 ? { parent_provider_uuid: parentId ?? null, root_provider_uuid: rootId } : {}),
})

const parentOf = ({ parent_provider_uuid: parent }: Body): string | null | undefined =>
  parent === undefined || parent === null ? parent : dashed(parent)!

export function providerEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const answer = (ask: Pick<Ask, 'version'>, provider: Provider, headers: Record<string, string> = {}) =>
    fresh(ask, provider.updatedAt, { body: shown(provider, ask.version), headers })
  const create = async (ask: Ask<unknown, undefined>) => {
    const body = ask.body as Body
    const provider = await createProvider(db, clock, {
      id: body.uuid ? dashed(body.uuid)! : uuid(),
      name: body.name,
      parentId: parentOf(body) ?? undefined,
    })
    return { provider, headers: { location: providerPath(provider.id) } }
  }
  return [
    endpoint({
      on: 'GET /resource_providers',
      policy: 'placement:resource_providers:list',
      summary: 'List resource providers',
      query: ListQuery,
      async handle(ask) {
        const { query, version } = ask
        const providers = await listProviders(db.read, {
          name: query['name']?.at(-1),
          id: query['uuid']?.at(-1)?.toLowerCase(),
          inTree: query['in_tree']?.at(-1),
          resources: resourcesAsked(query['resources']?.at(-1)),
          ...traitsAsked(query, version),
          ...aggregatesAsked(query, version),
        })
        const body = { resource_providers: providers.map((provider) => shown(provider, version)) }
        return fresh(ask, newestOf(providers), { body })
      },
    }),
    endpoint({
      on: 'POST /resource_providers',
      policy: 'placement:resource_providers:create',
      summary: 'Create a resource provider',
      body: NewBody,
      until: '1.19',
      async handle(ask) {
        const { headers } = await create(ask)
        return fresh({ version: 0 }, undefined, { status: 201, headers })
      },
    }),
    endpoint({
      on: 'POST /resource_providers',
      policy: 'placement:resource_providers:create',
      summary: 'Create a resource provider and show it',
      body: NewBody,
      since: '1.20',
      async handle(ask) {
        const { provider, headers } = await create(ask)
        return answer(ask, provider, headers)
      },
    }),
    endpoint({
      on: 'GET /resource_providers/{uuid}',
      policy: 'placement:resource_providers:show',
      summary: 'Show a resource provider',
      ...providerSubject(db),
      handle: async (ask) => answer(ask, ask.subject!),
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}',
      policy: 'placement:resource_providers:update',
      summary: 'Rename a resource provider or give it another parent',
      body: ChangeBody,
      ...providerSubject(db),
      async handle(ask) {
        const body = ask.body as Body
        const change = { name: body.name, parentId: parentOf(body), mayMove: ask.version >= 37 }
        return answer(ask, await updateProvider(db, clock, ask.subject!.id, change))
      },
    }),
    endpoint({
      on: 'DELETE /resource_providers/{uuid}',
      policy: 'placement:resource_providers:delete',
      summary: 'Delete a resource provider',
      ...providerSubject(db),
      async handle({ subject }) {
        const gone = await db.transaction((tx) => destroyProvider(tx, subject!.id))
        if (!gone) throw noProvider(subject!.id)
      },
    }),
  ]
}
