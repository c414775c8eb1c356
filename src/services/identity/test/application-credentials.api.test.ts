import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import { isoMicros, minute } from '../../../kit/clock.ts'
import { identityCloud, newMember } from './signing-in.ts'

async function world(t: TestContext) {
  const cloud = await identityCloud(t)
  const member = await newMember(cloud, { role: 'manager' })
  const client = await cloud.signIn(member.sign)
  const path = `/users/${member.user.id}/application_credentials`
  const make = (more: Json = {}, by: Client = client) =>
    by.identity.post(path, { application_credential: { name: 'robot', ...more } })
  const authOf = (credential: Json) => ({
    identity: { methods: ['application_credential'], application_credential: credential },
  })
  const anyone = cloud.withToken(undefined).identity
  const login = (credential: Json, more: Json = {}) => anyone.post('/auth/tokens', { auth: { ...authOf(credential), ...more } })
  const signIn = ({ id, secret }: Json) => cloud.login(authOf({ id, secret }))
  return { cloud, member, client, path, make, login, signIn }
}

test('an application credential is made with the roles of the token, its secret is shown once', async (t) => {
  const { cloud, member, client, path, make } = await world(t)
  const made = await make({ description: 'for backups' })
  assert.equal(made.status, 201)
  const credential = made.body.application_credential
  assert.ok(credential.secret.length >= 80)
  assert.deepEqual(credential.roles.map((role: Json) => role.name).sort(), ['manager', 'member', 'reader'])
  assert.deepEqual([credential.project_id, credential.unrestricted], [member.project.id, false])
  const shown = (await client.identity.get(`${path}/${credential.id}`)).body.application_credential
  assert.equal(shown.secret, undefined)
  assert.equal((await client.identity.get(`${path}?name=robot`)).body.application_credentials.length, 1)
  assert.equal((await client.identity.get(`${path}?name=other`)).body.application_credentials.length, 0)
  assert.equal((await make()).status, 409)
  assert.equal((await make({ name: 'x', roles: [{ name: 'admin' }] })).status, 400)
  assert.equal((await make({ name: 'x', expires_at: '2000-01-01' })).status, 400)
  const rows = await cloud.cloud.db.read
    .selectFrom('identity_application_credential' as never)
    .selectAll()
    .execute()
  assert.ok(!JSON.stringify(rows).includes(credential.secret))
})

test('one logs in by its id, or by its name and its user’s; without a scope, and with nothing else', async (t) => {
  const { member, make, login } = await world(t)
  const { id, secret } = (await make({ roles: [{ name: 'member' }] })).body.application_credential
  const answer = await login({ id, secret })
  assert.equal(answer.status, 201)
  const { token } = answer.body
  assert.deepEqual(token.roles.map((role: Json) => role.name).sort(), ['member', 'reader'])
  assert.deepEqual(token.application_credential, { id, name: 'robot', restricted: true })
  assert.deepEqual([token.user.id, token.project.id], [member.user.id, member.project.id])
  assert.deepEqual(token.methods, ['application_credential'])
  const user = { name: 'ann', domain: { id: 'default' } }
  assert.equal((await login({ name: 'robot', user, secret })).status, 201)
  assert.equal((await login({ name: 'robot', user: { id: member.user.id }, secret })).status, 201)
  const bad = [await login({ id, secret: 'x' }), await login({ id: 'nothing', secret }), await login({ name: 'x', user, secret })]
  for (const { status, body } of bad) assert.deepEqual([status, body], [401, bad[0]!.body])
  assert.equal((await login({ id, secret }, { scope: { project: { id: member.project.id } } })).status, 401)
  assert.equal((await login({ secret })).status, 400)
})

test('it dies with its user, its project, its roles and its end; a role given again does not bring it back', async (t) => {
  const { cloud, member, make, login } = await world(t)
  const end = isoMicros(cloud.clock.now() + 10 * minute)
  const short = (await make({ name: 'short', expires_at: end })).body.application_credential
  const token = (await login(short)).body.token
  assert.equal(token.expires_at, end)
  cloud.clock.advance(11 * minute)
  assert.equal((await login(short)).status, 401)
  const client = await cloud.signIn(member.sign)
  const { application_credential: robot } = (await make({}, client)).body
  const good = (await login(robot)).headers['x-subject-token']!
  const grant = `/projects/${member.project.id}/users/${member.user.id}/roles/${await cloud.roleId('manager')}`
  await cloud.admin.identity.delete(grant)
  assert.ok(!(await cloud.isValid(good)))
  await cloud.admin.identity.put(grant)
  assert.equal((await login(robot)).status, 401)
  const second = (await make({ name: 'second' }, await cloud.signIn(member.sign))).body.application_credential
  assert.equal((await login(second)).status, 201)
  await cloud.admin.identity.patch(`/users/${member.user.id}`, { user: { enabled: false } })
  await cloud.admin.identity.patch(`/users/${member.user.id}`, { user: { enabled: true } })
  assert.equal((await login(second)).status, 401)
})

