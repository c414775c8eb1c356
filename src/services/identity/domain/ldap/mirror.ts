import type { Clock } from '../../../../kit/clock.ts'
import { fromBit, toBit, toJson } from '../../../../kit/db/columns.ts'
import type { IdentityTx } from '../../tables.ts'
import { revoke } from '../revocations.ts'
import type { Store } from '../store.ts'
import { as, lose, type PeopleTable } from './lose.ts'
import type { DirectoryGroup, DirectoryUser } from './people.ts'
import { publicId } from './public-id.ts'

/** One look at a directory: who was seen, and the ids of those who were looked for and are not there any more. */
export type Sight<Person> = {
  domainId: string
  seen: Person[]
  gone: string[]
  /** Nobody else has the names of those seen, for all who might were asked for. */
  namesAreSure: boolean
}

/**
 * Rows of those who are in directories, as they were last seen, so that roles, tokens and lists are the same for all. They are never removed, only
 * *gone*: nameless and disabled, for a directory that was set up wrongly for a minute must not cost everybody's roles.
 */
export type Mirror = {
  users(sight: Sight<DirectoryUser>): Promise<void>
  groups(sight: Sight<DirectoryGroup>): Promise<void>
  /** The groups of a directory that a user is in. */
  groupsOf(userId: string, groupIds: string[]): Promise<void>
  membersOf(groupId: string, userIds: string[]): Promise<void>
}

/** What a directory says, in our columns; both tables have those that are used here by name. */
type Row = { id: string; name: string; local_id: string; enabled?: number } & Record<string, string | number>

const rowsAtOnce = 200

export function openMirror(store: Store, clock: Clock): Mirror {
  const known = async (table: PeopleTable, ids: string[]): Promise<Map<string, Row>> => {
    const found = new Map<string, Row>()
    for (const some of chunks(ids)) {
      const rows = await store.read.selectFrom(as(table)).selectAll().where('id', 'in', some).execute()
      for (const row of rows) found.set(row.id, row)
    }
    return found
  }

  const settle = async (table: PeopleTable, rows: Row[], { domainId, gone, namesAreSure }: Sight<unknown>) => {
    const old = await known(table, [...rows.map((row) => row.id), ...gone])
    const changed = rows.filter((row) => isChanged(old.get(row.id), row))
    const lost = gone.filter((id) => old.get(id)?.['gone'] === 0)
    const at = clock.now()
    const note = async (tx: IdentityTx) => {
      for (const ids of chunks([...rows.map((row) => row.id), ...gone]))
        await tx.updateTable(as(table)).set({ seen_at: at }).where('id', 'in', ids).execute()
    }
    if (changed.length + lost.length === 0) return store.note(note)
    await store.write(async (tx) => {
      for (const id of lost) await lose(tx, table, id, clock)
      for (const row of changed) await makeRoom(tx, table, { ...row, domainId }, namesAreSure)
      for (const some of chunks(changed)) await insert(tx, table, domainId, some)
      const disabled = changed.filter((row) => row.enabled === 0 && old.get(row.id)?.enabled === 1)
      for (const { id } of disabled) await revoke(tx, { userId: id }, clock)
      await note(tx)
    })
  }

  /** Names are unique: who has this one lost it to the other, or has it still, and then nobody can tell the two apart by it. */
  const makeRoom = async (tx: IdentityTx, table: PeopleTable, row: Row & { domainId: string }, isSure: boolean) => {
    await tx.updateTable(as(table)).set({ name: row.id }).where('id', '=', row.id).execute()
    const rivals = tx.selectFrom(as(table)).select('id').where('domain_id', '=', row.domainId).where('name', '=', row.name)
    for (const { id } of await rivals.where('id', '!=', row.id).execute()) {
      if (isSure) await lose(tx, table, id, clock)
      else row.name = row.id
    }
  }

  const insert = async (tx: IdentityTx, table: PeopleTable, domainId: string, rows: Row[]) => {
    const fixed = table === 'identity_user' ? noPassword : {}
    const values = rows.map((row) => ({ ...fixed, ...row, domain_id: domainId, gone: 0, seen_at: 0, created_at: clock.now() }))
    const columns = Object.keys(rows[0]!).filter((column) => column !== 'id')
    await tx
      .insertInto(as(table))
      .values(values as never)
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((eb) =>
            Object.fromEntries([...columns, 'gone'].map((column) => [column, eb.ref(`excluded.${column}` as 'excluded.name')])),
          ),
      )
      .execute()
  }

  const members = async (by: 'user_id' | 'group_id', id: string, ids: string[]) => {
    const other = by === 'user_id' ? 'group_id' : 'user_id'
    const rows = await store.read
      .selectFrom('identity_member')
      .innerJoin('identity_group as team', 'team.id', 'identity_member.group_id')
      .select(['user_id', 'group_id'])
      .where(by, '=', id)
      .where('team.local_id', '!=', '')
      .execute()
    const had = rows.map((row) => row[other])
    const [left, joined] = [had.filter((one) => !ids.includes(one)), ids.filter((one) => !had.includes(one))]
    if (left.length + joined.length === 0) return
    await store.write(async (tx) => {
      for (const some of chunks(left))
        await tx.deleteFrom('identity_member').where(by, '=', id).where(other, 'in', some).execute()
      for (const some of chunks(joined))
        await tx
          .insertInto('identity_member')
          .values(some.map((one) => ({ [by]: id, [other]: one }) as { user_id: string; group_id: string }))
          .onConflict((conflict) => conflict.doNothing())
          .execute()
    })
  }

  return {
    users: (sight) =>
      settle(
        'identity_user',
        apart(sight.seen).map((user) => userRow(sight.domainId, user)),
        sight,
      ),
    groups: (sight) =>
      settle(
        'identity_group',
        apart(sight.seen).map((group) => groupRow(sight.domainId, group)),
        sight,
      ),
    groupsOf: (userId, groupIds) => members('user_id', userId, groupIds),
    membersOf: (groupId, userIds) => members('group_id', groupId, userIds),
  }
}

