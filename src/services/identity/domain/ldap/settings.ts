import { type DirectoryConnection, parseServers } from '../../../../drivers/directory/index.ts'
import { Problem } from '../../../../kit/errors.ts'
import { domainOptions } from '../domain-options.ts'

/** Where one kind of entry is found, and what says what of it. */
export type Tree = {
  base: string
  scope: 'one' | 'sub'
  pageSize: number
  /** As RFC 4515 writes it; none: undefined. */
  filter: string | undefined
  objectClass: string
  id: string
  name: string
  description: string | undefined
  /** Attribute of the directory to field of ours. */
  extra: [attribute: string, field: string][]
}

/** What says that somebody is enabled. */
export type EnabledRule =
  | { by: 'nothing' }
  /** The bit is set for who is disabled. */
  | { by: 'mask'; attribute: string; mask: number; missing: string }
  | { by: 'word'; attribute: string; invert: boolean; missing: string }
  /** Who is in this group is. */
  | { by: 'group'; dn: string; member: string; membersAreIds: boolean }

export type DirectorySettings = {
  connection: DirectoryConnection
  users: Tree & { mail: string | undefined; defaultProject: string | undefined; enabled: EnabledRule }
  groups: Tree & { member: string; membersAreIds: boolean }
}

type Options = Record<string, unknown>

const wrong = (option: string, what: string): Problem =>
  new Problem('unavailable', `The directory of this domain is not set up well: ldap.${option} ${what}.`)

/** Reads the options of group `ldap`, as they came or as texts, over the defaults. Throws unavailable, naming the option, never its value. */
export function directorySettings(given: Options): DirectorySettings {
  const options: Options = { ...domainOptions['ldap'], ...given }
  return { connection: connectionOf(options), users: usersOf(options), groups: groupsOf(options) }
}

function connectionOf(options: Options): DirectoryConnection {
  const servers = parseServers(text(options, 'url') ?? '', flag(options, 'use_tls'))
  if (!servers) throw wrong('url', 'is no list of ldap:// or ldaps:// addresses (with use_tls: of ldap:// ones)')
  const user = text(options, 'user')
  const password = text(options, 'password')
  // A name without a password would bind as nobody (RFC 4513, 5.1.2).
  if (user !== undefined && password === undefined) throw wrong('user', 'has no password')
  const check = word(options, 'tls_req_cert', ['demand', 'allow', 'never'])
  return {
    servers,
    bind: user === undefined ? undefined : { dn: user, password: password! },
    caFile: text(options, 'tls_cacertfile'),
    caFolder: text(options, 'tls_cacertdir'),
    verify: check === 'demand',
  }
}

function treeOf(options: Options, kind: 'user' | 'group', folder: string): Tree {
  const ignored = new Set(list(options, `${kind}_attribute_ignore`))
  return {
    base: text(options, `${kind}_tree_dn`) ?? `${folder},${text(options, 'suffix') ?? ''}`,
    scope: word(options, 'query_scope', ['one', 'sub']) as 'one' | 'sub',
    pageSize: whole(options, 'page_size'),
    filter: text(options, `${kind}_filter`),
    objectClass: needed(options, `${kind}_objectclass`),
    id: needed(options, `${kind}_id_attribute`),
    name: needed(options, `${kind}_name_attribute`),
    description: ignored.has('description')
      ? undefined
      : text(options, kind === 'user' ? 'user_description_attribute' : 'group_desc_attribute'),
    extra: list(options, `${kind}_additional_attribute_mapping`).map((pair) => mapping(kind, pair)),
  }
}

/** What is ours to say of a user or group, whatever a directory says. */
const ownFields = [
  'id',
  'name',
  'domain_id',
  'enabled',
  'links',
  'options',
  'password',
  'password_expires_at',
  'default_project_id',
]

function mapping(kind: string, pair: string): [string, string] {
  const [attribute = '', field = '', ...rest] = pair.split(':')
  if (attribute === '' || field === '' || rest.length > 0 || ownFields.includes(field))
    throw wrong(`${kind}_additional_attribute_mapping`, 'is not of the form attribute:field, with a field that is free')
  return [attribute, field]
}

function usersOf(options: Options): DirectorySettings['users'] {
  const tree = treeOf(options, 'user', 'ou=Users')
  const ignored = new Set(list(options, 'user_attribute_ignore'))
  const unless = (field: string, option: string) => (ignored.has(field) ? undefined : text(options, option))
  return {
    ...tree,
    mail: unless('email', 'user_mail_attribute'),
    defaultProject: unless('default_project_id', 'user_default_project_id_attribute'),
    enabled: ignored.has('enabled') ? { by: 'nothing' } : enabledRule(options, tree.base),
  }
}

function enabledRule(options: Options, base: string): EnabledRule {
  if (flag(options, 'user_enabled_emulation')) {
    const asGroups = flag(options, 'user_enabled_emulation_use_group_config')
    return {
      by: 'group',
      dn: text(options, 'user_enabled_emulation_dn') ?? `cn=enabled_users,${base}`,
      member: asGroups ? needed(options, 'group_member_attribute') : 'member',
      membersAreIds: asGroups && flag(options, 'group_members_are_ids'),
    }
  }
  const attribute = text(options, 'user_enabled_attribute')
  if (attribute === undefined) return { by: 'nothing' }
  const missing = text(options, 'user_enabled_default') ?? 'True'
  const mask = whole(options, 'user_enabled_mask')
  if (mask !== 0) return { by: 'mask', attribute, mask, missing }
  return { by: 'word', attribute, invert: flag(options, 'user_enabled_invert'), missing }
}

const groupsOf = (options: Options): DirectorySettings['groups'] => ({
  ...treeOf(options, 'group', 'ou=UserGroups'),
  member: needed(options, 'group_member_attribute'),
  membersAreIds: flag(options, 'group_members_are_ids'),
})

function text(options: Options, name: string): string | undefined {
  const value = options[name]
  if (value === null || value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw wrong(name, 'is no text')
}

function needed(options: Options, name: string): string {
  const value = text(options, name)
  if (value === undefined) throw wrong(name, 'is missing')
  return value
}

function word(options: Options, name: string, words: string[]): string {
  const value = needed(options, name).toLowerCase()
  if (!words.includes(value)) throw wrong(name, `is none of ${words.join(', ')}`)
  return value
}

function whole(options: Options, name: string): number {
  const value = Number(text(options, name) ?? 0)
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31) throw wrong(name, 'is no whole number')
  return value
}

function flag(options: Options, name: string): boolean {
  const value = (text(options, name) ?? 'false').toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  if (['false', '0', 'no', 'off'].includes(value)) return false
  throw wrong(name, 'is neither true nor false')
}

function list(options: Options, name: string): string[] {
  const value = options[name] ?? []
  const items = Array.isArray(value) ? value : String(value).split(',')
  if (!items.every((item) => typeof item === 'string')) throw wrong(name, 'is no list of texts')
  return items.map((item) => item.trim()).filter((item) => item !== '')
}
