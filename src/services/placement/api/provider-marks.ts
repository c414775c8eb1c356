import { Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { aggregatesOf, replaceAggregates, replaceTraits } from '../domain/marks.ts'
import type { Provider } from '../domain/providers.ts'
import { traitsOf } from '../domain/traits.ts'
import type { PlacementDb } from '../tables.ts'
import { fresh, providerSubject, Uuid, uuidOf } from './wire.ts'

const TraitsBody = Type.Object(
  {
    resource_provider_generation: Type.Integer(),
    traits: Type.Array(Type.String({ minLength: 1, maxLength: 255 })),
  },
  { additionalProperties: false },
)
const Aggregates = Type.Array(Uuid, { uniqueItems: true })
const AggregatesBody = Type.Object(
  { aggregates: Aggregates, resource_provider_generation: Type.Integer() },
  { additionalProperties: false },
)

/** What a provider is marked with: traits, and the aggregates it belongs to. */
export function providerMarkEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const place = providerSubject(db)
  const traits = async (ask: Pick<Ask, 'version'>, { id, generation, updatedAt }: Provider) =>
    fresh(ask, updatedAt, { body: { traits: await traitsOf(db.read, id), resource_provider_generation: generation } })
  const aggregates = async (ask: Pick<Ask, 'version'>, { id, generation, updatedAt }: Provider) =>
    fresh(ask, updatedAt, {
      body: {
        aggregates: await aggregatesOf(db.read, id),
        ...(ask.version >= 19 ? { resource_provider_generation: generation } : {}),
      },
    })
  const ids = (texts: string[]) => texts.map((text) => uuidOf(text, 'aggregate'))
  return [
    endpoint({
      on: 'GET /resource_providers/{uuid}/traits',
      policy: 'placement:resource_providers:traits:list',
      summary: 'List traits of a resource provider',
      since: '1.6',
      ...place,
      handle: (ask) => traits(ask, ask.subject!),
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}/traits',
      policy: 'placement:resource_providers:traits:update',
      summary: 'Replace the traits of a resource provider',
      since: '1.6',
      body: TraitsBody,
      ...place,
      async handle(ask) {
        const { traits: names, resource_provider_generation: generation } = ask.body
        return traits(ask, await replaceTraits(db, clock, ask.subject!.id, names, generation))
      },
    }),
    endpoint({
      on: 'DELETE /resource_providers/{uuid}/traits',
      policy: 'placement:resource_providers:traits:delete',
      summary: 'Take all traits from a resource provider',
      since: '1.6',
      ...place,
      async handle(ask) {
        await replaceTraits(db, clock, ask.subject!.id, [])
      },
    }),
    endpoint({
      on: 'GET /resource_providers/{uuid}/aggregates',
      policy: 'placement:resource_providers:aggregates:list',
      summary: 'List aggregates of a resource provider',
      since: '1.1',
      ...place,
      handle: (ask) => aggregates(ask, ask.subject!),
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}/aggregates',
      policy: 'placement:resource_providers:aggregates:update',
      summary: 'Replace the aggregates of a resource provider',
      since: '1.1',
      until: '1.18',
      body: Aggregates,
      ...place,
      handle: async (ask) => aggregates(ask, await replaceAggregates(db, clock, ask.subject!.id, ids(ask.body))),
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}/aggregates',
      policy: 'placement:resource_providers:aggregates:update',
      summary: 'Replace the aggregates of a resource provider of a known generation',
      since: '1.19',
      body: AggregatesBody,
      ...place,
      async handle(ask) {
        const { aggregates: texts, resource_provider_generation: generation } = ask.body
        return aggregates(ask, await replaceAggregates(db, clock, ask.subject!.id, ids(texts), generation))
      },
    }),
  ]
}
