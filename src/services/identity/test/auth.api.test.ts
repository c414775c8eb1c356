import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { adminProject, identityCloud, newMember } from './signing-in.ts'

const names = (list: { name: string }[]) => list.map((one) => one.name).sort()

test('a password gives a token with roles and a catalog, and the token is valid', async (t) => {
  const cloud = await identityCloud(t)
  const made = await cloud.ask({ scope: adminProject })
  assert.equal(made.status, 201)
  assert.equal(made.headers['vary'], 'X-Auth-Token')
  const { token } = made.body
  assert.deepEqual(names(token.roles), ['admin', 'manager', 'member', 'reader'])
  assert.deepEqual(token.methods, ['password'])
  assert.deepEqual(token.user.domain, { id: 'default', name: 'Default' })
  assert.equal(token.user.password_expires_at, null)
  assert.equal(token.is_domain, false)
  const compute = token.catalog.find((one: Json) => one.type === 'compute')
  assert.deepEqual(compute.endpoints.map((one: Json) => one.interface).sort(), ['admin', 'internal', 'public'])
  assert.deepEqual(Object.keys(compute.endpoints[0]).sort(), ['id', 'interface', 'region', 'region_id', 'url'])
  const subject = made.headers['x-subject-token']!
  const client = cloud.withToken(subject).identity
  const shown = await client.get('/auth/tokens', { headers: { 'x-subject-token': subject } })
  assert.equal(shown.status, 200)
  assert.equal(shown.headers['x-subject-token'], subject)
  assert.deepEqual(shown.body, made.body)
  const checked = await client.head('/auth/tokens', { headers: { 'x-subject-token': subject } })
  assert.deepEqual([checked.status, checked.body], [200, ''])
})

test('a token lives for an hour to the microsecond, and those made of it no longer', async (t) => {
  const cloud = await identityCloud(t)
  const first = await cloud.ask({ scope: adminProject })
  const { issued_at, expires_at } = first.body.token
  assert.equal(Date.parse(expires_at) - Date.parse(issued_at), 3_600_000)
  let token = first.headers['x-subject-token']!
  for (let i = 0; i < 3; i++) {
    cloud.clock.advance(10 * minute)
    const again = await cloud.rescope(token, adminProject)
    assert.equal(again.status, 201)
    assert.equal(again.body.token.expires_at, expires_at)
    assert.equal(again.body.token.audit_ids[1], first.body.token.audit_ids[0])
    assert.deepEqual(again.body.token.methods.sort(), ['password', 'token'])
    token = again.headers['x-subject-token']!
  }
  assert.ok(await cloud.isValid(token))
  cloud.clock.advance(30 * minute)
  assert.ok(!(await cloud.isValid(token)))
  assert.equal((await cloud.rescope(token)).status, 404)
  const late = await cloud.admin.identity.get('/auth/tokens?allow_expired=1', { headers: { 'x-subject-token': token } })
  assert.equal(late.status, 200)
})

test('nocatalog leaves the catalog out; so does an unscoped token, which has no roles either', async (t) => {
  const cloud = await identityCloud(t)
  const without = await cloud.ask({ scope: adminProject, query: '?nocatalog' })
  assert.equal(without.body.token.catalog, undefined)
  assert.ok(without.body.token.roles)
  const { token } = (await cloud.ask()).body
  for (const name of ['catalog', 'roles', 'project', 'domain', 'system']) assert.equal(token[name], undefined, name)
})

test('a system token says so, and only who has a role on the system gets one', async (t) => {
  const cloud = await identityCloud(t)
  const { token } = (await cloud.ask({ scope: { system: { all: true } } })).body
  assert.deepEqual(token.system, { all: true })
  assert.deepEqual(names(token.roles), ['admin', 'manager', 'member', 'reader'])
  const { sign } = await newMember(cloud)
  assert.equal((await cloud.ask({ ...sign, scope: { system: { all: true } } })).status, 401)
})

test('a domain token names the domain', async (t) => {
  const cloud = await identityCloud(t)
  const { user } = await newMember(cloud)
  await cloud.admin.identity.put(`/domains/default/users/${user.id}/roles/${await cloud.roleId('reader')}`)
  const { token } = (await cloud.ask({ id: user.id, password: 'pw', scope: { domain: { name: 'Default' } } })).body
  assert.deepEqual(token.domain, { id: 'default', name: 'Default' })
  assert.deepEqual(names(token.roles), ['reader'])
  assert.ok(token.catalog)
})

