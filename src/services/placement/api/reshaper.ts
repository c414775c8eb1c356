import { type TSchema, Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { reshape } from '../domain/reshape.ts'
import type { PlacementDb } from '../tables.ts'
import { allWantedOf, type ConsumerAsk, ConsumersBody } from './allocation-wire.ts'
import { AllBody, allFromBody, type InventoryBody } from './inventory-wire.ts'
import { UuidKey, uuidOf } from './wire.ts'

const ReshapeBody = (version: number): TSchema =>
  Type.Object(
    {
      inventories: {
        type: 'object',
        patternProperties: { [UuidKey]: AllBody },
        additionalProperties: false,
        minProperties: 1,
      } as unknown as TSchema,
      allocations: ConsumersBody(version, 0),
    },
    { additionalProperties: false },
  )

type Body = {
  inventories: Record<string, { resource_provider_generation: number; inventories: Record<string, InventoryBody> }>
  allocations: Record<string, ConsumerAsk>
}

export const reshaperEndpoints = (db: PlacementDb, clock: Clock): Endpoint[] => [
  endpoint({
    on: 'POST /reshaper',
    policy: 'placement:reshaper:reshape',
    summary: 'Move inventories and allocations between resource providers at once',
    since: '1.30',
    body: ReshapeBody,
    async handle({ body }) {
      const { inventories, allocations } = body as Body
      const shapes = Object.entries(inventories).map(([id, one]) => ({
        provider: uuidOf(id, 'resource provider uuid'),
        generation: one.resource_provider_generation,
        inventories: allFromBody(one.inventories),
      }))
      await db.transaction((tx) => reshape(tx, clock.now(), shapes, allWantedOf(allocations)))
    },
  }),
]
