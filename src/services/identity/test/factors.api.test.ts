import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { fromBase32, totpCode } from '../domain/totp.ts'
import { identityCloud, newMember } from './signing-in.ts'

const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

async function world(t: TestContext, options: Json = {}) {
  const cloud = await identityCloud(t)
  const member = await newMember(cloud)
  const { id } = member.user
  await cloud.make('/credentials', { credential: { type: 'totp', blob: seed, user_id: id } })
  await cloud.admin.identity.patch(`/users/${id}`, { user: { options } })
  const code = () => totpCode(fromBase32(seed)!, Math.floor(cloud.clock.now() / 1e6))
  const parts: Record<string, () => Json> = {
    password: () => ({ user: { id, password: 'pw' } }),
    totp: () => ({ user: { id, passcode: code() } }),
  }
  const ask = (methods: string[], { headers = {}, more = {} }: { headers?: Record<string, string>; more?: Json } = {}) => {
    const identity = { methods, ...Object.fromEntries(methods.map((one) => [one, parts[one]?.() ?? {}])), ...more }
    return cloud.withToken(undefined).identity.post('/auth/tokens', { auth: { identity } }, { headers })
  }
  return { cloud, member, ask, code }
}

const both = { multi_factor_auth_enabled: true, multi_factor_auth_rules: [['password', 'totp']] }

test('a code of the right moment is a login, another is not', async (t) => {
  const { cloud, member, ask, code } = await world(t)
  const answer = await ask(['totp'])
  assert.deepEqual([answer.status, answer.body.token.methods], [201, ['totp']])
  const old = code()
  cloud.clock.advance(2 * minute)
  const totp = (passcode: string, user: Json = { id: member.user.id }) => ({ totp: { user: { ...user, passcode } } })
  for (const more of [totp(old), totp('000000'), totp(''), totp(code(), { id: 'nobody' })])
    assert.equal((await ask(['totp'], { more })).status, 401)
  assert.equal((await ask(['totp'], { more: totp(code(), { name: 'ann', domain: { id: 'default' } }) })).status, 201)
})

test('two methods at once make a token that says so', async (t) => {
  const { cloud, ask } = await world(t, both)
  const answer = await ask(['password', 'totp'])
  assert.equal(answer.status, 201)
  assert.deepEqual(answer.body.token.methods.sort(), ['password', 'totp'])
  const again = await cloud.rescope(answer.headers['x-subject-token']!)
  assert.equal(again.status, 201, 'and can be rescoped')
})

test('one method of two gets a receipt, which is no token, and with the other one a token', async (t) => {
  const { cloud, member, ask } = await world(t, both)
  const half = await ask(['password'])
  assert.equal(half.status, 401)
  const receipt = half.headers['openstack-auth-receipt']!
  assert.deepEqual(half.body.receipt.methods, ['password'])
  assert.equal(half.body.receipt.user.id, member.user.id)
  assert.deepEqual(half.body.required_auth_methods, [['password', 'totp']])
  assert.equal(half.headers['x-subject-token'], undefined)
  assert.equal((await cloud.withToken(receipt).identity.get('/auth/projects')).status, 401)
  assert.ok(!(await cloud.isValid(receipt)))
  const headers = { 'openstack-auth-receipt': receipt }
  const whole = await ask(['totp'], { headers })
  assert.deepEqual([whole.status, whole.body.token.methods.sort()], [201, ['password', 'totp']])
})

test('a receipt is for its user, for five minutes, and void when the password changes; a token is no receipt', async (t) => {
  const { cloud, member, ask } = await world(t, both)
  const receiptOf = async () => (await ask(['password'])).headers['openstack-auth-receipt']!
  const withTotp = async (receipt: string) => (await ask(['totp'], { headers: { 'openstack-auth-receipt': receipt } })).status
  const { token } = await cloud.signIn()
  for (const bad of ['x', token]) assert.equal(await withTotp(bad), 401)
  const late = await receiptOf()
  cloud.clock.advance(6 * minute)
  assert.equal(await withTotp(late), 401)
  const bob = await newMember(cloud, { name: 'bob' })
  await cloud.admin.identity.patch(`/users/${bob.user.id}`, { user: { options: both } })
  const other = (await cloud.ask(bob.sign)).headers['openstack-auth-receipt']!
  assert.equal(await withTotp(other), 401)
  const before = await receiptOf()
  await cloud.admin.identity.patch(`/users/${member.user.id}`, { user: { password: 'pw' } })
  assert.equal(await withTotp(before), 401)
  assert.equal(await withTotp(await receiptOf()), 201)
})

test('rules hold unless they are switched off; a wrong first method gets no receipt', async (t) => {
  const { cloud, member, ask } = await world(t, { multi_factor_auth_rules: [['password', 'totp']] })
  assert.equal((await ask(['password'])).status, 401)
  const more = { password: { user: { id: member.user.id, password: 'wrong' } } }
  assert.equal((await ask(['password'], { more })).headers['openstack-auth-receipt'], undefined)
  await cloud.admin.identity.patch(`/users/${member.user.id}`, { user: { options: { multi_factor_auth_enabled: false } } })
  assert.equal((await ask(['password'])).status, 201)
})

test('CVE-2026-44394: however one logged in, a token made of the token ends with it', async (t) => {
  const { cloud, member, ask } = await world(t)
  for (const methods of [['totp'], ['password'], ['password', 'totp']]) {
    const first = await ask(methods)
    let token = first.headers['x-subject-token']!
    for (let round = 0; round < 3; round++) {
      cloud.clock.advance(10 * minute)
      const next = await cloud.rescope(token, { project: { id: member.project.id } })
      assert.equal(next.body.token.expires_at, first.body.token.expires_at)
      token = next.headers['x-subject-token']!
    }
    cloud.clock.advance(31 * minute)
    assert.equal((await cloud.rescope(token)).status, 404)
  }
})

test('an application credential gets no receipt: what was delegated is no half of a login', async (t) => {
  const { cloud, member } = await world(t)
  const client = await cloud.signIn(member.sign)
  const path = `/users/${member.user.id}/application_credentials`
  const made = (await client.identity.post(path, { application_credential: { name: 'robot' } })).body.application_credential
  const options = { multi_factor_auth_rules: [['application_credential', 'totp']] }
  await cloud.admin.identity.patch(`/users/${member.user.id}`, { user: { options } })
  const identity = { methods: ['application_credential'], application_credential: { id: made.id, secret: made.secret } }
  const answer = await cloud.withToken(undefined).identity.post('/auth/tokens', { auth: { identity } })
  assert.deepEqual([answer.status, answer.headers['openstack-auth-receipt']], [401, undefined])
})
