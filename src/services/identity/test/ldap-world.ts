import type { TestContext } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { type MemoryDirectory, type MemoryEntry, memoryDirectory } from '../../../drivers/directory/index.ts'
import { silentLog } from '../../../kit/log.ts'
import { type IdentityCloud, identityCloud } from './signing-in.ts'

const people = 'ou=people,dc=corp'
const teams = 'ou=teams,dc=corp'

export const person = (uid: string, more: Partial<MemoryEntry> = {}): MemoryEntry => ({
  dn: `uid=${uid},${people}`,
  objectClass: ['inetOrgPerson', 'person'],
  uid,
  sn: uid,
  mail: `${uid}@corp.example`,
  password: `${uid}-pw`,
  ...more,
})

export const team = (cn: string, members: string[], more: Partial<MemoryEntry> = {}): MemoryEntry => ({
  dn: `cn=${cn},${teams}`,
  objectClass: 'groupOfNames',
  cn,
  description: `the ${cn}`,
  member: members.map((uid) => `uid=${uid},${people}`),
  ...more,
})

export const ldapOptions = {
  url: 'ldap://ldap.corp.example',
  user: 'cn=cloud,dc=corp',
  password: 'swordfish',
  user_tree_dn: people,
  user_id_attribute: 'uid',
  user_name_attribute: 'uid',
  group_tree_dn: teams,
  group_name_attribute: 'cn',
}

export type LdapWorld = {
  cloud: IdentityCloud
  directory: MemoryDirectory
  domain: { id: string; name: string }
  config(options: Json): Promise<Json>
  users(query?: string): Promise<Json[]>
  user(name: string): Promise<Json>
  /** Entry of a person, to be changed. */
  entry(uid: string): MemoryEntry
}

/** A cloud with a domain `corp` whose people are in a directory. */
export async function ldapWorld(
  t: TestContext,
  {
    entries = [person('ann'), person('bob'), team('devs', ['ann']), team('ops', ['ann', 'bob'])],
    options = {} as Json,
    log = silentLog,
  } = {},
): Promise<LdapWorld> {
  const roots = [people, teams].map((dn) => ({ dn, objectClass: 'organizationalUnit' }))
  const directory = memoryDirectory([...roots, ...entries])
  const cloud = await identityCloud(t, { openDirectory: directory.open }, { log })
  const domain = await cloud.make('/domains', { domain: { name: 'corp' } })
  const config = async (more: Json) => {
    const body = { config: { identity: { driver: 'ldap' }, ldap: { ...ldapOptions, ...more } } }
    return cloud.admin.identity.put(`/domains/${domain.id}/config`, body)
  }
  await config(options)
  const users = async (query = '') =>
    (await cloud.admin.identity.get(`/users?domain_id=${domain.id}${query}`)).body.users as Json[]
  return {
    cloud,
    directory,
    domain,
    config,
    users,
    user: async (name) => (await users(`&name=${name}`))[0],
    entry: (uid) => directory.entries.find((one) => one['uid'] === uid)!,
  }
}
