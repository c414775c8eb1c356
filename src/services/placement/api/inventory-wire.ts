import { type TSchema, Type } from 'typebox'
import type { Inventory } from '../contract.ts'
import type { StoredInventory } from '../domain/inventories.ts'
import { ClassName, maxInt } from './wire.ts'

const Amount = (minimum: number) => Type.Optional(Type.Integer({ minimum, maximum: maxInt }))
const fields = {
  total: Type.Integer({ minimum: 1, maximum: maxInt }),
  reserved: Amount(0),
  min_unit: Amount(1),
  max_unit: Amount(1),
  step_size: Amount(1),
  allocation_ratio: Type.Optional(Type.Number({ maximum: 3.40282e38 })),
}
const strict = { additionalProperties: false }
const Generation = Type.Integer()

export const OneBody = Type.Object({ ...fields, resource_provider_generation: Generation }, strict)
export const NewBody = Type.Object(
  { ...fields, resource_provider_generation: Type.Optional(Generation), resource_class: Type.String({ pattern: ClassName }) },
  strict,
)
const InventoryRecord = Type.Object({ ...fields, resource_provider_generation: Type.Optional(Generation) }, strict)
export const AllBody = Type.Object(
  {
    resource_provider_generation: Generation,
    inventories: Type.Unsafe<{ [resource: string]: InventoryBody }>({
      type: 'object',
      patternProperties: { [ClassName]: InventoryRecord },
    } as TSchema),
  },
  strict,
)

export type InventoryBody = {
  total: number
  reserved?: number
  min_unit?: number
  max_unit?: number
  step_size?: number
  allocation_ratio?: number
}

export const fromBody = (body: InventoryBody): Inventory => ({
  total: body.total,
  reserved: body.reserved ?? 0,
  minUnit: body.min_unit ?? 1,
  maxUnit: body.max_unit ?? maxInt,
  stepSize: body.step_size ?? 1,
  allocationRatio: body.allocation_ratio ?? 1,
})

export const allFromBody = (bodies: { [resource: string]: InventoryBody }): Record<string, Inventory> =>
  Object.fromEntries(Object.entries(bodies).map(([resource, body]) => [resource, fromBody(body)]))

export const shown = (inventory: Inventory) => ({
  total: inventory.total,
  reserved: inventory.reserved,
  min_unit: inventory.minUnit,
  max_unit: inventory.maxUnit,
  step_size: inventory.stepSize,
  allocation_ratio: inventory.allocationRatio,
})

export const allShown = (generation: number, found: StoredInventory[]) => ({
  resource_provider_generation: generation,
  inventories: Object.fromEntries(found.map(({ resource, inventory }) => [resource, shown(inventory)])),
})
