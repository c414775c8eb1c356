import type { OpenDirectory } from '../../../../drivers/directory/index.ts'
import { type Clock, minute, second } from '../../../../kit/clock.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { PageAsk } from '../../../../kit/db/listing.ts'
import { Problem } from '../../../../kit/errors.ts'
import type { ByIdOrNameInDomain } from '../login.ts'
import type { SecretBox } from '../secret-box.ts'
import type { Store } from '../store.ts'
import { type Credentials, findCredentials } from '../user-credentials.ts'
import { as, type PeopleTable } from './lose.ts'
import { openMirror } from './mirror.ts'
import { type DirectoryGroup, type DirectoryUser, openPeople, type People } from './people.ts'
import { publicId } from './public-id.ts'
import { directorySettings } from './settings.ts'

/** So long a token is good without another look at who has it. */
export const trustedMicros = 5 * minute
/** So long nobody looks again at one user or group that is asked for by id. */
const freshMicros = 10 * second

const longestPassword = 4096

/**
 * Domains whose users and groups are in a directory, for reading only. Whoever reads rows of them looks first ("see"), which brings the rows up
 * to date. Everything here throws unavailable when the directory cannot be asked; other domains never notice.
 */
export type Directories = {
  /** Undefined: this domain's people are ours. `user` is undefined for whatever is wrong with who asks. */
  login(named: ByIdOrNameInDomain, password: string): Promise<{ user: Credentials | undefined } | undefined>
  /** Looks again at those who were not seen for too long, and at their groups. */
  confirm(userIds: string[]): Promise<void>
  seeUser(id: string): Promise<void>
  seeGroup(id: string): Promise<void>
  /** All of the domain the list is of, or the one it names. A list of all domains shows what was seen last. */
  seeUsers(list: PageAsk<string>): Promise<void>
  seeGroups(list: PageAsk<string>): Promise<void>
  seeGroupsOf(userId: string): Promise<void>
  seeMembersOf(groupId: string): Promise<void>
  /** Throws forbidden for a domain whose people are in a directory. */
  assertWritable(domainId: string): Promise<void>
}

export const readOnly = (): Problem => new Problem('forbidden', 'LDAP does not support write operations')

type Parts = { store: Store; box: SecretBox; clock: Clock; open: OpenDirectory }
type Known = { id: string; domain_id: string; local_id: string; seen_at: number }

