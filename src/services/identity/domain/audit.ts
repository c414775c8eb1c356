import type { Audit } from '../../service.ts'
import type { Store } from './store.ts'

/** Identity claims nothing outside its rows; these must fit together. */
export async function audit({ read }: Store): Promise<Audit> {
  const users = new Set((await read.selectFrom('identity_user').select('id').execute()).map((row) => row.id))
  const groups = new Set((await read.selectFrom('identity_group').select('id').execute()).map((row) => row.id))
  const projects = new Set((await read.selectFrom('identity_project').select('id').execute()).map((row) => row.id))
  const roles = new Set((await read.selectFrom('identity_role').select('id').execute()).map((row) => row.id))
  const assignments = await read.selectFrom('identity_assignment').selectAll().execute()
  const orphans = assignments.filter(
    (one) =>
      !roles.has(one.role_id) ||
      !(one.actor === 'user' ? users : groups).has(one.actor_id) ||
      (one.target !== 'system' && !projects.has(one.target_id)),
  )
  const problems = orphans.map(
    (one) =>
      `The role ${one.role_id} of ${one.actor} ${one.actor_id} on ${one.target} ${one.target_id} belongs to something that is gone: take it away with \`openstack role remove\`.`,
  )
  return { problems, exists: {}, holds: {} }
}
