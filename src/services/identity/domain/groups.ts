import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables } from '../tables.ts'
import { type Directories, readOnly } from './ldap/directories.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { assertFreeName, type Extra, existing, merge, ours, type Reader } from './names.ts'
import { findDomain } from './project-tree.ts'
import { removeGroup } from './removal.ts'
import type { Store } from './store.ts'

export type Group = { id: string; name: string; domainId: string; description: string; extra: Extra }

export const groupListing = listing<string>({
  filters: { ...textFilters('name', 'name'), domain_id: { column: 'domain_id' } },
  sorts: { id: 'id', name: 'name', domain_id: 'domain_id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Groups = {
  find(id: string): Promise<Group | undefined>
  list(ask: PageAsk<string>, filter?: { userId?: string }): Promise<Page<Group>>
  create(group: Omit<Group, 'id'>): Promise<Group>
  update(id: string, change: Partial<Omit<Group, 'id' | 'domainId'>>): Promise<Group>
  remove(id: string): Promise<void>
  has(groupId: string, userId: string): Promise<boolean>
  add(groupId: string, userId: string): Promise<void>
  /** Throws not-found when the user is not in it. */
  leave(groupId: string, userId: string): Promise<void>
}

const groupOf = (row: Selectable<IdentityTables['identity_group']>): Group => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id,
  description: row.description,
  extra: fromJson(row.extra),
})

export async function findGroup(read: Reader, id: string): Promise<Group | undefined> {
  const row = await read.selectFrom('identity_group').selectAll().where('id', '=', id).where('gone', '=', 0).executeTakeFirst()
  return row && groupOf(row)
}

export function openGroups(store: Store, clock: Clock, directories: Directories): Groups {
  const assertOurs = async (groupId: string, userId?: string) => {
    const group = store.read.selectFrom('identity_group').select('local_id').where('id', '=', groupId)
    if (((await group.executeTakeFirst())?.local_id ?? '') !== '') throw readOnly()
    if (userId === undefined) return
    const user = store.read.selectFrom('identity_user').select('local_id').where('id', '=', userId)
    if (((await user.executeTakeFirst())?.local_id ?? '') !== '')
      throw new Problem(
        'forbidden',
        `Group membership across backend boundaries is not allowed. Group in question is ${groupId}, user is ${userId}.`,
      )
  }
  return {
    async find(id) {
      await directories.seeGroup(id)
      return findGroup(store.read, id)
    },
    async list(ask, { userId } = {}) {
      await (userId === undefined ? directories.seeGroups(ask) : directories.seeGroupsOf(userId))
      let query = store.read.selectFrom('identity_group').selectAll().where('gone', '=', 0)
      if (userId !== undefined)
        query = query.where('id', 'in', (eb) => eb.selectFrom('identity_member').select('group_id').where('user_id', '=', userId))
      return mapPage(await page(query, groupListing, ask), groupOf)
    },
    async create(group) {
      await directories.assertWritable(group.domainId)
      return store.write(async (tx) => {
        existing(await findDomain(tx, group.domainId), 'domain', group.domainId)
        const row = { ...rowOf(group), ...ours, id: hexId(), created_at: clock.now() }
        await assertFreeName(tx, 'identity_group', 'group', row)
        await tx.insertInto('identity_group').values(row).execute()
        return groupOf(row)
      })
    },
    async update(id, change) {
      await assertOurs(id)
      return store.write(async (tx) => {
        const old = existing(await findGroup(tx, id), 'group', id)
        const next = { ...old, ...change, extra: merge(old.extra, change.extra ?? {}) }
        await assertFreeName(tx, 'identity_group', 'group', { id, ...rowOf(next) })
        await tx.updateTable('identity_group').set(rowOf(next)).where('id', '=', id).execute()
        return { ...next, name: next.name.trim() }
      })
    },
    async remove(id) {
      await assertOurs(id)
      await store.write(async (tx) => {
        existing(await findGroup(tx, id), 'group', id)
        await removeGroup(tx, id)
      })
    },
    async has(groupId, userId) {
      await directories.seeGroupsOf(userId)
      const query = store.read.selectFrom('identity_member').selectAll().where('group_id', '=', groupId)
      return (await query.where('user_id', '=', userId).executeTakeFirst()) !== undefined
    },
    async add(groupId, userId) {
      await assertOurs(groupId, userId)
      await store.write(async (tx) => {
        existing(await findGroup(tx, groupId), 'group', groupId)
        await tx
          .insertInto('identity_member')
          .values({ group_id: groupId, user_id: userId })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      })
    },
    async leave(groupId, userId) {
      await assertOurs(groupId)
      await store.write(async (tx) => {
        const left = await tx
          .deleteFrom('identity_member')
          .where('group_id', '=', groupId)
          .where('user_id', '=', userId)
          .executeTakeFirst()
        if (left.numDeletedRows === 0n) throw notInGroup(groupId, userId)
      })
    },
  }
}

export const notInGroup = (groupId: string, userId: string): Problem =>
  new Problem('not-found', `Could not find user ${userId} in group ${groupId}.`)

const rowOf = (group: Omit<Group, 'id'>) => ({
  name: group.name.trim(),
  domain_id: group.domainId,
  description: group.description,
  extra: toJson(group.extra),
})
