import type { Clock } from '../../../../kit/clock.ts'
import type { IdentityTx } from '../../tables.ts'
import { revoke } from '../revocations.ts'

export type PeopleTable = 'identity_user' | 'identity_group'

/** Types a query on columns that both tables have. */
export const as = (table: PeopleTable): 'identity_user' => table as 'identity_user'

/** Somebody is not in the directory any more: nameless, disabled, in no group, but with all that was given to the id. */
export async function lose(tx: IdentityTx, table: PeopleTable, id: string, clock: Clock): Promise<void> {
  await tx.updateTable(as(table)).set({ name: id, gone: 1, seen_at: 0 }).where('id', '=', id).execute()
  await tx
    .deleteFrom('identity_member')
    .where(table === 'identity_user' ? 'user_id' : 'group_id', '=', id)
    .execute()
  if (table === 'identity_group') return
  await tx.updateTable('identity_user').set({ enabled: 0 }).where('id', '=', id).execute()
  await revoke(tx, { userId: id }, clock)
}
