import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { identityCloud, newMember } from './signing-in.ts'
import { signedV4, stampOf } from './signing-requests.ts'

async function world(t: TestContext) {
  const cloud = await identityCloud(t)
  const member = await newMember(cloud)
  const client = await cloud.signIn(member.sign)
  const keysPath = `/users/${member.user.id}/credentials/OS-EC2`
  const newKeys = async (): Promise<Json> =>
    (await client.identity.post(keysPath, { tenant_id: member.project.id })).body.credential
  const check = (credentials: Json, by = cloud.service) => by.identity.post('/ec2tokens', { credentials })
  return { cloud, member, client, keysPath, newKeys, check }
}

const rowsOf = async (cloud: Awaited<ReturnType<typeof identityCloud>>, table: string) =>
  JSON.stringify(
    await cloud.cloud.db.read
      .selectFrom(table as never)
      .selectAll()
      .execute(),
  )

test('credentials are made, shown, changed and deleted; at rest they are sealed', async (t) => {
  const { cloud, member, client } = await world(t)
  const blob = '{"access": "AKIA", "secret": "swordfish"}'
  const wanted = { type: 'ec2', blob, user_id: member.user.id, project_id: member.project.id }
  const made = (await client.identity.post('/credentials', { credential: wanted })).body.credential
  assert.deepEqual([made.blob, made.user_id, made.project_id, made.type], [blob, member.user.id, member.project.id, 'ec2'])
  assert.ok(!(await rowsOf(cloud, 'identity_credential')).includes('swordfish'))
  const path = `/credentials/${made.id}`
  assert.equal((await client.identity.get(path)).body.credential.blob, blob)
  const changed = '{"access": "AKIA", "secret": "other"}'
  assert.equal((await client.identity.patch(path, { credential: { blob: changed } })).body.credential.blob, changed)
  assert.equal((await client.identity.post('/credentials', { credential: wanted })).status, 409)
  assert.equal((await client.identity.delete(path)).status, 204)
  assert.equal((await cloud.admin.identity.get(path)).status, 404)
})

test('what is no credential is refused', async (t) => {
  const { member, client } = await world(t)
  const make = (credential: Json) =>
    client.identity.post('/credentials', { credential: { user_id: member.user.id, ...credential } })
  assert.equal((await make({ type: 'ec2', blob: '{"access":"a"}' })).status, 400)
  for (const blob of ['text', '[]', 'null', '{}', '{"access":5}'])
    assert.equal((await make({ type: 'ec2', blob, project_id: member.project.id })).status, 400, blob)
  assert.equal((await make({ type: 'ec2', blob: '{"access":"a"}', project_id: 'nothing' })).status, 404)
})

test('OSSA-2020-004: neither the owner nor the project of a credential changes, and no trust is written into it', async (t) => {
  const { cloud, member, client } = await world(t)
  const blob = '{"access": "AKIA", "secret": "x"}'
  const wanted = { type: 'ec2', blob, user_id: member.user.id, project_id: member.project.id }
  const { id } = (await client.identity.post('/credentials', { credential: wanted })).body.credential
  const other = await newMember(cloud, { name: 'bob' })
  const change = (credential: Json, by = client) => by.identity.patch(`/credentials/${id}`, { credential })
  for (const more of [
    { user_id: other.user.id },
    { project_id: other.project.id },
    { type: 'totp' },
    { blob: '{"access": "other", "secret": "x"}' },
    { blob: '{"access": "AKIA", "secret": "x", "trust_id": "1"}' },
    { blob: '{"access": "AKIA", "secret": "x", "app_cred_id": "1"}' },
    { trust_id: '1' },
  ])
    assert.equal((await change({ blob, ...more })).status, 400, JSON.stringify(more))
  const admin = await cloud.signIn()
  assert.equal((await change({ blob, user_id: other.user.id }, admin)).status, 400)
  assert.equal((await change({ blob, project_id: other.project.id }, admin)).status, 200)
  for (const key of ['trust_id', 'app_cred_id', 'access_token_id']) {
    const credential = { ...wanted, blob: JSON.stringify({ access: 'b', secret: 'x', [key]: '1' }) }
    assert.equal((await client.identity.post('/credentials', { credential })).status, 400)
  }
})

