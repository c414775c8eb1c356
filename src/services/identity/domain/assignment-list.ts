import { fromBit, toBit } from '../../../kit/db/columns.ts'
import type { Assignment } from './assignments.ts'
import { impliedRoles, withImplied } from './effective-roles.ts'
import { ancestorIds, descendants, findProject } from './project-tree.ts'
import type { Store } from './store.ts'

/** An assignment as it takes effect, and where it comes from when it was not given just so. */
export type Listed = Assignment & {
  /** Came to the user by this group. */
  viaGroupId?: string
  /** Came down from this domain or project. */
  viaTarget?: { target: 'project' | 'domain'; targetId: string }
  /** Is implied by this role. */
  viaRoleId?: string
}

export type AssignmentFilter = {
  roleId?: string | undefined
  userId?: string | undefined
  groupId?: string | undefined
  domainId?: string | undefined
  projectId?: string | undefined
  system?: boolean
  inherited?: boolean | undefined
  /** Groups become their users, inheritance becomes what is below, roles bring those they imply. */
  effective?: boolean
  /** The project and everything below. */
  subtree?: boolean
}

export async function listAssignments(store: Store, filter: AssignmentFilter): Promise<Listed[]> {
  const projectIds = await wantedProjects(store, filter)
  const given = await load(store, filter, projectIds)
  if (!filter.effective) return given
  const perUser = await expandGroups(store, given, filter.userId)
  const perPlace = await expandInheritance(store, perUser, filter, projectIds)
  const perRole = await expandRoles(store, perPlace)
  return perRole.filter((one) => filter.roleId === undefined || one.roleId === filter.roleId)
}

async function wantedProjects({ read }: Store, { projectId, subtree }: AssignmentFilter): Promise<string[] | undefined> {
  if (projectId === undefined) return undefined
  return subtree ? [projectId, ...(await descendants(read, projectId)).map((one) => one.id)] : [projectId]
}

async function load({ read }: Store, filter: AssignmentFilter, projectIds: string[] | undefined): Promise<Listed[]> {
  let query = read.selectFrom('identity_assignment').selectAll()
  const { userId, groupId, domainId, effective } = filter
  if (filter.roleId !== undefined && !effective) query = query.where('role_id', '=', filter.roleId)
  if (userId !== undefined)
    query = query.where((eb) => {
      const own = eb.and([eb('actor', '=', 'user'), eb('actor_id', '=', userId)])
      const memberOf = eb.selectFrom('identity_member').select('group_id').where('user_id', '=', userId)
      return effective ? eb.or([own, eb.and([eb('actor', '=', 'group'), eb('actor_id', 'in', memberOf)])]) : own
    })
  if (groupId !== undefined) query = query.where('actor', '=', 'group').where('actor_id', '=', groupId)
  if (domainId !== undefined) query = query.where('target', '=', 'domain').where('target_id', '=', domainId)
  if (filter.system) query = query.where('target', '=', 'system')
  if (filter.inherited !== undefined) query = query.where('inherited', '=', toBit(filter.inherited))
  if (projectIds !== undefined && !effective) query = query.where('target', '=', 'project').where('target_id', 'in', projectIds)
  const rows = await query
    .orderBy('target')
    .orderBy('target_id')
    .orderBy('actor')
    .orderBy('actor_id')
    .orderBy('role_id')
    .execute()
  return rows.map((row) => ({
    actor: row.actor,
    actorId: row.actor_id,
    target: row.target,
    targetId: row.target_id,
    roleId: row.role_id,
    inherited: fromBit(row.inherited),
  }))
}

async function expandGroups({ read }: Store, given: Listed[], userId: string | undefined): Promise<Listed[]> {
  let query = read.selectFrom('identity_member').selectAll().orderBy('user_id')
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  const members = given.some((one) => one.actor === 'group') ? await query.execute() : []
  return given.flatMap((one): Listed[] => {
    if (one.actor === 'user') return [one]
    const users = members.filter((member) => member.group_id === one.actorId)
    return users.map((member) => ({ ...one, actor: 'user', actorId: member.user_id, viaGroupId: one.actorId }))
  })
}

async function expandInheritance(
  store: Store,
  given: Listed[],
  filter: AssignmentFilter,
  projectIds: string[] | undefined,
): Promise<Listed[]> {
  const found: Listed[] = []
  const below = memo((id: string) => descendants(store.read, id).then((all) => all.map((one) => one.id)))
  const above = memo(async (id: string): Promise<string[]> => {
    const project = await findProject(store.read, id)
    return project ? ancestorIds(store.read, project) : []
  })
  for (const one of given) {
    const { target, targetId } = one
    if (!one.inherited) {
      if (projectIds === undefined || (target === 'project' && projectIds.includes(targetId))) found.push(one)
      continue
    }
    if (target === 'system' || filter.domainId !== undefined) continue
    const places = projectIds ?? (await below(targetId))
    for (const id of places)
      if (projectIds === undefined || (await above(id)).includes(targetId))
        found.push({ ...one, target: 'project', targetId: id, viaTarget: { target, targetId } })
  }
  return found
}

async function expandRoles(store: Store, given: Listed[]): Promise<Listed[]> {
  const implied = await impliedRoles(store)
  const rows = await store.read.selectFrom('identity_role').select('id').where('domain_id', '=', '').execute()
  const everywhere = new Set(rows.map((row) => row.id))
  const seen = new Set<string>()
  const found: Listed[] = []
  for (const one of given)
    for (const roleId of withImplied([one.roleId], implied)) {
      const listed = roleId === one.roleId ? one : { ...one, roleId, viaRoleId: one.roleId }
      const key = JSON.stringify([
        listed.actorId,
        listed.target,
        listed.targetId,
        roleId,
        listed.viaRoleId,
        listed.viaGroupId,
        listed.viaTarget,
      ])
      if (seen.has(key) || !everywhere.has(roleId)) continue
      seen.add(key)
      found.push(listed)
    }
  return found
}

function memo<T>(load: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const known = new Map<string, Promise<T>>()
  return (id) => {
    const found = known.get(id) ?? load(id)
    known.set(id, found)
    return found
  }
}
