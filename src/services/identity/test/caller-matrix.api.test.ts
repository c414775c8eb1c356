import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Client } from '../../../../test/cloud.ts'
import { isPersonal, nameOf, openProber, readsOf, writesOf } from './probing.ts'
import { adminProject, type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

/** What a domain's manager may write in the own domain; `roles` are those that may be handed out by managers. */
const managed = new Set([
  'POST /users',
  'PATCH /users/{user_id}',
  'DELETE /users/{user_id}',
  'POST /groups',
  'PATCH /groups/{group_id}',
  'DELETE /groups/{group_id}',
  'PUT /groups/{group_id}/users/{user_id}',
  'DELETE /groups/{group_id}/users/{user_id}',
  'POST /projects',
  'PATCH /projects/{project_id}',
  'DELETE /projects/{project_id}',
  'PUT /projects/{project_id}/tags',
  'DELETE /projects/{project_id}/tags',
  'PUT /projects/{project_id}/tags/{value}',
  'DELETE /projects/{project_id}/tags/{value}',
  ...['users/{user_id}', 'groups/{group_id}'].flatMap((actor) =>
    ['projects/{project_id}', 'domains/{domain_id}'].flatMap((place) => [
      `PUT /${place}/${actor}/roles/{role_id}`,
      `DELETE /${place}/${actor}/roles/{role_id}`,
      `PUT /OS-INHERIT/${place}/${actor}/roles/{role_id}/inherited_to_projects`,
      `DELETE /OS-INHERIT/${place}/${actor}/roles/{role_id}/inherited_to_projects`,
    ]),
  ),
])

type Kind = { name: string; may(endpoint: string): boolean; open(world: World): Promise<Client> }
type World = { cloud: IdentityCloud; domain: string }

const all = () => true
const none = () => false

/** A user of the domain with a role on the domain, or on a project in it. */
const inDomain =
  (role: string, place: 'domain' | 'project', scoped = true) =>
  async ({ cloud, domain }: World) => {
    const name = `${role}-${place}`
    const { users } = (await cloud.admin.identity.get(`/users?name=${name}`)).body
    const user = users[0] ?? (await cloud.make('/users', { user: { name, domain_id: domain, password: 'pw' } }))
    const project = (await cloud.admin.identity.get(`/projects?domain_id=${domain}&name=home`)).body.projects[0]
    const id = place === 'domain' ? domain : project.id
    await cloud.admin.identity.put(`/${place}s/${id}/users/${user.id}/roles/${await cloud.roleId(role)}`)
    return cloud.signIn({ id: user.id, password: 'pw', ...(scoped && { scope: { [place]: { id } } }) })
  }

const onSystem =
  (role: string) =>
  async ({ cloud, domain }: World) => {
    const user = await cloud.make('/users', { user: { name: `system-${role}`, domain_id: domain, password: 'pw' } })
    await cloud.admin.identity.put(`/system/users/${user.id}/roles/${await cloud.roleId(role)}`)
    return cloud.signIn({ id: user.id, password: 'pw', scope: { system: { all: true } } })
  }

const kinds: Kind[] = [
  { name: 'admin by password', may: all, open: ({ cloud }) => cloud.signIn() },
  {
    name: 'admin by token',
    may: all,
    async open({ cloud }) {
      const { token } = await cloud.signIn()
      return cloud.withToken((await cloud.rescope(token, adminProject)).headers['x-subject-token'])
    },
  },
  { name: 'admin without scope', may: none, open: ({ cloud }) => cloud.signIn({}) },
  { name: 'admin of the system', may: all, open: ({ cloud }) => cloud.signIn({ scope: { system: { all: true } } }) },
  { name: 'member of the system', may: none, open: onSystem('member') },
  { name: 'reader of the system', may: none, open: onSystem('reader') },
  { name: 'manager of the domain', may: (one) => managed.has(one), open: inDomain('manager', 'domain') },
  { name: 'member of the domain', may: none, open: inDomain('member', 'domain') },
  { name: 'reader of the domain', may: none, open: inDomain('reader', 'domain') },
  { name: 'manager of a project', may: none, open: inDomain('manager', 'project') },
  { name: 'member of a project', may: none, open: inDomain('member', 'project') },
  { name: 'manager of the domain without scope', may: none, open: inDomain('manager', 'domain', false) },
]

async function newWorld(cloud: IdentityCloud): Promise<World> {
  const { id } = await cloud.make('/domains', { domain: { name: `d-${randomUUID()}` } })
  await cloud.make('/projects', { project: { name: 'home', domain_id: id } })
  return { cloud, domain: id }
}

for (const kind of kinds) {
  test(`${kind.name}: every write endpoint allows or refuses as expected`, async (t) => {
    const cloud = await identityCloud(t)
    const world = await newWorld(cloud)
    const client = await kind.open(world)
    const foreign = (await cloud.make('/domains', { domain: { name: 'foreign' } })).id
    const [here, elsewhere] = [openProber(cloud, world), openProber(cloud, { domain: foreign })]
    const wrong: string[] = []
    for (const endpoint of writesOf(cloud).filter((one) => !isPersonal(one))) {
      const name = nameOf(endpoint)
      const allowed = await here.may(client, endpoint)
      if (allowed !== kind.may(name)) wrong.push(`${name}: ${allowed ? 'allowed' : 'refused'}`)
      // In somebody else's domain only those may write who may everywhere.
      const there = await elsewhere.may(client, endpoint)
      if (there !== (kind.may === all)) wrong.push(`${name} elsewhere: ${there ? 'allowed' : 'refused'}`)
    }
    assert.deepEqual(wrong, [])
  })
}

/** What every token may read. */
const open = new Set([
  'GET /regions',
  'GET /regions/{region_id}',
  'GET /registered_limits',
  'GET /registered_limits/{registered_limit_id}',
  'GET /limits/model',
  'GET /limits',
  'GET /domains/{domain_id}/config/security_compliance',
  'GET /domains/{domain_id}/config/security_compliance/{option}',
])

/** What a domain's readers read in it. */
const readInDomain = new Set([
  'GET /users',
  'GET /users/{user_id}',
  'GET /users/{user_id}/projects',
  'GET /users/{user_id}/groups',
  'GET /groups',
  'GET /groups/{group_id}',
  'GET /groups/{group_id}/users',
  'GET /groups/{group_id}/users/{user_id}',
  'GET /projects',
  'GET /projects/{project_id}',
  'GET /projects/{project_id}/tags',
  'GET /projects/{project_id}/tags/{value}',
  'GET /domains',
  'GET /domains/{domain_id}',
  'GET /role_assignments',
  'GET /limits/{limit_id}',
  ...['users/{user_id}', 'groups/{group_id}'].flatMap((actor) => [
    ...['projects/{project_id}', 'domains/{domain_id}'].flatMap((place) => [
      `GET /${place}/${actor}/roles`,
      `GET /${place}/${actor}/roles/{role_id}`,
      `GET /OS-INHERIT/${place}/${actor}/roles/{role_id}/inherited_to_projects`,
    ]),
    `GET /OS-INHERIT/domains/{domain_id}/${actor}/roles/inherited_to_projects`,
  ]),
])

/** Whom Keystone's published defaults let read what; `everywhere`: in any domain. */
const reading: Record<string, { everywhere?: true; may(endpoint: string): boolean }> = {
  'admin by password': { everywhere: true, may: all },
  'admin of the system': { everywhere: true, may: all },
  'reader of the system': { everywhere: true, may: (one) => one !== 'GET /OS-REVOKE/events' },
  'manager of the domain': { may: (one) => readInDomain.has(one) || one === 'GET /roles' },
  'reader of the domain': { may: (one) => readInDomain.has(one) },
  'manager of a project': { may: (one) => one === 'GET /domains/{domain_id}' },
  'member of a project': { may: (one) => one === 'GET /domains/{domain_id}' },
  'manager of the domain without scope': { may: none },
}

for (const [name, { everywhere, may }] of Object.entries(reading)) {
  test(`${name}: every endpoint that shows something of others allows or refuses as expected`, async (t) => {
    const cloud = await identityCloud(t)
    const world = await newWorld(cloud)
    const client = await kinds.find((kind) => kind.name === name)!.open(world)
    const foreign = (await cloud.make('/domains', { domain: { name: 'foreign' } })).id
    const [here, elsewhere] = [openProber(cloud, world), openProber(cloud, { domain: foreign })]
    const wrong: string[] = []
    for (const endpoint of readsOf(cloud).filter((one) => !isPersonal(one))) {
      const title = nameOf(endpoint)
      const expected = open.has(title) || may(title)
      if ((await here.may(client, endpoint)) !== expected) wrong.push(`${title}: ${expected ? 'refused' : 'allowed'}`)
      // A list without a domain in its path is of the own one.
      const there = open.has(title) || (may(title) && (everywhere === true || !title.includes('{')))
      if ((await elsewhere.may(client, endpoint)) !== there) wrong.push(`${title} elsewhere: ${there ? 'refused' : 'allowed'}`)
    }
    assert.deepEqual(wrong, [])
  })
}

test('what people have for themselves is read by them, by readers of the system and, but for access rules, by administrators', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const [ann, bob] = [await newMember(cloud), await newMember(cloud, { name: 'bob' })]
  const client = await cloud.signIn(ann.sign)
  const owner = { id: ann.user.id, client, projectId: ann.project.id, trusteeId: bob.user.id }
  const prober = openProber(cloud, { domain: 'default', owner })
  const isRule = (name: string) => name.includes('access_rules')
  const isTrust = (name: string) => name.includes('OS-TRUST')
  const isList = (name: string) => name === 'GET /credentials'
  const readers: Record<string, { client: Client; may(endpoint: string): boolean }> = {
    owner: { client, may: all },
    'admin by password': { client: await cloud.signIn(), may: (one) => !isRule(one) },
    'reader of the system': { client: await onSystem('reader')(world), may: all },
    // What a list of credentials shows is the caller's own.
    trustee: { client: await cloud.signIn(bob.sign), may: (one) => isTrust(one) || isList(one) },
    'reader of a domain': { client: await inDomain('reader', 'domain')(world), may: isList },
    'member of a project': { client: await inDomain('member', 'project')(world), may: isList },
  }
  const wrong: string[] = []
  const personal = readsOf(cloud).filter(isPersonal)
  for (const endpoint of personal)
    for (const [who, { client, may }] of Object.entries(readers))
      if ((await prober.may(client, endpoint)) !== may(nameOf(endpoint))) wrong.push(`${who}: ${nameOf(endpoint)}`)
  assert.deepEqual(wrong, [])
  assert.equal(personal.length, 11)
})

