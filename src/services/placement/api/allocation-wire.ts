import { type TSchema, Type } from 'typebox'
import { dashed } from '../../../kit/ids.ts'
import type { Wanted } from '../domain/allocating.ts'
import { ClassName, Uuid, UuidKey, uuidOf } from './wire.ts'

const strict = { additionalProperties: false }
const Owner = Type.String({ minLength: 1, maxLength: 255 })

const keyed = (pattern: string, value: TSchema, minProperties = 0): TSchema =>
  ({ type: 'object', patternProperties: { [pattern]: value }, additionalProperties: false, minProperties }) as unknown as TSchema

const Resources = keyed(ClassName, Type.Integer({ minimum: 1 }), 1)
const Listed = Type.Array(Type.Object({ resource_provider: Type.Object({ uuid: Uuid }, strict), resources: Resources }, strict), {
  minItems: 1,
})
const ByProvider = (minProperties: number) =>
  keyed(UuidKey, Type.Object({ generation: Type.Optional(Type.Integer()), resources: Resources }, strict), minProperties)
const Mappings = {
  type: 'object',
  minProperties: 1,
  patternProperties: { '^[a-zA-Z0-9_-]{1,64}$': Type.Array(Uuid, { minItems: 1 }) },
} as unknown as TSchema

/** What a consumer shall hold, in the words of each version: a list before 1.12, then by provider; an owner since 1.8, generation 1.28, type 1.38. */
export function ConsumerBody(version: number, mayBeEmpty = version >= 28): TSchema {
  if (version < 12)
    return Type.Object({ allocations: Listed, ...(version >= 8 ? { project_id: Owner, user_id: Owner } : {}) }, strict)
  return Type.Object(
    {
      allocations: ByProvider(mayBeEmpty ? 0 : 1),
      project_id: Owner,
      user_id: Owner,
      ...(version >= 28 ? { consumer_generation: Type.Union([Type.Integer(), Type.Null()]) } : {}),
      ...(version >= 34 ? { mappings: Type.Optional(Mappings) } : {}),
      ...(version >= 38 ? { consumer_type: Type.String({ pattern: ClassName, minLength: 1, maxLength: 255 }) } : {}),
    },
    strict,
  )
}

export const ConsumersBody = (version: number, minProperties = 1): TSchema =>
  keyed(UuidKey, ConsumerBody(version, true), minProperties)

type Resources = Record<string, number>
export type ConsumerAsk = {
  allocations: { resource_provider: { uuid: string }; resources: Resources }[] | Record<string, { resources: Resources }>
  project_id?: string
  user_id?: string
  consumer_generation?: number | null
  consumer_type?: string
}

/** Consumers whose owner nobody named (before 1.8) belong to this one. */
const nobody = '00000000-0000-0000-0000-000000000000'

export const wantedOf = (consumer: string, ask: ConsumerAsk): Wanted => ({
  consumer: uuidOf(consumer, 'consumer_uuid'),
  projectId: ask.project_id ?? nobody,
  userId: ask.user_id ?? nobody,
  type: ask.consumer_type ?? '',
  generation: ask.consumer_generation,
  resources: Object.fromEntries(pairs(ask.allocations).map(([id, resources]) => [dashed(id) ?? id, resources])),
})

export const allWantedOf = (asks: Record<string, ConsumerAsk>): Wanted[] =>
  Object.entries(asks).map(([consumer, ask]) => wantedOf(consumer, ask))

const pairs = (allocations: ConsumerAsk['allocations']): [string, Resources][] =>
  Array.isArray(allocations)
    ? allocations.map((one) => [one.resource_provider.uuid, one.resources])
    : Object.entries(allocations).map(([id, one]) => [id, one.resources])
