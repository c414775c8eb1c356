import { sql } from 'kysely'
import type { Inventory } from '../contract.ts'
import type { PlacementRead } from '../tables.ts'
import { inventoryOf } from './inventory.ts'

/** What providers have and how much of it is taken, by provider and resource class. */
export type Stock = Map<string, Map<string, { inventory: Inventory; used: number; updatedAt: number }>>

/** Of all providers and classes, or of those named. */
export async function stockOf(read: PlacementRead, which: { providers?: string[]; classes?: string[] } = {}): Promise<Stock> {
  const { providers, classes } = which
  const rows = await read
    .selectFrom('placement_inventory')
    .selectAll()
    .$if(providers !== undefined, (query) => query.where('provider_id', 'in', providers!))
    .$if(classes !== undefined, (query) => query.where('class', 'in', classes!))
    .orderBy('provider_id')
    .orderBy('class')
    .execute()
  const sums = await read
    .selectFrom('placement_allocation')
    .select(['provider_id', 'class', sql<number>`cast(sum(used) as bigint)`.as('sum')])
    // All classes: read in the order of the index this is half the time of some of them.
    .$if(providers !== undefined, (query) => query.where('provider_id', 'in', providers!))
    .groupBy(['provider_id', 'class'])
    .execute()
  const used = new Map(sums.map((row) => [`${row.provider_id} ${row.class}`, row.sum]))
  const stock: Stock = new Map()
  for (const row of rows) {
    const shelf = stock.get(row.provider_id) ?? new Map()
    stock.set(row.provider_id, shelf)
    shelf.set(row.class, {
      inventory: inventoryOf(row),
      used: used.get(`${row.provider_id} ${row.class}`) ?? 0,
      updatedAt: row.updated_at,
    })
  }
  return stock
}

/** Names gathered by owner: traits or aggregates of each provider. */
function gathered<Row>(rows: Row[], owner: (row: Row) => string, value: (row: Row) => string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const row of rows) {
    const set = found.get(owner(row)) ?? new Set()
    found.set(owner(row), set.add(value(row)))
  }
  return found
}

export const traitsOfAll = async (read: PlacementRead): Promise<Map<string, Set<string>>> =>
  gathered(
    await read.selectFrom('placement_provider_trait').selectAll().orderBy('trait').execute(),
    (row) => row.provider_id,
    (row) => row.trait,
  )

export const aggregatesOfAll = async (read: PlacementRead): Promise<Map<string, Set<string>>> =>
  gathered(
    await read.selectFrom('placement_aggregate').selectAll().orderBy('aggregate').execute(),
    (row) => row.provider_id,
    (row) => row.aggregate,
  )