test('OSSA-2026-005, CVE-2026-43001: a restricted one makes nothing one could log in with, for whatever project', async (t) => {
  const { cloud, member, make, signIn, path } = await world(t)
  const other = await newMember(cloud, { name: 'bob' })
  const restricted = await signIn((await make()).body.application_credential)
  const blob = JSON.stringify({ access: 'a', secret: 's' })
  for (const project_id of [member.project.id, other.project.id]) {
    const credential = { type: 'ec2', blob, user_id: member.user.id, project_id }
    assert.equal((await restricted.identity.post('/credentials', { credential })).status, 403)
    const keys = `/users/${member.user.id}/credentials/OS-EC2`
    assert.equal((await restricted.identity.post(keys, { tenant_id: project_id })).status, 403)
  }
  assert.equal((await make({ name: 'second' }, restricted)).status, 403)
  assert.equal((await restricted.identity.get(path)).status, 200)
})

test('an unrestricted one makes others, with none but its own roles', async (t) => {
  const { make, signIn } = await world(t)
  const made = (await make({ unrestricted: true, roles: [{ name: 'member' }] })).body.application_credential
  const client = await signIn(made)
  assert.equal((await make({ name: 'child', roles: [{ name: 'manager' }] }, client)).status, 400)
  const child = (await make({ name: 'child' }, client)).body.application_credential
  assert.deepEqual(child.roles.map((role: Json) => role.name).sort(), ['member', 'reader'])
})

test('access rules: the token is good for the requests they name, in every service, and no other', async (t) => {
  const { cloud, member, client, make, signIn } = await world(t)
  const rules = [
    { service: 'compute', method: 'GET', path: '/v2.1/flavors' },
    { service: 'identity', method: 'GET', path: '/v3/users/{id}' },
  ]
  const made = (await make({ access_rules: rules })).body.application_credential
  assert.equal(made.access_rules.length, 2)
  const bound = await signIn(made)
  assert.equal((await bound.compute.get('/flavors')).status, 200)
  assert.equal((await bound.compute.get('/servers')).status, 401)
  assert.equal((await bound.identity.get(`/users/${member.user.id}`)).status, 200)
  assert.equal((await bound.identity.get('/auth/projects')).status, 401)
  const headers = { 'x-subject-token': bound.token }
  assert.equal((await cloud.admin.identity.get('/auth/tokens', { headers })).status, 404)
  const knowing = { ...headers, 'openstack-identity-access-rules': '1.0' }
  const shown = await cloud.admin.identity.get('/auth/tokens', { headers: knowing })
  assert.equal(shown.body.token.application_credential.access_rules.length, 2)
  assert.equal((await bound.identity.get('/auth/tokens', { headers: knowing })).status, 200)
  assert.equal((await bound.identity.head('/auth/tokens', { headers: knowing })).status, 401)
  const own = `/users/${member.user.id}/access_rules`
  const listed = (await client.identity.get(own)).body.access_rules
  assert.equal(listed.length, 2)
  assert.equal((await client.identity.delete(`${own}/${listed[0].id}`)).status, 403)
  const again = (await make({ name: 'b', access_rules: [{ id: listed[0].id }, rules[1]] })).body.application_credential
  assert.deepEqual(again.access_rules.map((rule: Json) => rule.id).sort(), listed.map((rule: Json) => rule.id).sort())
  for (const { id } of [made, again]) await client.identity.delete(`/users/${member.user.id}/application_credentials/${id}`)
  assert.equal((await client.identity.delete(`${own}/${listed[0].id}`)).status, 204)
  assert.equal((await client.identity.get(`${own}/${listed[0].id}`)).status, 404)
})

test('an access rule of somebody else’s is not there', async (t) => {
  const { cloud, make } = await world(t)
  const rule = { service: 'compute', method: 'GET', path: '/' }
  const { access_rules } = (await make({ access_rules: [rule] })).body.application_credential
  const bob = await newMember(cloud, { name: 'bob' })
  const client = await cloud.signIn(bob.sign)
  const wanted = { application_credential: { name: 'x', access_rules: [{ id: access_rules[0].id }] } }
  assert.equal((await client.identity.post(`/users/${bob.user.id}/application_credentials`, wanted)).status, 404)
  assert.equal((await client.identity.get(`/users/${bob.user.id}/access_rules/${access_rules[0].id}`)).status, 404)
})
