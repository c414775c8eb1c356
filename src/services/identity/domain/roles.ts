import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { impliedRoles } from './effective-roles.ts'
import { assertMutable } from './immutable.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { assertFreeName, type Extra, existing, merge, type Reader } from './names.ts'
import { findDomain } from './project-tree.ts'
import { removeRole } from './removal.ts'
import type { Store } from './store.ts'

/** Without domain it counts everywhere; a domain's own role counts by the roles it implies. */
export type Role = { id: string; name: string; domainId: string; description: string | null; options: Extra; extra: Extra }
export type NewRole = Omit<Role, 'id'>
export type RoleChange = Partial<Omit<NewRole, 'domainId'>>

export const roleListing = listing<string>({
  filters: { ...textFilters('name', 'name'), domain_id: { column: 'domain_id' } },
  sorts: { id: 'id', name: 'name' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Roles = {
  find(id: string): Promise<Role | undefined>
  list(ask: PageAsk<string>): Promise<Page<Role>>
  all(): Promise<Role[]>
  create(role: NewRole): Promise<Role>
  update(id: string, change: RoleChange): Promise<Role>
  remove(id: string): Promise<void>
  /** Prior role to the ids it implies directly. */
  implications(): Promise<Map<string, string[]>>
  imply(priorId: string, impliedId: string): Promise<void>
  /** Throws not-found. */
  unimply(priorId: string, impliedId: string): Promise<void>
}

export const roleOf = (row: Selectable<IdentityTables['identity_role']>): Role => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id,
  description: row.description,
  options: fromJson(row.options),
  extra: fromJson(row.extra),
})

export async function findRole(read: Reader, id: string): Promise<Role | undefined> {
  const row = await read.selectFrom('identity_role').selectAll().where('id', '=', id).executeTakeFirst()
  return row && roleOf(row)
}

export function openRoles(store: Store, clock: Clock): Roles {
  return {
    find: (id) => findRole(store.read, id),
    list: async (ask) => mapPage(await page(store.read.selectFrom('identity_role').selectAll(), roleListing, ask), roleOf),
    all: async () => (await store.read.selectFrom('identity_role').selectAll().orderBy('created_at').execute()).map(roleOf),
    create: (role) =>
      store.write(async (tx) => {
        if (role.domainId !== '') existing(await findDomain(tx, role.domainId), 'domain', role.domainId)
        const row = { ...rowOf(role), id: hexId(), created_at: clock.now() }
        await assertFreeName(tx, 'identity_role', 'role', row)
        await tx.insertInto('identity_role').values(row).execute()
        return roleOf(row)
      }),
    update: (id, change) =>
      store.write(async (tx) => {
        const old = existing(await findRole(tx, id), 'role', id)
        assertMutable('role', old, change)
        const next = {
          ...old,
          ...change,
          options: merge(old.options, change.options ?? {}),
          extra: merge(old.extra, change.extra ?? {}),
        }
        await assertFreeName(tx, 'identity_role', 'role', { id, ...rowOf(next) })
        await tx.updateTable('identity_role').set(rowOf(next)).where('id', '=', id).execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        assertMutable('role', existing(await findRole(tx, id), 'role', id), 'delete')
        await removeRole(tx, id)
      }),
    implications: () => impliedRoles(store),
    imply: (priorId, impliedId) =>
      store.write(async (tx) => {
        await assertImplication(tx, priorId, impliedId)
        const row = { prior_id: priorId, implied_id: impliedId }
        const known = await tx
          .selectFrom('identity_implied_role')
          .select('prior_id')
          .where('prior_id', '=', priorId)
          .where('implied_id', '=', impliedId)
          .executeTakeFirst()
        if (known) throw new Problem('conflict', 'Conflict occurred attempting to store implied_role - Duplicate entry.')
        await tx.insertInto('identity_implied_role').values(row).execute()
      }),
    unimply: (priorId, impliedId) =>
      store.write(async (tx) => {
        const removed = await tx
          .deleteFrom('identity_implied_role')
          .where('prior_id', '=', priorId)
          .where('implied_id', '=', impliedId)
          .executeTakeFirst()
        if (removed.numDeletedRows === 0n) throw notImplied(priorId, impliedId)
      }),
  }
}

export const notImplied = (priorId: string, impliedId: string): Problem =>
  new Problem('not-found', `${priorId} does not imply ${impliedId}.`)

/** Nobody becomes admin by implication, and a role of everywhere does not imply a domain's. Circles do no harm. */
async function assertImplication(tx: IdentityTx, priorId: string, impliedId: string): Promise<void> {
  const prior = existing(await findRole(tx, priorId), 'role', priorId)
  const implied = existing(await findRole(tx, impliedId), 'role', impliedId)
  if (implied.name === 'admin' && implied.domainId === '')
    throw new Problem('forbidden', `${impliedId} cannot be an implied roles.`)
  if (implied.domainId !== '' && prior.domainId === '') throw new Problem('forbidden', `${impliedId} cannot be an implied roles.`)
}

const rowOf = (role: NewRole) => ({
  name: role.name,
  domain_id: role.domainId,
  description: role.description,
  options: toJson(role.options),
  extra: toJson(role.extra),
})
