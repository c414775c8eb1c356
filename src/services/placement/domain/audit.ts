import type { Audit } from '../../service.ts'
import type { PlacementRead } from '../tables.ts'
import { capacity } from './inventory.ts'
import { stockOf } from './stock.ts'

/** Who holds something here, and what is handed out beyond what there is. */
export async function audit(read: PlacementRead): Promise<Audit> {
  const consumers = await read
    .selectFrom('placement_allocation')
    .select('consumer_id')
    .distinct()
    .orderBy('consumer_id')
    .execute()
  const names = new Map(
    (await read.selectFrom('placement_provider').select(['id', 'name']).execute()).map((row) => [row.id, row.name]),
  )
  const problems = [...(await stockOf(read))].flatMap(([id, shelf]) =>
    [...shelf]
      .filter(([, { inventory, used }]) => used > capacity(inventory))
      .map(
        ([resource, { inventory, used }]) =>
          `${names.get(id) ?? id} has ${capacity(inventory)} ${resource} and ${used} are handed out: its inventory shrank. Move or delete what runs there.`,
      ),
  )
  return { problems, exists: {}, holds: { allocation: consumers.map((row) => row.consumer_id) } }
}