test('without a scope the default project is taken, and when that fails none', async (t) => {
  const cloud = await identityCloud(t)
  const { user, project, sign } = await newMember(cloud)
  const plain = { id: user.id, password: 'pw' }
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { default_project_id: project.id } })
  assert.equal((await cloud.ask(plain)).body.token.project.id, project.id)
  assert.equal((await cloud.ask({ ...plain, scope: { unscoped: {} } })).body.token.project, undefined)
  assert.equal((await cloud.ask({ ...plain, scope: 'unscoped' })).body.token.project, undefined)
  await cloud.admin.identity.patch(`/projects/${project.id}`, { project: { enabled: false } })
  assert.equal((await cloud.ask(plain)).body.token.project, undefined)
  assert.equal((await cloud.ask(sign)).status, 401)
})

test('a token to be made into another that is none is not found', async (t) => {
  const cloud = await identityCloud(t)
  const { status, body } = await cloud.rescope('gAAAAABnonsense')
  assert.deepEqual([status, body.error.message], [404, 'Could not find token: gAAAAABnonsense.'])
})

test('unknown user, wrong password, disabled user, foreign project: one answer', async (t) => {
  const cloud = await identityCloud(t)
  const { user } = await newMember(cloud)
  const off = await cloud.make('/users', { user: { name: 'off', password: 'pw', enabled: false } })
  const nopassword = await cloud.make('/users', { user: { name: 'nopassword' } })
  const answers = await Promise.all([
    cloud.ask({ name: 'nobody' }),
    cloud.ask({ domain: 'nowhere' }),
    cloud.ask({ password: 'wrong' }),
    cloud.ask({ id: off.id, password: 'pw' }),
    cloud.ask({ id: nopassword.id, password: '' }),
    cloud.ask({ id: user.id, password: 'pw', scope: adminProject }),
    cloud.ask({ id: user.id, password: 'pw', scope: { project: { id: 'ab' } } }),
  ])
  const message = 'The request you have made requires authentication.'
  for (const answer of answers) {
    assert.equal(answer.status, 401)
    assert.deepEqual(answer.body, { error: { code: 401, message, title: 'Unauthorized' } })
    assert.equal(answer.headers['www-authenticate'], 'Keystone uri="http://identity.test"')
  }
})

test('what is no login is refused with a sentence that names the field', async (t) => {
  const cloud = await identityCloud(t)
  const anyone = cloud.withToken(undefined).identity
  const user = { name: 'admin', domain: { id: 'default' }, password: 'secret' }
  const identity = { methods: ['password'], password: { user } }
  const cases: [unknown, number, RegExp][] = [
    [{}, 400, /'auth' is a required property/],
    [{ auth: {} }, 400, /'identity' is a required property/],
    [{ auth: { identity: { methods: 'password' } } }, 400, /identity\/methods.*'password' is not of type 'array'/],
    [{ auth: { identity: { methods: ['password'] } } }, 400, /Expecting to find password in identity/],
    [{ auth: { identity: { methods: [] } } }, 400, /Expecting to find methods in identity/],
    [{ auth: { identity: { methods: ['dance'] } } }, 401, /unsupported method/],
    [{ auth: { identity: { methods: ['password'], password: { user: { password: 'x' } } } } }, 400, /id or name must be present/],
    [
      { auth: { identity: { ...identity, password: { user: { name: 'admin', password: 'secret' } } } } },
      400,
      /find domain in user/,
    ],
    [{ auth: { identity, scope: { project: {}, system: { all: true } } } }, 400, /OS-TRUST:trust or unscoped in scope/],
    [{ auth: { identity, scope: { project: { name: 'admin' } } } }, 400, /find domain in project/],
    [{ auth: { identity, scope: {} } }, 400, /in scope/],
  ]
  for (const [body, status, message] of cases) {
    const answer = await anyone.post('/auth/tokens', body)
    assert.equal(answer.status, status, JSON.stringify(body))
    assert.match(answer.body.error.message, message)
  }
})

test('OSSA-2014-013: a method named a thousand times is refused, named twice it is checked once', async (t) => {
  const cloud = await identityCloud(t)
  const anyone = cloud.withToken(undefined).identity
  const user = { name: 'admin', domain: { id: 'default' }, password: 'secret' }
  const login = (methods: string[]) => anyone.post('/auth/tokens', { auth: { identity: { methods, password: { user } } } })
  assert.equal((await login(Array(1000).fill('password'))).status, 400)
  assert.deepEqual((await login(['password', 'password'])).body.token.methods, ['password'])
})

