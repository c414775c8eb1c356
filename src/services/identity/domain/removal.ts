import type { Clock } from '../../../kit/clock.ts'
import type { IdentityTx } from '../tables.ts'
import { revoke } from './revocations.ts'

/** With everything that hangs on them. */
export async function removeUsers(tx: IdentityTx, ids: string[], clock: Clock): Promise<void> {
  for (const id of ids) {
    await tx.deleteFrom('identity_assignment').where('actor', '=', 'user').where('actor_id', '=', id).execute()
    await tx.deleteFrom('identity_member').where('user_id', '=', id).execute()
    await removeApplicationCredentialsOf(tx, id)
    await tx.deleteFrom('identity_access_rule').where('user_id', '=', id).execute()
    await tx.deleteFrom('identity_credential').where('user_id', '=', id).execute()
    await tx.deleteFrom('identity_password_history').where('user_id', '=', id).execute()
    const trusts = await tx
      .selectFrom('identity_trust')
      .select('id')
      .where((eb) => eb.or([eb('trustor_id', '=', id), eb('trustee_id', '=', id)]))
      .execute()
    await removeTrusts(
      tx,
      trusts.map((row) => row.id),
    )
    await tx.deleteFrom('identity_user').where('id', '=', id).execute()
    await revoke(tx, { userId: id }, clock)
  }
}

/** Of a user, on one project when that is given. */
export async function removeApplicationCredentialsOf(tx: IdentityTx, userId: string, projectId?: string): Promise<void> {
  let query = tx.selectFrom('identity_application_credential').select('id').where('user_id', '=', userId)
  if (projectId !== undefined) query = query.where('project_id', '=', projectId)
  const rows = await query.execute()
  await removeApplicationCredentials(
    tx,
    rows.map((row) => row.id),
  )
}

export async function removeApplicationCredentials(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.deleteFrom('identity_application_credential_role').where('credential_id', 'in', ids).execute()
  await tx.deleteFrom('identity_application_credential_rule').where('credential_id', 'in', ids).execute()
  await tx.deleteFrom('identity_application_credential').where('id', 'in', ids).execute()
}

/** With those that were made with them. */
export async function removeTrusts(tx: IdentityTx, ids: string[]): Promise<void> {
  for (let level = ids; level.length > 0; ) {
    const below = await tx.selectFrom('identity_trust').select('id').where('parent_id', 'in', level).execute()
    await tx.deleteFrom('identity_trust_role').where('trust_id', 'in', level).execute()
    await tx.deleteFrom('identity_trust').where('id', 'in', level).execute()
    level = below.map((row) => row.id)
  }
}

export async function removeGroup(tx: IdentityTx, id: string): Promise<void> {
  await tx.deleteFrom('identity_assignment').where('actor', '=', 'group').where('actor_id', '=', id).execute()
  await tx.deleteFrom('identity_member').where('group_id', '=', id).execute()
  await tx.deleteFrom('identity_group').where('id', '=', id).execute()
}

export async function removeRole(tx: IdentityTx, id: string): Promise<void> {
  await tx.deleteFrom('identity_assignment').where('role_id', '=', id).execute()
  await tx.deleteFrom('identity_trust_role').where('role_id', '=', id).execute()
  await tx.deleteFrom('identity_application_credential_role').where('role_id', '=', id).execute()
  await tx
    .deleteFrom('identity_implied_role')
    .where((eb) => eb.or([eb('prior_id', '=', id), eb('implied_id', '=', id)]))
    .execute()
  await tx.deleteFrom('identity_role').where('id', '=', id).execute()
}

/** What hangs on a project or domain, besides its tags and assignments. */
export async function removeOfProject(tx: IdentityTx, id: string): Promise<void> {
  const credentials = await tx.selectFrom('identity_application_credential').select('id').where('project_id', '=', id).execute()
  await removeApplicationCredentials(
    tx,
    credentials.map((row) => row.id),
  )
  const trusts = await tx.selectFrom('identity_trust').select('id').where('project_id', '=', id).execute()
  await removeTrusts(
    tx,
    trusts.map((row) => row.id),
  )
  await tx.deleteFrom('identity_credential').where('project_id', '=', id).execute()
  await tx.deleteFrom('identity_project_endpoint').where('project_id', '=', id).execute()
  await tx.deleteFrom('identity_project_endpoint_group').where('project_id', '=', id).execute()
  await tx
    .deleteFrom('identity_limit')
    .where((eb) => eb.or([eb('project_id', '=', id), eb('domain_id', '=', id)]))
    .execute()
  await tx.deleteFrom('identity_domain_option').where('domain_id', '=', id).execute()
}

export async function removeEndpoints(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.deleteFrom('identity_project_endpoint').where('endpoint_id', 'in', ids).execute()
  await tx.deleteFrom('identity_policy_association').where('endpoint_id', 'in', ids).execute()
  await tx.deleteFrom('identity_endpoint').where('id', 'in', ids).execute()
}

/** With its endpoints, policies and limits. */
export async function removeService(tx: IdentityTx, id: string): Promise<void> {
  const endpoints = await tx.selectFrom('identity_endpoint').select('id').where('service_id', '=', id).execute()
  await removeEndpoints(
    tx,
    endpoints.map((row) => row.id),
  )
  await tx.deleteFrom('identity_policy_association').where('service_id', '=', id).execute()
  const limits = tx.selectFrom('identity_registered_limit').select('id').where('service_id', '=', id)
  await removeRegisteredLimits(
    tx,
    (await limits.execute()).map((row) => row.id),
  )
  await tx.deleteFrom('identity_service').where('id', '=', id).execute()
}

export async function removeRegions(tx: IdentityTx, ids: string[]): Promise<void> {
  await tx.deleteFrom('identity_policy_association').where('region_id', 'in', ids).execute()
  const limits = tx.selectFrom('identity_registered_limit').select('id').where('region_id', 'in', ids)
  await removeRegisteredLimits(
    tx,
    (await limits.execute()).map((row) => row.id),
  )
  await tx.deleteFrom('identity_region').where('id', 'in', ids).execute()
}

/** With the limits that go by them. */
export async function removeRegisteredLimits(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.deleteFrom('identity_limit').where('registered_limit_id', 'in', ids).execute()
  await tx.deleteFrom('identity_registered_limit').where('id', 'in', ids).execute()
}
