import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Inventory, Placement } from '../contract.ts'
import type { PlacementDb, PlacementTx } from '../tables.ts'
import { addClass } from './classes.ts'
import { inventoryInUse } from './faults.ts'
import { inventoryRow, sameInventory } from './inventory.ts'
import { destroyProvider } from './providers.ts'
import { stockOf } from './stock.ts'
import { addTrait, setTraits, traitsOf } from './traits.ts'

type Ensure = Parameters<Placement['ensureProvider']>[0]

/** Providers that other services keep: made, kept as they should be, taken away. */
export function openStewardship(db: PlacementDb, clock: Clock): Pick<Placement, 'ensureProvider' | 'removeProvider'> {
  return {
    async ensureProvider(ask) {
      if (await isAsAsked(db, ask)) return
      await db.transaction((tx) => ensure(tx, clock.now(), ask))
    },
    async removeProvider({ id }) {
      await db.transaction((tx) => destroyProvider(tx, id))
    },
  }
}

/** Hosts say the same again and again: looking costs no transaction. */
async function isAsAsked({ read }: PlacementDb, { id, name, inventories, traits }: Ensure): Promise<boolean> {
  const found = await read.selectFrom('placement_provider').select('name').where('id', '=', id).executeTakeFirst()
  if (found?.name !== name) return false
  const shelf = (await stockOf(read, { providers: [id] })).get(id) ?? new Map()
  return sameShelf(shelf, inventories) && sameNames(await traitsOf(read, id), traits)
}

const sameShelf = (shelf: Map<string, { inventory: Inventory }>, wanted: Record<string, Inventory>): boolean =>
  shelf.size === Object.keys(wanted).length &&
  [...shelf].every(([resource, { inventory }]) => wanted[resource] !== undefined && sameInventory(inventory, wanted[resource]))

const sameNames = (a: string[], b: string[]): boolean => {
  const wanted = new Set(b)
  return a.length === wanted.size && a.every((name) => wanted.has(name))
}

async function ensure(tx: PlacementTx, now: number, { id, name, inventories, traits }: Ensure): Promise<void> {
  await tx
    .insertInto('placement_provider')
    .values({ id, name, generation: 0, parent_id: '', root_id: id, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const clash = await tx
    .selectFrom('placement_provider')
    .select('id')
    .where('name', '=', name)
    .where('id', '<>', id)
    .executeTakeFirst()
  if (clash) throw new Problem('conflict', `There is another resource provider named ${name}: ${clash.id}.`)
  await tx
    .updateTable('placement_provider')
    .set((eb) => ({ name, generation: eb('generation', '+', 1), updated_at: now }))
    .where('id', '=', id)
    .execute()
  for (const resource of Object.keys(inventories)) if (resource.startsWith('CUSTOM_')) await addClass(tx, now, resource)
  for (const trait of traits) if (trait.startsWith('CUSTOM_')) await addTrait(tx, now, trait)
  await setInventories(tx, now, id, inventories)
  await setTraits(tx, id, traits)
}

/** Exactly these from now on. What is in use cannot go away (it may shrink below its use: then nothing more is handed out). */
export async function setInventories(
  tx: PlacementTx,
  now: number,
  id: string,
  inventories: Record<string, Inventory>,
): Promise<void> {
  const kept = Object.keys(inventories)
  const lost = await tx
    .selectFrom('placement_allocation')
    .select('class')
    .distinct()
    .where('provider_id', '=', id)
    .$if(kept.length > 0, (query) => query.where('class', 'not in', kept))
    .execute()
  if (lost.length > 0)
    throw inventoryInUse(
      lost.map((row) => row.class),
      id,
    )
  await tx.deleteFrom('placement_inventory').where('provider_id', '=', id).execute()
  const rows = Object.entries(inventories).map(([resource, inventory]) => inventoryRow(id, resource, inventory, now))
  if (rows.length > 0) await tx.insertInto('placement_inventory').values(rows).execute()
}
