import { sql } from 'kysely'
import { Problem } from '../../../kit/errors.ts'
import type { PlacementTx } from '../tables.ts'
import { isKnownClass } from './classes.ts'
import { concurrentUpdate } from './faults.ts'
import { refusal } from './inventory.ts'
import { stockOf } from './stock.ts'

export type Wanted = {
  consumer: string
  projectId: string
  userId: string
  /** '' keeps what it was. */
  type: string
  /** The generation the asker knows; null: it must be new; undefined: whatever it is. */
  generation: number | null | undefined
  /** By provider and class; empty: everything is given back. */
  resources: Record<string, Record<string, number>>
}

type Take = { consumer: string; provider: string; resource: string; amount: number }

/**
 * Makes consumers hold exactly what is wanted, all of them or none. Never more than the capacity is handed out: the rows of consumers and
 * then of providers are taken in order of their ids, so that two transactions over the same providers queue up and none waits in a circle.
 */
export async function replaceAllocations(tx: PlacementTx, now: number, wants: Wanted[]): Promise<void> {
  const consumers = [...wants].sort((a, b) => (a.consumer < b.consumer ? -1 : 1))
  for (const want of consumers) await touchConsumer(tx, now, want)
  const ids = wants.map((want) => want.consumer)
  const held = await tx
    .selectFrom('placement_allocation')
    .select('provider_id')
    .distinct()
    .where('consumer_id', 'in', ids)
    .execute()
  const takes = wants.flatMap(takesOf)
  const wanted = new Set(takes.map((take) => take.provider))
  for (const id of [...new Set([...held.map((row) => row.provider_id), ...wanted])].sort())
    await touchProvider(tx, now, id, wanted.has(id))
  await tx.deleteFrom('placement_allocation').where('consumer_id', 'in', ids).execute()
  if (takes.length > 0) await take(tx, now, takes, [...wanted])
  const idle = wants.filter((want) => takesOf(want).length === 0).map((want) => want.consumer)
  if (idle.length > 0) await tx.deleteFrom('placement_consumer').where('id', 'in', idle).execute()
}

const takesOf = (want: Wanted): Take[] =>
  Object.entries(want.resources).flatMap(([provider, resources]) =>
    Object.entries(resources).map(([resource, amount]) => ({ consumer: want.consumer, provider, resource, amount })),
  )

async function touchConsumer(tx: PlacementTx, now: number, want: Wanted): Promise<void> {
  const { generation } = await tx
    .insertInto('placement_consumer')
    .values({
      id: want.consumer,
      project_id: want.projectId,
      user_id: want.userId,
      type: want.type,
      generation: 1,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        project_id: want.projectId,
        user_id: want.userId,
        ...(want.type === '' ? {} : { type: want.type }),
        generation: sql<number>`placement_consumer.generation + 1`,
        updated_at: now,
      }),
    )
    .returning('generation')
    .executeTakeFirstOrThrow()
  const was = generation === 1 ? null : generation - 1
  if (want.generation !== undefined && want.generation !== was)
    throw concurrentUpdate(`consumer generation conflict - expected ${was ?? 'null'} but got ${want.generation ?? 'null'}`)
}

async function touchProvider(tx: PlacementTx, now: number, id: string, needed: boolean): Promise<void> {
  const found = await tx
    .updateTable('placement_provider')
    .set((eb) => ({ generation: eb('generation', '+', 1), updated_at: now }))
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  if (!found && needed) throw new Problem('invalid', `Allocation for resource provider '${id}' that does not exist.`)
}

async function take(tx: PlacementTx, now: number, takes: Take[], providers: string[]): Promise<void> {
  for (const resource of new Set(takes.map((one) => one.resource)))
    if (!(await isKnownClass(tx, resource)))
      throw new Problem('invalid', `Unable to allocate inventory: No such resource class ${resource}.`)
  const stock = await stockOf(tx, { providers })
  for (const { provider, resource, amount } of takes) {
    const shelf = stock.get(provider)?.get(resource)
    const reason = refusal(shelf?.inventory, shelf?.used ?? 0, amount, resource)
    if (reason) throw new Problem('no-capacity', `Unable to allocate inventory on resource provider ${provider}: ${reason}`)
    if (shelf) shelf.used += amount
  }
  await tx
    .insertInto('placement_allocation')
    .values(
      takes.map((one) => ({
        consumer_id: one.consumer,
        provider_id: one.provider,
        class: one.resource,
        used: one.amount,
        updated_at: now,
      })),
    )
    .execute()
}
