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
  return { problems: [...problems, ...(await lostOnes(read, { users, projects }))], exists: {}, holds: {} }
}

type Known = { users: Set<string>; projects: Set<string> }

/** Things of people and projects that are gone: each would be taken away with them. */
async function lostOnes(read: Store['read'], { users, projects }: Known): Promise<string[]> {
  const trusts = await read.selectFrom('identity_trust').select(['id', 'trustor_id', 'trustee_id', 'project_id']).execute()
  const given = await read.selectFrom('identity_application_credential').select(['id', 'user_id', 'project_id']).execute()
  const secrets = await read.selectFrom('identity_credential').select(['id', 'user_id', 'project_id']).execute()
  const isLost = (one: { user_id: string; project_id: string }) =>
    !users.has(one.user_id) || (one.project_id !== '' && !projects.has(one.project_id))
  return [
    ...trusts
      .filter((one) => isLost({ ...one, user_id: one.trustor_id }) || !users.has(one.trustee_id))
      .map(({ id }) => `The trust ${id} belongs to something that is gone: take it away with \`openstack trust delete\`.`),
    ...given
      .filter(isLost)
      .map(({ id }) => `The application credential ${id} belongs to something that is gone, and lets nobody in.`),
    ...secrets
      .filter(isLost)
      .map(
        ({ id }) => `The credential ${id} belongs to something that is gone: take it away with \`openstack credential delete\`.`,
      ),
  ]
}
