import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

const namesIn = async (cloud: IdentityCloud, query: string) =>
  (await cloud.admin.identity.get(`/users?${query}`)).body.users.map((user: Json) => user.name)

test('a user is made, shown, changed and deleted, with what clients add of their own', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const made = await identity.post('/users', {
    user: { name: 'ann', password: 'pw', email: 'ann@example.org', description: 'first', options: { lock_password: true } },
  })
  assert.equal(made.status, 201)
  const { id, links, ...rest } = made.body.user
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.equal(links.self, `http://localhost:80/v3/users/${id}`)
  assert.deepEqual(rest, {
    email: 'ann@example.org',
    description: 'first',
    name: 'ann',
    domain_id: 'default',
    enabled: true,
    options: { lock_password: true },
    password_expires_at: null,
  })
  assert.deepEqual((await identity.get(`/users/${id}`)).body, made.body)
  const changed = await identity.patch(`/users/${id}`, { user: { name: 'anna', email: null, options: { lock_password: null } } })
  assert.equal(changed.status, 200)
  assert.deepEqual([changed.body.user.name, changed.body.user.email, changed.body.user.options], ['anna', undefined, {}])
  assert.equal((await identity.delete(`/users/${id}`)).status, 204)
  const gone = await identity.get(`/users/${id}`)
  assert.deepEqual([gone.status, gone.body.error.message], [404, `Could not find user: ${id}.`])
})

test('what is wrong with a user is said, and nothing changes', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { id } = await cloud.make('/users', { user: { name: 'ann' } })
  await cloud.make('/users', { user: { name: 'bob' } })
  const cases: [Promise<Json>, number, RegExp][] = [
    [identity.post('/users', { user: { name: 'ann' } }), 409, /Duplicate entry found with name ann at domain ID default/],
    [identity.post('/users', { user: {} }), 400, /'name' is a required property/],
    [identity.post('/users', {}), 400, /'user' is a required property/],
    [identity.post('/users', { user: { name: '' } }), 400, /Invalid input for field 'name': '' is too short/],
    [identity.post('/users', { user: { name: '  ' } }), 400, /does not match/],
    [identity.post('/users', { user: { name: 5 } }), 400, /Invalid input for field 'name': 5 is not of type 'string'/],
    [identity.post('/users', { user: { name: 'x', enabled: 'True' } }), 400, /'True' is not of type 'boolean'/],
    [identity.post('/users', { user: { name: 'x', options: { dance: true } } }), 400, /'dance' was unexpected/],
    [identity.post('/users', { user: { name: 'x', domain_id: 'nowhere' } }), 404, /Could not find domain: nowhere/],
    [identity.post('/users', { user: { name: 'x', default_project_id: 'default' } }), 400, /cannot be a domain ID/],
    [identity.post('/users', { user: { name: 'x', password: 'p'.repeat(4097) } }), 403, /password length/],
    [identity.patch(`/users/${id}`, { user: {} }), 400, /^Invalid input for field|\{\} does not have enough properties/],
    [identity.patch(`/users/${id}`, { user: { name: 'bob' } }), 409, /Duplicate entry/],
    [identity.patch(`/users/${id}`, { user: { id: 'other' } }), 400, /Cannot change ID/],
    [identity.patch(`/users/${id}`, { user: { domain_id: 'other' } }), 400, /Cannot change Domain ID/],
  ]
  for (const [answer, status, message] of cases) {
    const { body, ...rest } = await answer
    assert.deepEqual([rest.status, body.error.code], [status, status], JSON.stringify(body))
    assert.match(body.error.message, message)
  }
  assert.equal((await identity.patch(`/users/${id}`, { user: { name: ' bob ' } })).status, 409)
  assert.equal((await identity.post('/users', { user: { name: ' ann' } })).status, 409)
  assert.deepEqual(await namesIn(cloud, ''), ['admin', 'ann', 'bob'])
})