export function openDirectories({ store, box, clock, open }: Parts): Directories {
  const { read } = store
  const mirror = openMirror(store, clock)

  const peopleOf = async (domainId: string): Promise<People | undefined> => {
    const rows = await read.selectFrom('identity_domain_option').selectAll().where('domain_id', '=', domainId).execute()
    const driver = rows.find((row) => row.group_name === 'identity' && row.option_name === 'driver')
    if (!driver || fromJson(driver.value) !== 'ldap') return undefined
    const options: Record<string, unknown> = {}
    for (const row of rows.filter(({ group_name: group }) => group === 'ldap'))
      options[row.option_name] = fromJson(row.sensitive === 0 ? row.value : await box.open(read, domainId, row.value))
    const settings = directorySettings(options)
    return openPeople(open(settings.connection), settings)
  }

  const knownIn = async (table: PeopleTable, id: string): Promise<Known | undefined> =>
    read
      .selectFrom(as(table))
      .select(['id', 'domain_id', 'local_id', 'seen_at'])
      .where('id', '=', id)
      .where('local_id', '!=', '')
      .executeTakeFirst()

  const seeAgain = async (known: Known, people: People): Promise<DirectoryUser | undefined> => {
    const seen = await byIds([known.local_id], (ids) => people.users({ ids }))
    await mirror.users({
      domainId: known.domain_id,
      seen,
      gone: seen.length === 0 ? [known.id] : [],
      namesAreSure: false,
    })
    return seen[0]
  }
  const seeTheirGroups = async (domainId: string, user: DirectoryUser, people: People): Promise<void> => {
    const groups = await people.groupsOf(user)
    await mirror.groups({ domainId, seen: groups, gone: [], namesAreSure: false })
    await mirror.groupsOf(publicId(domainId, 'user', user.localId), idsOf(domainId, 'group', groups))
  }
  const isFresh = ({ seen_at: at }: Known, micros: number): boolean => at + micros > clock.now()
  /** With the directory to ask, when it is time to. */
  const toSee = async (table: PeopleTable, id: string, micros: number) => {
    const known = await knownIn(table, id)
    if (!known || isFresh(known, micros)) return undefined
    const people = await peopleOf(known.domain_id)
    return people && { known, people }
  }

  const seeWhole = async (id: string, micros: number): Promise<void> => {
    const due = await toSee('identity_user', id, micros)
    const user = due && (await seeAgain(due.known, due.people))
    if (due && user) await seeTheirGroups(due.known.domain_id, user, due.people)
  }
  /** Requests of one user come in crowds: one look is enough for all of them. */
  const looking = new Map<string, Promise<void>>()

  const absent = async (table: PeopleTable, domainId: string, name: string | undefined, seen: string[]) => {
    let query = read
      .selectFrom(as(table))
      .select(['id', 'local_id'])
      .where('domain_id', '=', domainId)
      .where('local_id', '!=', '')
      .where('gone', '=', 0)
    if (name !== undefined) query = query.where('name', '=', name)
    const here = new Set(seen)
    return (await query.execute()).filter((row) => !here.has(row.id))
  }
  /** Who is missing is asked for by id before it counts as gone. */
  const seeUsersOf = async (domainId: string, people: People, name?: string): Promise<DirectoryUser[]> => {
    const found = await people.users(name === undefined ? {} : { name })
    const missing = await absent('identity_user', domainId, name, idsOf(domainId, 'user', found))
    const again = await byIds(
      missing.map((row) => row.local_id),
      (ids) => people.users({ ids }),
    )
    const back = new Set(again.map((user) => user.localId))
    const gone = missing.filter((row) => !back.has(row.local_id)).map((row) => row.id)
    await mirror.users({ domainId, seen: [...found, ...again], gone, namesAreSure: true })
    return found
  }
  const seeGroupsIn = async (domainId: string, people: People, name?: string): Promise<void> => {
    const found = await people.groups(name === undefined ? {} : { name })
    const missing = await absent('identity_group', domainId, name, idsOf(domainId, 'group', found))
    const again = await byIds(
      missing.map((row) => row.local_id),
      (ids) => people.groups({ ids }),
    )
    const back = new Set(again.map((group) => group.localId))
    const gone = missing.filter((row) => !back.has(row.local_id)).map((row) => row.id)
    await mirror.groups({ domainId, seen: [...found, ...again], gone, namesAreSure: true })
  }

  const domainOf = async ({ id, domain }: ByIdOrNameInDomain): Promise<{ domainId: string; localId?: string } | undefined> => {
    if (id !== undefined) {
      const known = await knownIn('identity_user', id)
      return known && { domainId: known.domain_id, localId: known.local_id }
    }
    const found = await read
      .selectFrom('identity_project')
      .select('id')
      .where('is_domain', '=', 1)
      .where(domain?.id !== undefined ? 'id' : 'name', '=', domain?.id ?? domain?.name ?? '')
      .executeTakeFirst()
    return found && { domainId: found.id }
  }
  const candidates = (people: People, name: string | undefined, localId: string | undefined) =>
    localId === undefined ? people.users({ name: name ?? '' }) : byIds([localId], (ids) => people.users({ ids }))

  return {
    async login(named, password) {
      const where = await domainOf(named)
      const people = where && (await peopleOf(where.domainId))
      if (!where || !people) return undefined
      const { domainId, localId } = where
      if (password === '' || password.length > longestPassword) return { user: undefined }
      const [user, ...others] = await candidates(people, named.name, localId)
      // Of two with one name it is neither. The directory is asked once more whoever it is, so that the time tells nothing.
      const one = others.length === 0 ? user : undefined
      const isRight = await people.check(one?.dn ?? people.nobody(), password)
      if (!one || !isRight) return { user: undefined }
      await mirror.users({ domainId, seen: [one], gone: [], namesAreSure: localId === undefined })
      await seeTheirGroups(domainId, one, people)
      const found = await findCredentials(read, { id: publicId(domainId, 'user', one.localId) })
      return { user: found?.enabled ? found : undefined }
    },
    async confirm(userIds) {
      for (const id of userIds) {
        const look = looking.get(id) ?? seeWhole(id, trustedMicros).finally(() => looking.delete(id))
        looking.set(id, look)
        await look
      }
    },
    async seeUser(id) {
      const due = await toSee('identity_user', id, freshMicros)
      if (due) await seeAgain(due.known, due.people)
    },
    async seeGroup(id) {
      const due = await toSee('identity_group', id, freshMicros)
      if (!due) return
      const { known, people } = due
      const seen = await byIds([known.local_id], (ids) => people.groups({ ids }))
      const gone = seen.length === 0 ? [known.id] : []
      await mirror.groups({ domainId: known.domain_id, seen, gone, namesAreSure: false })
    },
    async seeUsers(list) {
      const domainId = only(list, 'domain_id')
      const people = domainId === undefined ? undefined : await peopleOf(domainId)
      if (people) await seeUsersOf(domainId!, people, only(list, 'name'))
    },
    async seeGroups(list) {
      const domainId = only(list, 'domain_id')
      const people = domainId === undefined ? undefined : await peopleOf(domainId)
      if (people) await seeGroupsIn(domainId!, people, only(list, 'name'))
    },
    seeGroupsOf: (userId) => seeWhole(userId, 0),
    async seeMembersOf(groupId) {
      const due = await toSee('identity_group', groupId, 0)
      if (!due) return
      const { known, people } = due
      const [group] = await byIds([known.local_id], (ids) => people.groups({ ids }))
      const users = group ? await seeUsersOf(known.domain_id, people) : []
      const members = group ? people.membersAmong(group, users) : []
      await mirror.membersOf(groupId, idsOf(known.domain_id, 'user', members))
    },
    async assertWritable(domainId) {
      if (await peopleOf(domainId)) throw readOnly()
    },
  }
}

/** Exactly these: a directory may take ids for the same that are not. */
async function byIds<Person extends { localId: string }>(
  ids: string[],
  load: (ids: string[]) => Promise<Person[]>,
): Promise<Person[]> {
  const wanted = new Set(ids)
  return ids.length === 0 ? [] : (await load(ids)).filter(({ localId }) => wanted.has(localId))
}

const idsOf = (domainId: string, kind: 'user' | 'group', people: (DirectoryUser | DirectoryGroup)[]): string[] =>
  people.map(({ localId }) => publicId(domainId, kind, localId))

/** The one value a list asks of a column. */
function only({ filters }: PageAsk<string>, column: string): string | undefined {
  const found = filters.filter((filter) => filter.column === column && filter.op === '=')
  const values = new Set(found.flatMap((filter) => filter.values))
  return found.length > 0 && values.size === 1 ? String([...values][0]) : undefined
}