test('a token revokes itself, whatever its scope, and no other user’s', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const { token: other } = await cloud.signIn()
  for (const kind of kinds.filter(({ may }) => may === none)) {
    const client = (await kind.open(world)) as Client & { token: string }
    const isAdmin = kind.name.startsWith('admin')
    const revoke = (subject: string) => client.identity.delete('/auth/tokens', { headers: { 'x-subject-token': subject } })
    if (!isAdmin) assert.equal((await revoke(other)).status, 403, kind.name)
    assert.equal((await revoke(client.token)).status, 204, kind.name)
  }
})

test('a manager of a domain hands out manager, member and reader, never admin or a role of somebody’s own', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const manager = await inDomain('manager', 'domain')(world)
  const user = await cloud.make('/users', { user: { name: 'ann', domain_id: world.domain } })
  const own = await cloud.make('/roles', { role: { name: 'auditor' } })
  const grant = async (roleId: string) =>
    (await manager.identity.put(`/domains/${world.domain}/users/${user.id}/roles/${roleId}`)).status
  for (const name of ['manager', 'member', 'reader']) assert.equal(await grant(await cloud.roleId(name)), 204, name)
  for (const name of ['admin', 'service']) assert.equal(await grant(await cloud.roleId(name)), 403, name)
  assert.equal(await grant(own.id), 403)
})

