import type { Inventory } from '../contract.ts'
import type { PlacementTables } from '../tables.ts'

type Row = PlacementTables['placement_inventory']

/** How much may be handed out in all. */
export const capacity = ({ total, reserved, allocationRatio }: Inventory): number =>
  Math.floor((total - reserved) * allocationRatio)

/** Why this amount cannot be taken from an inventory of which so much is used; undefined: it can. */
export function refusal(inventory: Inventory | undefined, used: number, amount: number, resource: string): string | undefined {
  if (!inventory) return `It has no ${resource}.`
  const { minUnit, maxUnit, stepSize } = inventory
  if (amount < minUnit) return `${amount} ${resource} is less than the ${minUnit} it gives at least.`
  if (amount > maxUnit) return `${amount} ${resource} is more than the ${maxUnit} it gives to one.`
  if (amount % stepSize !== 0) return `${amount} ${resource} is no multiple of ${stepSize}.`
  const free = capacity(inventory) - used
  if (amount > free) return `${amount} ${resource} asked, ${Math.max(free, 0)} free of ${capacity(inventory)}.`
  return undefined
}

export const inventoryOf = (row: Row): Inventory => ({
  total: row.total,
  reserved: row.reserved,
  allocationRatio: Number(row.allocation_ratio),
  minUnit: row.min_unit,
  maxUnit: row.max_unit,
  stepSize: row.step_size,
})

export const inventoryRow = (providerId: string, resource: string, inventory: Inventory, at: number): Row => ({
  provider_id: providerId,
  class: resource,
  total: inventory.total,
  reserved: inventory.reserved,
  min_unit: inventory.minUnit,
  max_unit: inventory.maxUnit,
  step_size: inventory.stepSize,
  allocation_ratio: String(inventory.allocationRatio),
  updated_at: at,
})

export const sameInventory = (a: Inventory, b: Inventory): boolean =>
  (Object.keys(a) as (keyof Inventory)[]).every((key) => a[key] === b[key])
