import type { Listed } from './assignment-list.ts'
import type { Store } from './store.ts'

export type NameInDomain = { name: string; domainId: string; domainName: string }

/** Names of all that a list of assignments speaks of, by id. */
export type AssignmentNames = Record<'users' | 'groups' | 'projects' | 'roles', Map<string, NameInDomain>>

export async function assignmentNames({ read }: Store, list: Listed[]): Promise<AssignmentNames> {
  const domains = await read.selectFrom('identity_project').select(['id', 'name']).where('is_domain', '=', 1).execute()
  const domainNames = new Map(domains.map((row) => [row.id, row.name]))
  const load = async (table: 'identity_user' | 'identity_group' | 'identity_project' | 'identity_role', ids: string[]) => {
    const unique = [...new Set(ids)]
    if (unique.length === 0) return new Map<string, NameInDomain>()
    let query = read.selectFrom(table).select(['id', 'name', 'domain_id'])
    // Long lists of ids cost more than the whole table.
    if (unique.length <= 500) query = query.where('id', 'in', unique)
    const rows = await query.execute()
    return new Map(
      rows.map((row) => [row.id, { name: row.name, domainId: row.domain_id, domainName: domainNames.get(row.domain_id) ?? '' }]),
    )
  }
  const actors = (actor: 'user' | 'group') => list.filter((one) => one.actor === actor).map((one) => one.actorId)
  return {
    users: await load('identity_user', actors('user')),
    groups: await load('identity_group', actors('group')),
    projects: await load(
      'identity_project',
      list.filter((one) => one.target !== 'system').map((one) => one.targetId),
    ),
    roles: await load(
      'identity_role',
      list.map((one) => one.roleId),
    ),
  }
}