test('CVE-2026-42999: nothing that is added to a body widens what its sender may do', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const manager = await inDomain('manager', 'domain')(world)
  const foreign = await cloud.make('/domains', { domain: { name: 'foreign' } })
  const victim = await cloud.make('/users', { user: { name: 'victim', domain_id: foreign.id } })
  const lie = { domain_id: world.domain, user_id: manager.caller.userId, project_id: 'x', id: victim.id }
  const target = { user: lie, project: lie, token: { user_id: victim.id }, domain: { id: world.domain } }
  const bodies = [
    { user: { name: 'x', ...lie } },
    { user: { name: 'x' }, ...lie, target, 'target.user.domain_id': world.domain },
    { user: { name: 'x', target }, 'target.user.id': victim.id, is_admin: 1, system_scope: 'all' },
  ]
  for (const body of bodies) assert.equal((await manager.identity.patch(`/users/${victim.id}`, body)).status, 403)
  const elsewhere = { user: { name: 'y', domain_id: foreign.id, 'target.user.domain_id': world.domain }, target }
  assert.equal((await manager.identity.post('/users', elsewhere)).status, 403)
})

test('a manager of a domain brings in nobody from elsewhere, and sends nobody there', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const manager = await inDomain('manager', 'domain')(world)
  const foreign = (await cloud.make('/domains', { domain: { name: 'foreign' } })).id
  const ids = async (domain: string) => ({
    user: (await cloud.make('/users', { user: { name: 'ann', domain_id: domain } })).id,
    group: (await cloud.make('/groups', { group: { name: 'crew', domain_id: domain } })).id,
    project: (await cloud.make('/projects', { project: { name: 'p', domain_id: domain } })).id,
  })
  const [own, other] = [await ids(world.domain), await ids(foreign)]
  const member = await cloud.roleId('member')
  for (const path of [
    `/projects/${own.project}/users/${other.user}/roles/${member}`,
    `/projects/${other.project}/users/${own.user}/roles/${member}`,
    `/domains/${world.domain}/groups/${other.group}/roles/${member}`,
    `/domains/${foreign}/groups/${own.group}/roles/${member}`,
    `/system/users/${own.user}/roles/${member}`,
    `/groups/${own.group}/users/${other.user}`,
    `/groups/${other.group}/users/${own.user}`,
  ])
    assert.equal((await manager.identity.put(path)).status, 403, path)
  assert.equal((await manager.identity.put(`/projects/${own.project}/users/${own.user}/roles/${member}`)).status, 204)
  assert.equal((await manager.identity.put(`/groups/${own.group}/users/${own.user}`)).status, 204)
})