const noPassword = {
  password_hash: '',
  password_expires_at: 0,
  password_created_at: 0,
  password_self_service: 0,
  failed_count: 0,
  failed_at: 0,
  last_active_at: 0,
  options: '{}',
}

const userRow = (domainId: string, user: DirectoryUser): Row => ({
  id: publicId(domainId, 'user', user.localId),
  name: user.name,
  enabled: toBit(user.enabled),
  default_project_id: user.defaultProjectId,
  extra: toJson(user.extra),
  local_id: user.localId,
})

const groupRow = (domainId: string, group: DirectoryGroup): Row => ({
  id: publicId(domainId, 'group', group.localId),
  name: group.name,
  description: group.description,
  extra: toJson(group.extra),
  local_id: group.localId,
})

function isChanged(old: Row | undefined, row: Row): boolean {
  if (!old || fromBit(old['gone'] as number)) return true
  return Object.entries(row).some(([column, value]) => old[column] !== value)
}

/** Without those who share a name, or an id: as long as they do, what was known of them stays. */
function apart<Person extends { localId: string; name: string }>(people: Person[]): Person[] {
  const count = (of: (person: Person) => string) => {
    const counts = new Map<string, number>()
    for (const person of people) counts.set(of(person), (counts.get(of(person)) ?? 0) + 1)
    return (person: Person) => counts.get(of(person)) === 1
  }
  const [named, known] = [count(({ name }) => name.toLowerCase()), count(({ localId }) => localId)]
  return people.filter((person) => named(person) && known(person))
}

const chunks = <T>(all: T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / rowsAtOnce) }, (_, at) => all.slice(at * rowsAtOnce, (at + 1) * rowsAtOnce))
