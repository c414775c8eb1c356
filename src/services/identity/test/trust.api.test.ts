import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { serve } from '../../../kit/http/serve.ts'
import type { Log } from '../../../kit/log.ts'
import { openPasswords } from '../../../kit/password/password.ts'
import { openPolicy } from '../../../kit/policy/policy.ts'
import { identityPolicies } from '../policy.ts'
import { adminProject, identityCloud, newMember } from './signing-in.ts'

test('OSSA-2026-001: identity headers of the caller change nothing, with a token and without', async (t) => {
  const cloud = await identityCloud(t)
  const { sign } = await newMember(cloud)
  const { identity } = await cloud.signIn(sign)
  const headers = {
    'x-roles': 'admin',
    'x-role': 'admin',
    'x-user-id': 'admin',
    'x-project-id': 'admin',
    'x-domain-id': 'default',
    'x-is-admin-project': 'True',
    'x-identity-status': 'Confirmed',
    'x-system-scope': 'all',
    'openstack-system-scope': 'all',
    'x-service-roles': 'service',
    'remote-user': 'admin',
  }
  assert.equal((await identity.get('/users', { headers })).status, 403)
  assert.equal((await cloud.withToken(undefined).identity.get('/users', { headers })).status, 401)
  const external = { auth: { identity: { methods: ['external'], external: {} } } }
  assert.equal((await cloud.withToken(undefined).identity.post('/auth/tokens', external, { headers })).status, 401)
})

test('CVE-2026-44394, CVE-2012-3426, OSSA-2012-019: rescoping in a loop never moves the end of a token', async (t) => {
  const cloud = await identityCloud(t)
  const first = await cloud.ask({ scope: adminProject })
  let token = first.headers['x-subject-token']!
  for (let round = 0; round < 6; round++) {
    cloud.clock.advance(9 * minute)
    const next = await cloud.rescope(token, round % 2 === 0 ? undefined : adminProject)
    assert.equal(next.body.token.expires_at, first.body.token.expires_at)
    token = next.headers['x-subject-token']!
  }
  cloud.clock.advance(7 * minute)
  assert.equal((await cloud.rescope(token, adminProject)).status, 404)
})

test('OSSA-2026-009: logins, good and bad, leave no row behind', async (t) => {
  const cloud = await identityCloud(t)
  const rows = async () =>
    (
      await cloud.cloud.db.read
        .selectFrom('identity_generation' as never)
        .selectAll()
        .execute()
    ).concat(
      await cloud.cloud.db.read
        .selectFrom('identity_revocation' as never)
        .selectAll()
        .execute(),
    )
  await cloud.ask()
  const before = await rows()
  for (let at = 0; at < 20; at++) {
    await cloud.ask({ name: `nobody-${at}` })
    await cloud.ask({ scope: adminProject })
    await cloud.withToken('gAAAAABx').identity.get('/users')
  }
  assert.deepEqual(await rows(), before)
})

test('OSSA-2018-002: the projects a token could be for are those with a role, not all', async (t) => {
  const cloud = await identityCloud(t)
  const { project, sign } = await newMember(cloud)
  await newMember(cloud, { name: 'bob' })
  const { identity } = await cloud.signIn(sign)
  const { projects } = (await identity.get('/auth/projects')).body
  assert.deepEqual(
    projects.map((one: Json) => one.id),
    [project.id],
  )
})

test('OSSA-2021-003: for an unknown name as much work is done as for a wrong password', async () => {
  const passwords = openPasswords('strong')
  const hash = await passwords.hash('right')
  await passwords.matches('x', undefined)
  const took = async (known: string | undefined) => {
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const started = performance.now()
      await passwords.matches('wrong', known)
      times.push(performance.now() - started)
    }
    return Math.min(...times)
  }
  const [wrong, unknown] = [await took(hash), await took(undefined)]
  assert.ok(unknown > wrong / 4 && unknown < wrong * 4, `${wrong} ms and ${unknown} ms`)
})

test('OSSA-2014-007: many users at once, and nobody’s request sees another’s identity', async (t) => {
  const cloud = await identityCloud(t)
  const members = await Promise.all(Array.from({ length: 25 }, (_, at) => newMember(cloud, { name: `user-${at}` })))
  const clients = await Promise.all(members.map(({ sign }) => cloud.signIn(sign)))
  const asks = Array.from({ length: 8 }, () =>
    clients.map(async (client, at) => {
      const answer = await client.identity.get('/auth/tokens', { headers: { 'x-subject-token': client.token } })
      assert.equal(answer.body.token.user.id, members[at]!.user.id)
      const { projects } = (await client.identity.get('/auth/projects')).body
      assert.deepEqual(
        projects.map((one: Json) => one.id),
        [members[at]!.project.id],
      )
    }),
  )
  await Promise.all(asks.flat())
})

test('OSSA-2017-001, OSSA-2015-008: no password and no token reaches the log, whatever goes wrong', async (t) => {
  const cloud = await identityCloud(t)
  const { token } = await cloud.signIn()
  const lines: string[] = []
  const write = (...parts: unknown[]) => void lines.push(JSON.stringify(parts))
  const log = { debug: write, info: write, warn: write, error: write, child: () => log } as unknown as Log
  const { dialect, endpoints } = cloud.cloud.services.identity
  const broken = endpoints.map((one) =>
    one.path === '/auth/catalog' ? { ...one, handle: async () => Promise.reject(new Error('a bug')) } : one,
  )
  const app = serve({
    name: 'identity',
    dialect,
    endpoints: broken,
    policy: openPolicy(identityPolicies),
    authenticate: (text) => cloud.cloud.contracts.identity.authenticate({ token: text }),
    log,
    identityUrl: () => 'http://identity',
  })
  t.after(() => app.close())
  const secret = 'swordfish'
  const user = { name: 'admin', domain: { id: 'default' }, password: secret }
  const headers = { 'x-auth-token': token, 'x-subject-token': token }
  await app.inject({
    method: 'POST',
    url: '/v3/auth/tokens',
    payload: { auth: { identity: { methods: ['password'], password: { user } } } },
  })
  await app.inject({ method: 'POST', url: '/v3/users', headers, payload: { user: { name: 5, password: secret } } })
  await app.inject({ method: 'POST', url: '/v3/users', headers, payload: `{"user": {"password": "${secret}"` })
  const bug = await app.inject({ method: 'GET', url: '/v3/auth/catalog', headers })
  assert.equal(bug.statusCode, 500)
  assert.ok(lines.length >= 4)
  assert.ok(!lines.join('\n').includes(secret) && !lines.join('\n').includes(token))
})
