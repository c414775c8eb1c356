import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Inventory } from '../contract.ts'
import type { PlacementDb, PlacementRead, PlacementTx } from '../tables.ts'
import { isKnownClass } from './classes.ts'
import { concurrentUpdate, inventoryInUse } from './faults.ts'
import { capacity, inventoryOf, inventoryRow } from './inventory.ts'
import { nextGeneration, type Provider } from './providers.ts'
import { setInventories } from './stewardship.ts'

export type StoredInventory = { resource: string; inventory: Inventory; updatedAt: number }
export type Inventories = Record<string, Inventory>

/** `mayBeFull`: all of it may be reserved (from 1.26 on). `generation`: only while the provider is of this one. */
export type InventoryRules = { mayBeFull: boolean; generation?: number }

export async function inventoriesOf(read: PlacementRead, provider: string): Promise<StoredInventory[]> {
  const rows = await read
    .selectFrom('placement_inventory')
    .selectAll()
    .where('provider_id', '=', provider)
    .orderBy('class')
    .execute()
  return rows.map((row) => ({ resource: row.class, inventory: inventoryOf(row), updatedAt: row.updated_at }))
}

export async function findInventory(
  read: PlacementRead,
  provider: string,
  resource: string,
): Promise<StoredInventory | undefined> {
  return (await inventoriesOf(read, provider)).find((one) => one.resource === resource)
}

export const noInventory = (provider: string, resource: string): Problem =>
  new Problem('not-found', `No inventory of class ${resource} for ${provider}`)

/** Throws invalid when a class is unknown or more is reserved than there is. */
export async function assertInventories(
  read: PlacementRead,
  provider: string,
  wanted: Inventories,
  { mayBeFull }: InventoryRules,
) {
  for (const [resource, inventory] of Object.entries(wanted)) {
    if (!(await isKnownClass(read, resource)))
      throw new Problem(
        'invalid',
        `Unknown resource class in inventory for resource provider ${provider}: No such resource class ${resource}.`,
      )
    const room = capacity(inventory)
    if (room < 0 || (room === 0 && !mayBeFull))
      throw new Problem(
        'invalid',
        `Unable to update inventory for resource provider ${provider}: Invalid inventory for '${resource}' on resource provider '${provider}'. The reserved value is greater than ${mayBeFull ? '' : 'or equal to '}total.`,
      )
  }
}

const checked = async (tx: PlacementTx, now: number, provider: string, wanted: Inventories, rules: InventoryRules) => {
  const next = await nextGeneration(tx, now, provider, rules.generation)
  await assertInventories(tx, provider, wanted, rules)
  return next
}

export const replaceInventories = (
  db: PlacementDb,
  clock: Clock,
  provider: string,
  wanted: Inventories,
  rules: InventoryRules,
): Promise<Provider> =>
  db.transaction(async (tx) => {
    const now = clock.now()
    const next = await checked(tx, now, provider, wanted, rules)
    await setInventories(tx, now, provider, wanted)
    return next
  })

type One = { provider: string; resource: string; inventory: Inventory }

export const addInventory = (db: PlacementDb, clock: Clock, one: One, rules: InventoryRules): Promise<Provider> =>
  db.transaction(async (tx) => {
    const now = clock.now()
    const next = await checked(tx, now, one.provider, { [one.resource]: one.inventory }, rules)
    const made = await tx
      .insertInto('placement_inventory')
      .values(inventoryRow(one.provider, one.resource, one.inventory, now))
      .onConflict((conflict) => conflict.doNothing())
      .returning('class')
      .executeTakeFirst()
    if (!made) throw concurrentUpdate(`Update conflict: there is inventory of class ${one.resource} already.`)
    return next
  })

export const changeInventory = (db: PlacementDb, clock: Clock, one: One, rules: InventoryRules): Promise<Provider> =>
  db.transaction(async (tx) => {
    const now = clock.now()
    const next = await checked(tx, now, one.provider, { [one.resource]: one.inventory }, rules)
    const changed = await tx
      .updateTable('placement_inventory')
      .set(inventoryRow(one.provider, one.resource, one.inventory, now))
      .where('provider_id', '=', one.provider)
      .where('class', '=', one.resource)
      .returning('class')
      .executeTakeFirst()
    if (!changed)
      throw new Problem(
        'invalid',
        `No inventory record with resource class ${one.resource} for resource provider ${one.provider}`,
      )
    return next
  })

export const removeInventory = (db: PlacementDb, clock: Clock, provider: string, resource: string): Promise<void> =>
  db.transaction(async (tx) => {
    await nextGeneration(tx, clock.now(), provider)
    const gone = await tx
      .deleteFrom('placement_inventory')
      .where('provider_id', '=', provider)
      .where('class', '=', resource)
      .returning('class')
      .executeTakeFirst()
    if (!gone) throw noInventory(provider, resource)
    const used = await tx
      .selectFrom('placement_allocation')
      .select('class')
      .where('provider_id', '=', provider)
      .where('class', '=', resource)
      .limit(1)
      .executeTakeFirst()
    if (used) throw inventoryInUse([resource], provider)
  })
