import type { Clock } from '../../../kit/clock.ts'
import type { IdentityTx } from '../tables.ts'
import { revoke } from './revocations.ts'

/** With everything that hangs on them. */
export async function removeUsers(tx: IdentityTx, ids: string[], clock: Clock): Promise<void> {
  for (const id of ids) {
    await tx.deleteFrom('identity_assignment').where('actor', '=', 'user').where('actor_id', '=', id).execute()
    await tx.deleteFrom('identity_member').where('user_id', '=', id).execute()
    await tx.deleteFrom('identity_user').where('id', '=', id).execute()
    await revoke(tx, { userId: id }, clock)
  }
}

export async function removeGroup(tx: IdentityTx, id: string): Promise<void> {
  await tx.deleteFrom('identity_assignment').where('actor', '=', 'group').where('actor_id', '=', id).execute()
  await tx.deleteFrom('identity_member').where('group_id', '=', id).execute()
  await tx.deleteFrom('identity_group').where('id', '=', id).execute()
}

export async function removeRole(tx: IdentityTx, id: string): Promise<void> {
  await tx.deleteFrom('identity_assignment').where('role_id', '=', id).execute()
  await tx
    .deleteFrom('identity_implied_role')
    .where((eb) => eb.or([eb('prior_id', '=', id), eb('implied_id', '=', id)]))
    .execute()
  await tx.deleteFrom('identity_role').where('id', '=', id).execute()
}
