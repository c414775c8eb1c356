import type { Db } from '../../../kit/db/open.ts'
import type { Audit } from '../../service.ts'
import type { ComputeTables } from '../tables.ts'
import { serverKind } from './servers.ts'

type WorkItem = { kit_work_item: { kind: string; subject: string } }

/** What our rows say should be on hosts and in other services. */
export async function auditCompute(database: Db<unknown>): Promise<Audit> {
  const db = database as Db<ComputeTables & WorkItem>
  const rows = await db.read
    .selectFrom('compute_server')
    .select(['id', 'host', 'assigned', 'ports', 'vm_state', 'move', 'move_id', 'move_there'])
    .where('deleted', '=', 0)
    .execute()
  const working = await db.read.selectFrom('kit_work_item').select('subject').where('kind', '=', serverKind).execute()
  const machines = new Set(working.map((row) => row.subject))
  return {
    problems: rows
      .filter((row) => !machines.has(row.id))
      .map((row) => `server ${row.id} has no machine that looks after it: delete it`),
    exists: {
      // Between two hosts it may be on both.
      vm: rows.flatMap((row) => (row.assigned === 0 ? [] : row.move_there === 1 ? [row.id, row.id] : [row.id])),
      allocation: rows.flatMap((row) => [...(row.host === '' ? [] : [row.id]), ...(row.move === '' ? [] : [row.move_id])]),
      'server-port': rows.filter((row) => row.ports !== '[]').map((row) => row.id),
    },
    holds: {},
  }
}