test('OSSA-2017-004, OSSA-2020-005: nobody gets roles by federation or OAuth1, which are not here', async (t) => {
  const cloud = await identityCloud(t)
  const anyone = cloud.withToken(undefined).identity
  const ways = {
    mapped: { protocol: 'saml2' },
    saml2: { assertion: 'x' },
    openid: { id: 'x' },
    oauth1: {},
    external: {},
    kerberos: {},
  }
  for (const [method, given] of Object.entries(ways)) {
    const { status, headers } = await anyone.post('/auth/tokens', { auth: { identity: { methods: [method], [method]: given } } })
    assert.deepEqual([status, headers['x-subject-token']], [401, undefined], method)
  }
  const { identity } = cloud.admin
  for (const path of ['request_token', 'access_token', 'authorize/1', 'consumers'])
    assert.equal((await identity.get(`/OS-OAUTH1/${path}`)).status, 404, path)
  for (const path of ['identity_providers', 'mappings', 'identity_providers/a/protocols/b/auth'])
    assert.equal((await identity.get(`/OS-FEDERATION/${path}`)).status, 404, path)
})

test('two methods must speak of one user', async (t) => {
  const cloud = await identityCloud(t)
  const { sign } = await newMember(cloud)
  const { token } = await cloud.signIn(sign)
  const both = (name: string, password: string) =>
    cloud.withToken(undefined).identity.post('/auth/tokens', {
      auth: {
        identity: {
          methods: ['password', 'token'],
          token: { id: token },
          password: { user: { name, domain: { id: 'default' }, password } },
        },
      },
    })
  assert.equal((await both('admin', 'secret')).status, 401)
  assert.equal((await both('ann', 'pw')).status, 201)
})

test('a user whose rules want a second factor does not come in by password alone', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const options = { multi_factor_auth_enabled: true, multi_factor_auth_rules: [['password', 'totp']] }
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { options } })
  assert.equal((await cloud.ask(sign)).status, 401)
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { options: { multi_factor_auth_enabled: false } } })
  assert.equal((await cloud.ask(sign)).status, 201)
})

test('who may look at a token: its user, admin and the services; nobody else, and an unknown one is 404', async (t) => {
  const cloud = await identityCloud(t)
  const { sign } = await newMember(cloud)
  const ann = await cloud.signIn(sign)
  const look = { headers: { 'x-subject-token': ann.token } }
  assert.equal((await ann.identity.get('/auth/tokens', look)).status, 200)
  assert.equal((await cloud.service.identity.get('/auth/tokens', look)).status, 200)
  assert.equal((await cloud.service.identity.delete('/auth/tokens', look)).status, 403)
  assert.equal((await cloud.member.identity.get('/auth/tokens', look)).status, 403)
  assert.equal((await cloud.member.identity.delete('/auth/tokens', look)).status, 403)
  const unknown = await ann.identity.get('/auth/tokens', { headers: { 'x-subject-token': 'gAAAAAB' } })
  assert.equal(unknown.status, 404)
  assert.match(unknown.body.error.message, /^Could not find token/)
  assert.equal((await ann.identity.get('/auth/tokens')).status, 404)
})

test('the caller sees where it could go', async (t) => {
  const cloud = await identityCloud(t)
  const { project, sign } = await newMember(cloud)
  await newMember(cloud, { name: 'bob' })
  const { identity } = await cloud.signIn({ ...sign, scope: undefined })
  const { body } = await identity.get('/auth/projects')
  assert.deepEqual(
    body.projects.map((one: Json) => one.id),
    [project.id],
  )
  assert.equal(body.links.self, 'http://localhost:80/v3/auth/projects')
  assert.deepEqual((await identity.get('/auth/domains')).body.domains, [])
  assert.deepEqual((await identity.get('/auth/system')).body.system, [])
  assert.equal((await identity.get('/auth/catalog')).status, 403)
  const scoped = await cloud.signIn(sign)
  assert.equal((await scoped.identity.get('/auth/catalog')).body.catalog.length, 5)
  const admin = await cloud.signIn()
  assert.deepEqual((await admin.identity.get('/auth/system')).body.system, [{ all: true }])
})
