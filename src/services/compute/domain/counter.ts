import type { Tx } from '../../../kit/db/open.ts'
import type { ComputeTables } from '../tables.ts'

type Counter = 'server' | 'host' | 'keypair' | 'aggregate' | 'migration'

/** The next so many small numbers, as old clients and instance names want them: gives the first. Other takers wait for the commit. */
export async function next(tx: Tx<ComputeTables>, name: Counter, count = 1): Promise<number> {
  const { value } = await tx
    .updateTable('compute_counter')
    .set((eb) => ({ value: eb('value', '+', count) }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow()
  return value - count + 1
}