test('users are listed by domain, name, part of a name, state, and page by page', async (t) => {
  const cloud = await identityCloud(t)
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  for (const name of ['ann', 'anna', 'bob'])
    await cloud.make('/users', { user: { name, domain_id: domain.id, enabled: name !== 'bob' } })
  const of = `domain_id=${domain.id}`
  assert.deepEqual(await namesIn(cloud, of), ['ann', 'anna', 'bob'])
  assert.deepEqual(await namesIn(cloud, `${of}&name=anna`), ['anna'])
  assert.deepEqual(await namesIn(cloud, `${of}&name__contains=nn`), ['ann', 'anna'])
  assert.deepEqual(await namesIn(cloud, `${of}&name__startswith=b`), ['bob'])
  assert.deepEqual(await namesIn(cloud, `${of}&name__endswith=a`), ['anna'])
  assert.deepEqual(await namesIn(cloud, `${of}&enabled=False`), ['bob'])
  assert.deepEqual(await namesIn(cloud, `${of}&enabled`), ['ann', 'anna'])
  assert.deepEqual(await namesIn(cloud, `${of}&password_expires_at=lt:2030-01-01T00:00:00Z`), [])
  assert.equal((await cloud.admin.identity.get('/users?password_expires_at=zz:2030-01-01T00:00:00Z')).status, 400)
  const first = (await cloud.admin.identity.get(`/users?${of}&limit=2&sort_key=name&sort_dir=desc`)).body
  assert.deepEqual(
    first.users.map((user: Json) => user.name),
    ['bob', 'anna'],
  )
  assert.equal(first.truncated, true)
  const { pathname, search } = new URL(first.links.next)
  const second = (await cloud.admin.identity.get(`/${pathname}${search}`)).body
  assert.deepEqual(
    second.users.map((user: Json) => user.name),
    ['ann'],
  )
  assert.equal(second.links.next, null)
})

test('who is no admin sees itself, and of others does not even learn whether they exist', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const bob = await cloud.make('/users', { user: { name: 'bob' } })
  const { identity } = await cloud.signIn(sign)
  assert.equal((await identity.get(`/users/${user.id}`)).status, 200)
  assert.equal((await identity.get(`/users/${user.id}/projects`)).body.projects.length, 1)
  for (const path of [`/users/${bob.id}`, '/users/nobody', `/users/${bob.id}/projects`, '/users']) {
    const answer = await identity.get(path)
    assert.equal(answer.status, 403, path)
    assert.match(answer.body.error.message, /^You are not authorized to perform the requested action: identity:/)
  }
})

test('a domain’s reader sees the users of that domain only', async (t) => {
  const cloud = await identityCloud(t)
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  const user = await cloud.make('/users', { user: { name: 'ann', password: 'pw', domain_id: domain.id } })
  await cloud.admin.identity.put(`/domains/${domain.id}/users/${user.id}/roles/${await cloud.roleId('reader')}`)
  const { identity } = await cloud.signIn({ id: user.id, password: 'pw', scope: { domain: { id: domain.id } } })
  assert.deepEqual(
    (await identity.get('/users')).body.users.map((one: Json) => one.name),
    ['ann'],
  )
  assert.deepEqual((await identity.get('/users?domain_id=default')).body.users, [])
  assert.deepEqual((await identity.get('/projects')).body.projects, [])
  assert.deepEqual(
    (await identity.get('/domains')).body.domains.map((one: Json) => one.name),
    ['acme'],
  )
  assert.equal((await identity.get('/domains/default')).status, 403)
  const assignments = (await identity.get('/role_assignments')).body.role_assignments
  assert.deepEqual(
    assignments.map((one: Json) => one.user.id),
    [user.id],
  )
})

