import {
  type Directory,
  type DirectoryEntry,
  type DirectoryFilter,
  namedValue,
  normalDn,
} from '../../../../drivers/directory/index.ts'
import { isProblem } from '../../../../kit/errors.ts'
import { hexId } from '../../../../kit/ids.ts'
import type { Extra } from '../names.ts'
import { isEnabled } from './enabled.ts'
import type { DirectorySettings, Tree } from './settings.ts'

type Person = { localId: string; dn: string; name: string; extra: Extra }
export type DirectoryUser = Person & { enabled: boolean; defaultProjectId: string }
/** `members`: names of entries, or ids. */
export type DirectoryGroup = Person & { description: string; members: string[] }

/** Users and groups as a directory has them at this moment. */
export type People = {
  users(by: By): Promise<DirectoryUser[]>
  groups(by: By): Promise<DirectoryGroup[]>
  groupsOf(user: DirectoryUser): Promise<DirectoryGroup[]>
  /** Which of them are in the group. */
  membersAmong(group: DirectoryGroup, users: DirectoryUser[]): DirectoryUser[]
  check: Directory['check']
  /** A name that nobody has, where users have theirs. */
  nobody(): string
}

/** All of them, those of a name, or those with these ids. */
export type By = { name?: string; ids?: string[] }

/** As long as a filter may be for any server. */
const idsAtOnce = 50

export function openPeople(directory: Directory, { users, groups }: DirectorySettings): People {
  const search = async (tree: Tree, by: DirectoryFilter[], attributes: (string | undefined)[]): Promise<DirectoryEntry[]> =>
    directory.search({
      base: tree.base,
      scope: tree.scope,
      pageSize: tree.pageSize,
      filter: { is: 'all', of: [...whatever(tree), ...by] },
      attributes: [...new Set([...known(tree), ...attributes].filter((name) => name !== undefined))],
    })
  const searchBy = async (tree: Tree, { name, ids }: By, attributes: (string | undefined)[]) => {
    if (ids === undefined) return search(tree, name === undefined ? [] : [equal(tree.name, name)], attributes)
    const found: DirectoryEntry[] = []
    for (const some of chunks(ids, idsAtOnce))
      found.push(...(await search(tree, [{ is: 'any', of: some.map((id) => equal(tree.id, id)) }], attributes)))
    return found
  }
  const toGroups = (entries: DirectoryEntry[]): DirectoryGroup[] =>
    entries.flatMap((entry) => {
      const person = personOf(groups, entry)
      if (!person) return []
      const description = first(entry, groups.description) ?? ''
      return [{ ...person, description, members: entry.values[groups.member.toLowerCase()] ?? [] }]
    })
  /** Who is in the group that stands for being enabled; undefined: no such group is asked. */
  const enabledOnes = async (): Promise<Set<string> | undefined> => {
    const rule = users.enabled
    if (rule.by !== 'group') return undefined
    const filter: DirectoryFilter = { is: 'text', text: '(objectClass=*)' }
    const ask = { base: rule.dn, scope: 'base' as const, pageSize: 0, filter, attributes: [rule.member] }
    const found = await directory.search(ask).catch((error: unknown) => {
      if (isProblem(error, 'not-found')) return []
      throw error
    })
    const members = found.flatMap((entry) => entry.values[rule.member.toLowerCase()] ?? [])
    return new Set(rule.membersAreIds ? members : members.map(normalDn))
  }
  const enabledAttribute = 'attribute' in users.enabled ? users.enabled.attribute : undefined
  return {
    check: directory.check,
    nobody: () => `cn=${hexId()},${users.base}`,
    async users(by) {
      const entries = await searchBy(users, by, [users.mail, users.defaultProject, enabledAttribute])
      const enabled = entries.length > 0 ? await enabledOnes() : undefined
      const isListed = (person: Person) =>
        users.enabled.by === 'group' && enabled?.has(users.enabled.membersAreIds ? person.localId : normalDn(person.dn)) === true
      return entries.flatMap((entry) => {
        const person = personOf(users, entry)
        if (!person) return []
        const email = first(entry, users.mail)
        const description = first(entry, users.description)
        return [
          {
            ...person,
            extra: { ...person.extra, ...(email !== undefined && { email }), ...(description !== undefined && { description }) },
            enabled: users.enabled.by === 'group' ? isListed(person) : isEnabled(users.enabled, entry),
            defaultProjectId: first(entry, users.defaultProject) ?? '',
          },
        ]
      })
    },
    groups: async (by) => toGroups(await searchBy(groups, by, [groups.member])),
    async groupsOf(user) {
      const member = equal(groups.member, groups.membersAreIds ? user.localId : user.dn)
      return toGroups(await search(groups, [member], [groups.member]))
    },
    membersAmong(group, among) {
      const members = new Set(groups.membersAreIds ? group.members : group.members.map(normalDn))
      return among.filter((user) => members.has(groups.membersAreIds ? user.localId : normalDn(user.dn)))
    },
  }
}

const equal = (attribute: string, value: string): DirectoryFilter => ({ is: 'equal', attribute, value })

const whatever = ({ filter, objectClass }: Tree): DirectoryFilter[] => [
  equal('objectClass', objectClass),
  ...(filter === undefined ? [] : [{ is: 'text' as const, text: filter }]),
]

const known = ({ id, name, description, extra }: Tree) => [id, name, description, ...extra.map(([attribute]) => attribute)]

const first = ({ values }: DirectoryEntry, attribute: string | undefined): string | undefined =>
  attribute === undefined ? undefined : values[attribute.toLowerCase()]?.[0]

const most = 255

/** Undefined for what has no name, or nothing of its own to be known by. */
function personOf(tree: Tree, entry: DirectoryEntry): Person | undefined {
  const localId = idOf(tree, entry)
  const name = first(entry, tree.name)?.trim()
  if (localId === undefined || localId === '' || name === undefined || name === '' || name.length > most) return undefined
  const extra = tree.extra.flatMap(([attribute, field]) => {
    const value = first(entry, attribute)
    return value === undefined ? [] : [[field, value]]
  })
  return { localId, dn: entry.dn, name, extra: Object.fromEntries(extra) as Extra }
}

/** Of several values only the one in the entry's own name is sure to stay. */
function idOf({ id }: Tree, { dn, values }: DirectoryEntry): string | undefined {
  const found = values[id.toLowerCase()] ?? []
  return found.length === 1 ? found[0] : namedValue(dn, id)
}

const chunks = <T>(all: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
