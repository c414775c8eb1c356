import { type TSchema, Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { usageOf } from '../domain/allocations.ts'
import { stockOf } from '../domain/stock.ts'
import type { PlacementDb } from '../tables.ts'
import { fresh, providerSubject } from './wire.ts'

const One = Type.Array(Type.String({ minLength: 1, maxLength: 255 }))
const TotalQuery = (version: number): TSchema =>
  Type.Object(
    {
      project_id: One,
      user_id: Type.Optional(One),
      ...(version >= 38
        ? { consumer_type: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z0-9_]+$|^all$|^unknown$', maxLength: 255 }))) }
        : {}),
    },
    { additionalProperties: false },
  )

type Usage = Awaited<ReturnType<typeof usageOf>>

export function usageEndpoints(db: PlacementDb): Endpoint[] {
  const total = async ({ query, version }: Pick<Ask, 'query' | 'version'>) => {
    const type = query['consumer_type']?.at(-1)
    const found = await usageOf(db.read, {
      projectId: query['project_id']!.at(-1)!,
      userId: query['user_id']?.at(-1),
      type: type === undefined || type === 'all' ? undefined : type === 'unknown' ? '' : type,
    })
    if (version < 38) return summed(found)
    return type === 'all' ? allTogether(found) : byType(found)
  }
  return [
    endpoint({
      on: 'GET /resource_providers/{uuid}/usages',
      policy: 'placement:resource_providers:usages',
      summary: 'Show how much of a resource provider is used',
      ...providerSubject(db),
      async handle(ask) {
        const { id, generation } = ask.subject!
        const shelf = (await stockOf(db.read, { providers: [id] })).get(id) ?? new Map()
        const usages = Object.fromEntries([...shelf].map(([resource, { used }]) => [resource, used]))
        return fresh(ask, undefined, { body: { resource_provider_generation: generation, usages } })
      },
    }),
    endpoint({
      on: 'GET /usages',
      policy: 'placement:usages',
      summary: 'Show how much a project uses',
      since: '1.9',
      query: TotalQuery,
      target: ({ query }) => ({ project_id: query['project_id']?.at(-1) }),
      handle: async (ask) => fresh(ask, undefined, { body: { usages: await total(ask) } }),
    }),
  ]
}

function summed(found: Usage): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { resource, used } of found) sums[resource] = (sums[resource] ?? 0) + used
  return sums
}

const allTogether = (found: Usage) => {
  const counts = new Map(found.map(({ type, consumers }) => [type, consumers]))
  const count = [...counts.values()].reduce((sum, one) => sum + one, 0)
  return found.length === 0 ? {} : { all: { consumer_count: count, ...summed(found) } }
}

const byType = (found: Usage) =>
  Object.fromEntries(
    [...Map.groupBy(found, ({ type }) => type || 'unknown')].map(([type, of]) => [
      type,
      { consumer_count: of[0]!.consumers, ...summed(of) },
    ]),
  )