test('the own password is changed by whoever knows the old one, without a token; a locked one is not', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const anyone = cloud.withToken(undefined).identity
  const change = (original: string, id = user.id) =>
    anyone.post(`/users/${id}/password`, { user: { original_password: original, password: 'new' } })
  assert.deepEqual([(await change('wrong')).status, (await change('pw', 'nobody')).status], [401, 401])
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { options: { lock_password: true } } })
  assert.equal((await change('pw')).status, 400)
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { options: { lock_password: null } } })
  assert.equal((await change('pw')).status, 204)
  assert.equal((await cloud.ask({ ...sign, password: 'new' })).status, 201)
})

test('OSSA-2014-015: a group of the same id gives its roles to nobody', async (t) => {
  const cloud = await identityCloud(t)
  const { user, project, sign } = await newMember(cloud, { role: 'reader' })
  const row = { id: user.id, name: 'same', domain_id: 'default', description: '', extra: '{}', created_at: 0 }
  await cloud.cloud.db.transaction((tx) =>
    tx
      .insertInto('identity_group' as never)
      .values(row as never)
      .execute(),
  )
  const grant = await cloud.admin.identity.put(`/projects/${project.id}/groups/${user.id}/roles/${await cloud.roleId('admin')}`)
  assert.equal(grant.status, 204)
  const { token } = await cloud.signIn(sign)
  assert.deepEqual((await cloud.cloud.contracts.identity.authenticate({ token }))?.roles, ['reader'])
})

test('groups: members come and go, and have the group’s roles', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { project } = await newMember(cloud)
  const user = await cloud.make('/users', { user: { name: 'bob', password: 'pw' } })
  const group = await cloud.make('/groups', { group: { name: 'crew', description: null } })
  assert.deepEqual([group.domain_id, group.description], ['default', ''])
  const membership = `/groups/${group.id}/users/${user.id}`
  assert.equal((await identity.head(membership)).status, 404)
  assert.equal((await identity.put(membership)).status, 204)
  assert.equal((await identity.put(membership)).status, 204)
  assert.equal((await identity.head(membership)).status, 204)
  assert.deepEqual(
    (await identity.get(`/groups/${group.id}/users`)).body.users.map((one: Json) => one.name),
    ['bob'],
  )
  assert.deepEqual(
    (await identity.get(`/users/${user.id}/groups`)).body.groups.map((one: Json) => one.name),
    ['crew'],
  )
  const scope = { project: { id: project.id } }
  assert.equal((await cloud.ask({ id: user.id, password: 'pw', scope })).status, 401)
  await identity.put(`/projects/${project.id}/groups/${group.id}/roles/${await cloud.roleId('member')}`)
  const { token } = await cloud.signIn({ id: user.id, password: 'pw', scope })
  assert.equal((await identity.delete(membership)).status, 204)
  assert.ok(!(await cloud.isValid(token)))
  assert.equal((await identity.delete(membership)).status, 404)
  assert.equal((await identity.delete(`/groups/${group.id}`)).status, 204)
  assert.deepEqual((await cloud.cloud.services.identity.audit!()).problems, [])
})

test('inexact filters never mind case, and take every character for itself', async (t) => {
  const cloud = await identityCloud(t)
  for (const name of ['Anna_1', 'annaX1', 'Hanna%2', 'bob']) await cloud.make('/users', { user: { name } })
  const names = async (query: string) =>
    (await cloud.admin.identity.get(`/users?${query}`)).body.users.map((one: { name: string }) => one.name).sort()
  assert.deepEqual(await names('name__contains=ANNA'), ['Anna_1', 'Hanna%2', 'annaX1'])
  assert.deepEqual(await names('name__icontains=anna'), ['Anna_1', 'Hanna%2', 'annaX1'])
  assert.deepEqual(await names('name__startswith=anna'), ['Anna_1', 'annaX1'])
  assert.deepEqual(await names('name__contains=anna_'), ['Anna_1'])
  assert.deepEqual(await names('name__endswith=%252'), ['Hanna%2'])
  assert.deepEqual(await names('name=BOB'), [])
})
