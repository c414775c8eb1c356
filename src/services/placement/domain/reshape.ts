import { Problem } from '../../../kit/errors.ts'
import type { PlacementTx } from '../tables.ts'
import { replaceAllocations, type Wanted } from './allocating.ts'
import { concurrentUpdate } from './faults.ts'
import { assertInventories, type Inventories } from './inventories.ts'
import { inventoryRow } from './inventory.ts'
import { findProvider } from './providers.ts'
import { setInventories } from './stewardship.ts'

export type Reshaped = { provider: string; generation: number; inventories: Inventories }

/** Moves inventories and what is held of them to other providers, all at once: in between both the old and the new are there. */
export async function reshape(tx: PlacementTx, now: number, shapes: Reshaped[], wants: Wanted[]): Promise<void> {
  for (const { provider, generation, inventories } of shapes) {
    await expect(tx, provider, generation)
    await assertInventories(tx, provider, inventories, { mayBeFull: true })
    for (const [resource, inventory] of Object.entries(inventories)) {
      const row = inventoryRow(provider, resource, inventory, now)
      await tx
        .insertInto('placement_inventory')
        .values(row)
        .onConflict((conflict) => conflict.columns(['provider_id', 'class']).doUpdateSet(row))
        .execute()
    }
  }
  if (wants.length > 0) await replaceAllocations(tx, now, wants)
  for (const { provider, inventories } of shapes) await setInventories(tx, now, provider, inventories)
}

async function expect(tx: PlacementTx, provider: string, generation: number): Promise<void> {
  const taken = await tx
    .updateTable('placement_provider')
    .set((eb) => ({ generation: eb('generation', '+', 1) }))
    .where('id', '=', provider)
    .where('generation', '=', generation)
    .returning('id')
    .executeTakeFirst()
  if (taken) return
  const found = await findProvider(tx, provider)
  if (!found)
    throw new Problem('invalid', `Resource provider ${provider} in inventories not found`, {
      code: 'placement.resource_provider.not_found',
    })
  throw concurrentUpdate(
    `resource provider generation conflict for provider ${provider}: actual: ${found.generation}, given: ${generation}`,
  )
}
