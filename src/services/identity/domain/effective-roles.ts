import { sql } from 'kysely'
import type { Reader } from './names.ts'
import type { PayloadScope } from './payload.ts'
import { ancestorIds, type Project } from './project-tree.ts'

type From = { read: Reader }

export type RoleName = { id: string; name: string }

/** Scope of a token, with the project when it is one. */
export type RoleScope = Exclude<PayloadScope, { kind: 'project' }> | { kind: 'project'; id: string; project: Project }

/** Ids of the roles a user has on something: own and by group, inherited from above, those they imply, and domains' own. */
export async function effectiveRoleIds(store: From, userId: string, scope: RoleScope): Promise<string[]> {
  if (scope.kind === 'unscoped') return []
  const direct = await assignedRoleIds(store, userId, scope)
  return direct.length === 0 ? [] : withImplied(direct, await impliedRoles(store))
}

/** Those that count in tokens. */
export async function nameRoles(store: From, ids: string[]): Promise<RoleName[]> {
  if (ids.length === 0) return []
  const rows = await store.read
    .selectFrom('identity_role')
    .select(['id', 'name'])
    .where('id', 'in', ids)
    // A domain's own role counts by what it implies only.
    .where('domain_id', '=', '')
    .execute()
  return ids.flatMap((id) => rows.filter((row) => row.id === id))
}

async function assignedRoleIds(store: From, userId: string, scope: Exclude<RoleScope, { kind: 'unscoped' }>): Promise<string[]> {
  const above = scope.kind === 'project' ? await ancestorIds(store.read, scope.project) : []
  const targetId = scope.kind === 'system' ? 'all' : scope.id
  const rows = await store.read
    .selectFrom('identity_assignment')
    .select('role_id')
    .distinct()
    .where((eb) =>
      eb.or([
        eb.and([eb('actor', '=', 'user'), eb('actor_id', '=', userId)]),
        eb.and([
          eb('actor', '=', 'group'),
          eb('actor_id', 'in', eb.selectFrom('identity_member').select('group_id').where('user_id', '=', userId)),
        ]),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb.and([eb('target', '=', scope.kind), eb('target_id', '=', targetId), eb('inherited', '=', 0)]),
        above.length === 0 ? sql<boolean>`1 = 0` : eb.and([eb('target_id', 'in', above), eb('inherited', '=', 1)]),
      ]),
    )
    .orderBy('role_id')
    .execute()
  return rows.map((row) => row.role_id)
}

/** Prior role to the roles it implies directly. */
export async function impliedRoles({ read }: From): Promise<Map<string, string[]>> {
  const implied = new Map<string, string[]>()
  const rows = await read.selectFrom('identity_implied_role').selectAll().orderBy('prior_id').orderBy('implied_id').execute()
  for (const row of rows) implied.set(row.prior_id, [...(implied.get(row.prior_id) ?? []), row.implied_id])
  return implied
}

/** The roles and all that follows from them, each once. */
export function withImplied(roleIds: string[], implied: Map<string, string[]>): string[] {
  const all = new Set(roleIds)
  for (const id of all) for (const next of implied.get(id) ?? []) all.add(next)
  return [...all]
}
