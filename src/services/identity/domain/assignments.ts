import { fromBit, toBit } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import type { IdentityTx } from '../tables.ts'
import { existing, type Reader } from './names.ts'
import { descendants, findProject } from './project-tree.ts'
import { removeApplicationCredentialsOf } from './removal.ts'
import { findRole, type Role, roleOf } from './roles.ts'
import type { Store } from './store.ts'

/** A role of a user or group on a project, a domain or the whole system (`targetId` `all`); inherited: on every project below, not there itself. */
export type Assignment = {
  actor: 'user' | 'group'
  actorId: string
  target: 'project' | 'domain' | 'system'
  targetId: string
  roleId: string
  inherited: boolean
}

export type Assignments = {
  /** Throws forbidden when a domain's role goes elsewhere. */
  grant(assignment: Assignment): Promise<void>
  has(assignment: Assignment): Promise<boolean>
  /** Throws not-found. */
  revoke(assignment: Assignment): Promise<void>
  roles(on: Omit<Assignment, 'roleId'>): Promise<Role[]>
  /** Ids of the projects a user can get a token for. */
  projectIdsOf(userId: string): Promise<string[]>
  domainIdsOf(userId: string): Promise<string[]>
  isOnSystem(userId: string): Promise<boolean>
}

export function openAssignments(store: Store): Assignments {
  const { read } = store
  return {
    grant: (assignment) =>
      store.write(async (tx) => {
        await assertRoleFits(tx, assignment)
        await tx
          .insertInto('identity_assignment')
          .values(rowOf(assignment))
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }),
    async has(assignment) {
      return (await one(read, assignment).executeTakeFirst()) !== undefined
    },
    revoke: (assignment) =>
      store.write(async (tx) => {
        if (!(await one(tx, assignment).executeTakeFirst())) throw notAssigned(assignment)
        let query = tx.deleteFrom('identity_assignment')
        for (const [column, value] of Object.entries(rowOf(assignment)))
          query = query.where(column as 'actor', '=', value as 'user')
        await query.execute()
        await dropApplicationCredentials(tx, assignment)
      }),
    async roles({ actor, actorId, target, targetId, inherited }) {
      const rows = await read
        .selectFrom('identity_assignment as given')
        .innerJoin('identity_role as role', 'role.id', 'given.role_id')
        .selectAll('role')
        .where('given.actor', '=', actor)
        .where('given.actor_id', '=', actorId)
        .where('given.target', '=', target)
        .where('given.target_id', '=', targetId)
        .where('given.inherited', '=', toBit(inherited))
        .orderBy('role.created_at')
        .execute()
      return rows.map(roleOf)
    },
    async projectIdsOf(userId) {
      const given = await givenTo(read, userId)
      const ids = new Set(given.filter((one) => one.target === 'project' && !one.inherited).map((one) => one.targetId))
      for (const { targetId } of given.filter((one) => one.inherited))
        for (const below of await descendants(read, targetId)) ids.add(below.id)
      return [...ids]
    },
    async domainIdsOf(userId) {
      const given = await givenTo(read, userId)
      return [...new Set(given.filter((one) => one.target === 'domain' && !one.inherited).map((one) => one.targetId))]
    },
    isOnSystem: async (userId) => (await givenTo(read, userId)).some((one) => one.target === 'system'),
  }
}

export const notAssigned = ({ roleId, actorId, targetId }: Assignment): Problem =>
  new Problem(
    'not-found',
    `Could not find role assignment with role: ${roleId}, user or group: ${actorId}, project, domain, or system: ${targetId}.`,
  )

const rowOf = ({ actor, actorId, target, targetId, roleId, inherited }: Assignment) => ({
  actor,
  actor_id: actorId,
  target,
  target_id: targetId,
  role_id: roleId,
  inherited: toBit(inherited),
})

const one = (read: Reader, { actor, actorId, target, targetId, roleId, inherited }: Assignment) =>
  read
    .selectFrom('identity_assignment')
    .select('role_id')
    .where('actor', '=', actor)
    .where('actor_id', '=', actorId)
    .where('target', '=', target)
    .where('target_id', '=', targetId)
    .where('role_id', '=', roleId)
    .where('inherited', '=', toBit(inherited))

async function assertRoleFits(tx: IdentityTx, { roleId, target, targetId }: Assignment): Promise<void> {
  const role = existing(await findRole(tx, roleId), 'role', roleId)
  if (role.domainId === '') return
  const place = target === 'system' ? undefined : await findProject(tx, targetId)
  const domainId = place?.isDomain ? place.id : place?.domainId
  if (domainId !== role.domainId)
    throw new Problem('forbidden', `Project ${targetId} must be in the same domain as the role ${roleId} being assigned.`)
}

/** Who loses a role on a project loses the application credentials there: a role given again must not bring them back. */
async function dropApplicationCredentials(tx: IdentityTx, assignment: Assignment): Promise<void> {
  const { actor, actorId, target, targetId, inherited } = assignment
  if (target === 'system' || (target === 'domain' && !inherited)) return
  const members = tx.selectFrom('identity_member').select('user_id').where('group_id', '=', actorId)
  const userIds = actor === 'user' ? [actorId] : (await members.execute()).map((row) => row.user_id)
  const projectIds = inherited ? (await descendants(tx, targetId)).map((project) => project.id) : [targetId]
  for (const userId of userIds) for (const projectId of projectIds) await removeApplicationCredentialsOf(tx, userId, projectId)
}

/** The user's own and its groups'. */
async function givenTo(read: Reader, userId: string): Promise<Assignment[]> {
  const rows = await read
    .selectFrom('identity_assignment')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.and([eb('actor', '=', 'user'), eb('actor_id', '=', userId)]),
        eb.and([
          eb('actor', '=', 'group'),
          eb('actor_id', 'in', eb.selectFrom('identity_member').select('group_id').where('user_id', '=', userId)),
        ]),
      ]),
    )
    .orderBy('target_id')
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