test('OSSA-2019-006: a list shows the own credentials only, whatever filter is given', async (t) => {
  const { cloud, member, client } = await world(t)
  const other = await newMember(cloud, { name: 'bob' })
  for (const { user } of [member, other])
    await cloud.make('/credentials', { credential: { type: 'totp', blob: 'GEZDGNBV', user_id: user.id } })
  const owners = async (query: string, by = client) =>
    (await by.identity.get(`/credentials${query}`)).body.credentials.map((one: Json) => one.user_id)
  assert.deepEqual(await owners(''), [member.user.id])
  assert.deepEqual(await owners(`?user_id=${other.user.id}`), [])
  assert.deepEqual(await owners('?type=totp&limit=10'), [member.user.id])
  assert.equal((await owners('', await cloud.signIn())).length, 2)
})

test('EC2 keys are made below their user, and nobody else’s are seen there', async (t) => {
  const { cloud, member, client, keysPath, newKeys } = await world(t)
  const keys = await newKeys()
  assert.deepEqual([keys.user_id, keys.tenant_id, keys.trust_id], [member.user.id, member.project.id, null])
  assert.equal((await client.identity.get(`${keysPath}/${keys.access}`)).body.credential.secret, keys.secret)
  assert.equal((await client.identity.get(keysPath)).body.credentials.length, 1)
  const bob = await newMember(cloud, { name: 'bob' })
  const other = await cloud.signIn(bob.sign)
  const path = `/users/${bob.user.id}/credentials/OS-EC2/${keys.access}`
  assert.equal((await other.identity.get(path)).status, 404)
  assert.equal((await other.identity.delete(path)).status, 404)
  for (const one of [keysPath, `${keysPath}/${keys.access}`, `${keysPath}/nothing`])
    assert.equal((await other.identity.get(one)).status, 403)
  assert.equal((await other.identity.delete(`${keysPath}/${keys.access}`)).status, 403)
  assert.equal((await client.identity.delete(`${keysPath}/${keys.access}`)).status, 204)
  assert.equal((await client.identity.get(keysPath)).body.credentials.length, 0)
  assert.equal((await client.identity.get(`${keysPath}/${keys.access}`)).status, 404)
})

test('a signed request is its signer’s, with the roles on the project of the keys', async (t) => {
  const { cloud, member, newKeys, check } = await world(t)
  const keys = await newKeys()
  const answer = await check(signedV4(keys, stampOf(cloud.clock.now())))
  assert.equal(answer.status, 200)
  const { token } = answer.body
  assert.deepEqual([token.user.id, token.project.id, token.methods], [member.user.id, member.project.id, ['ec2credential']])
  const caller = await cloud.cloud.contracts.identity.authenticate({ token: answer.headers['x-subject-token']! })
  assert.equal(caller?.delegation, 'ec2')
  const signed = signedV4(keys, stampOf(cloud.clock.now()))
  for (const bad of [
    { ...signed, signature: 'x' },
    { ...signed, access: 'x' },
    { ...signed, path: '/other' },
    { ...signed, params: { Action: 'Bar' } },
    { ...signed, headers: { ...signed.headers, Host: 'other' } },
    { access: keys.access },
    {},
  ])
    assert.equal((await check(bad)).status, 401)
})

test('an older signature, of version 2, is known as well', async (t) => {
  const { cloud, newKeys, check } = await world(t)
  const { access, secret } = await newKeys()
  const Timestamp = new Date(cloud.clock.now() / 1000).toISOString()
  const params = { AWSAccessKeyId: access, Action: 'Foo', SignatureMethod: 'HmacSHA256', SignatureVersion: '2', Timestamp }
  const query = Object.entries(params)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const signature = createHmac('sha256', secret).update(`GET\ncloud\n/services\n${query}`).digest('base64')
  const request = { access, signature, verb: 'GET', host: 'cloud:8773', path: '/services', params }
  assert.equal((await check(request)).status, 200)
  cloud.clock.advance(16 * minute)
  assert.equal((await check(request)).status, 401)
})

test('OSSA-2020-003: a signature is good for a quarter of an hour, and without a signed time not at all', async (t) => {
  const { cloud, newKeys, check } = await world(t)
  const keys = await newKeys()
  const signed = signedV4(keys, stampOf(cloud.clock.now()))
  cloud.clock.advance(14 * minute)
  assert.equal((await check(signed)).status, 200)
  cloud.clock.advance(2 * minute)
  assert.equal((await check(signed)).status, 401)
  const now = new Date(cloud.clock.now() / 1000).toISOString()
  // A time beside the one that was signed counts for nothing.
  assert.equal((await check({ ...signed, params: { ...signed.params, Timestamp: now } })).status, 401)
  assert.equal((await check({ ...signed, headers: { ...signed.headers, 'x-amz-date': stampOf(cloud.clock.now()) } })).status, 401)
  const future = signedV4(keys, stampOf(cloud.clock.now() + 60 * minute))
  assert.equal((await check(future)).status, 401)
})

test('OSSA-2025-002: who has only a signature gets no token for it; services show who they are', async (t) => {
  const { cloud, client, newKeys, check } = await world(t)
  const signed = signedV4(await newKeys(), stampOf(cloud.clock.now()))
  for (const path of ['/ec2tokens', '/s3tokens']) {
    assert.equal((await cloud.withToken(undefined).identity.post(path, { credentials: signed })).status, 401)
    assert.equal((await client.identity.post(path, { credentials: signed })).status, 403)
  }
  assert.equal((await check(signed)).status, 200)
})

test('S3: what was signed with version 1 or 4 is its signer’s, and the answer has no token', async (t) => {
  const { cloud, member, newKeys } = await world(t)
  const { access, secret } = await newKeys()
  const ask = (text: string, signature: string) =>
    cloud.service.identity.post('/s3tokens', {
      credentials: { access, signature, token: Buffer.from(text).toString('base64url') },
    })
  const v1 = 'GET\n\n\nMon, 01 Jan 2026 00:00:00 GMT\n/bucket'
  const good = await ask(v1, createHmac('sha1', secret).update(v1).digest('base64'))
  assert.deepEqual([good.status, good.body.token.user.id, good.headers['x-subject-token']], [200, member.user.id, undefined])
  const v4 = 'AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/r/s3/aws4_request\nabc'
  const sign = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = ['r', 's3', 'aws4_request'].reduce(sign, sign(`AWS4${secret}`, '20260101'))
  assert.equal((await ask(v4, sign(key, v4).toString('hex'))).status, 200)
  assert.equal((await ask(`${v4}\n`, sign(key, `${v4}\n`).toString('hex'))).status, 401)
  assert.equal((await ask(v1, 'x')).status, 401)
})

test('OSSA-2013-032, OSSA-2013-005, OSSA-2012-018: the way by EC2 keys ends with the user, the project, the role and the domain', async (t) => {
  const { cloud, member, newKeys, check } = await world(t)
  const keys = await newKeys()
  const ask = async () => (await check(signedV4(keys, stampOf(cloud.clock.now())))).status
  const flip = async (path: string, noun: string) => {
    const before = (await check(signedV4(keys, stampOf(cloud.clock.now())))).headers['x-subject-token']!
    await cloud.admin.identity.patch(path, { [noun]: { enabled: false } })
    assert.ok(!(await cloud.isValid(before)))
    assert.equal(await ask(), 401, `${noun} disabled`)
    await cloud.admin.identity.patch(path, { [noun]: { enabled: true } })
    assert.equal(await ask(), 200, `${noun} enabled`)
  }
  await flip(`/users/${member.user.id}`, 'user')
  await flip(`/projects/${member.project.id}`, 'project')
  await cloud.admin.identity.delete(
    `/projects/${member.project.id}/users/${member.user.id}/roles/${await cloud.roleId('member')}`,
  )
  assert.equal(await ask(), 401)
})

test('keys rotate: nobody is logged out, and what was sealed stays readable with the new key only', async (t) => {
  const { cloud, client, newKeys, check } = await world(t)
  const keys = await newKeys()
  const [sealed, secrets] = [await rowsOf(cloud, 'identity_credential'), await rowsOf(cloud, 'identity_secret_key')]
  await cloud.cloud.contracts.identity.rotateKeys({})
  assert.notEqual(await rowsOf(cloud, 'identity_credential'), sealed)
  const kept = JSON.parse(await rowsOf(cloud, 'identity_secret_key'))
  assert.equal(kept.length, 1)
  assert.notEqual(JSON.stringify(kept), secrets)
  assert.ok(await cloud.isValid(client.token))
  assert.equal((await check(signedV4(keys, stampOf(cloud.clock.now())))).status, 200)
})

test('with keys of its own, kept outside, nothing in the database opens what is sealed', async (t) => {
  const credentialKeys = [Buffer.alloc(32, 7).toString('base64url')]
  const cloud = await identityCloud(t, { credentialKeys })
  const { user } = await newMember(cloud)
  const { id } = await cloud.make('/credentials', { credential: { type: 'totp', blob: 'GEZDGNBV', user_id: user.id } })
  assert.equal(await rowsOf(cloud, 'identity_secret_key'), '[]')
  await cloud.cloud.contracts.identity.rotateKeys({})
  assert.equal(await rowsOf(cloud, 'identity_secret_key'), '[]')
  assert.equal((await cloud.admin.identity.get(`/credentials/${id}`)).body.credential.blob, 'GEZDGNBV')
})
