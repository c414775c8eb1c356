import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { adminProject, identityCloud, newMember } from './signing-in.ts'

test('a revoked token is void, others of the same user are not', async (t) => {
  const cloud = await identityCloud(t)
  const { sign } = await newMember(cloud)
  const [one, two] = [await cloud.signIn(sign), await cloud.signIn(sign)]
  assert.equal((await one.identity.delete('/auth/tokens', { headers: { 'x-subject-token': one.token } })).status, 204)
  assert.equal((await one.identity.get('/auth/projects')).status, 401)
  assert.ok(!(await cloud.isValid(one.token)))
  assert.ok(await cloud.isValid(two.token))
})

test('OSSA-2016-008: revoking a token voids what was made of it, however often it was rescoped', async (t) => {
  const cloud = await identityCloud(t)
  const parent = await cloud.signIn()
  const child = (await cloud.rescope(parent.token, adminProject)).headers['x-subject-token']!
  const grandchild = (await cloud.rescope(child, adminProject)).headers['x-subject-token']!
  const sibling = (await cloud.rescope(parent.token)).headers['x-subject-token']!
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': child } })
  assert.deepEqual(await Promise.all([child, sibling, parent.token].map(cloud.isValid)), [false, true, true])
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': parent.token } })
  assert.deepEqual(await Promise.all([parent.token, grandchild, sibling].map(cloud.isValid)), [false, false, false])
})

test('OSSA-2016-005: the same token in another spelling is revoked as well', async (t) => {
  const cloud = await identityCloud(t)
  const { token } = await cloud.signIn()
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': token } })
  for (const other of [`${token}=`, `${token}==`]) assert.ok(!(await cloud.isValid(other)))
})

test('OSSA-2014-026, OSSA-2012-016: a disabled user, project or domain voids tokens at once, and enabling again does not bring them back', async (t) => {
  const cloud = await identityCloud(t)
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  const { user, project, sign } = await newMember(cloud, { domain: domain.id })
  const switches: [string, string][] = [
    [`/users/${user.id}`, 'user'],
    [`/projects/${project.id}`, 'project'],
    [`/domains/${domain.id}`, 'domain'],
  ]
  for (const [path, key] of switches) {
    const { token } = await cloud.signIn(sign)
    assert.ok(await cloud.isValid(token))
    await cloud.admin.identity.patch(path, { [key]: { enabled: false } })
    assert.ok(!(await cloud.isValid(token)), `${key} disabled`)
    assert.equal((await cloud.ask(sign)).status, 401)
    await cloud.admin.identity.patch(path, { [key]: { enabled: true } })
    assert.ok(!(await cloud.isValid(token)), `${key} enabled again`)
    assert.equal((await cloud.ask(sign)).status, 201)
  }
})

test('OSSA-2012-014: a role that is taken away is gone from tokens at once, and without any role the token is void', async (t) => {
  const cloud = await identityCloud(t)
  const { user, project, sign } = await newMember(cloud, { role: 'manager' })
  const [manager, reader] = [await cloud.roleId('manager'), await cloud.roleId('reader')]
  const { token } = await cloud.signIn(sign)
  const grants = `/projects/${project.id}/users/${user.id}/roles`
  await cloud.admin.identity.put(`${grants}/${reader}`)
  await cloud.admin.identity.delete(`${grants}/${manager}`)
  assert.deepEqual((await cloud.cloud.contracts.identity.authenticate({ token }))?.roles, ['reader'])
  await cloud.admin.identity.delete(`${grants}/${reader}`)
  assert.ok(!(await cloud.isValid(token)))
})

test('a deleted user, project or domain takes its tokens with it', async (t) => {
  const cloud = await identityCloud(t)
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  const ann = await newMember(cloud, { domain: domain.id, name: 'ann' })
  const bob = await newMember(cloud, { domain: domain.id, name: 'bob' })
  const eve = await newMember(cloud, { domain: domain.id, name: 'eve' })
  const tokens = await Promise.all([ann, bob, eve].map(async ({ sign }) => (await cloud.signIn(sign)).token))
  await cloud.admin.identity.delete(`/users/${ann.user.id}`)
  await cloud.admin.identity.delete(`/projects/${bob.project.id}`)
  assert.deepEqual(await Promise.all(tokens.map(cloud.isValid)), [false, false, true])
  await cloud.admin.identity.patch(`/domains/${domain.id}`, { domain: { enabled: false } })
  assert.equal((await cloud.admin.identity.delete(`/domains/${domain.id}`)).status, 204)
  assert.deepEqual(await Promise.all(tokens.map(cloud.isValid)), [false, false, false])
})

test('a new password voids the old tokens, whoever sets it; a token made in the same second afterwards is good', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const before = await cloud.signIn(sign)
  const change = { user: { original_password: 'pw', password: 'pw2' } }
  assert.equal((await before.identity.post(`/users/${user.id}/password`, change)).status, 204)
  assert.ok(!(await cloud.isValid(before.token)))
  assert.equal((await cloud.ask(sign)).status, 401)
  const after = await cloud.signIn({ ...sign, password: 'pw2' })
  assert.ok(await cloud.isValid(after.token))
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { password: 'pw3' } })
  assert.ok(!(await cloud.isValid(after.token)))
})

test('what was revoked stays revoked for as long as somebody may ask with allow_expired, then the row goes', async (t) => {
  const cloud = await identityCloud(t)
  const { token } = await cloud.signIn()
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': token } })
  const other = await cloud.signIn()
  cloud.clock.advance(24 * 60 * minute)
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': other.token } })
  const late = () => cloud.admin.identity.get('/auth/tokens?allow_expired=1', { headers: { 'x-subject-token': token } })
  assert.equal((await late()).status, 404)
  cloud.clock.advance(3 * 24 * 60 * minute)
  const fresh = await cloud.signIn()
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': fresh.token } })
  const rows = await cloud.cloud.db.read
    .selectFrom('identity_revocation' as never)
    .selectAll()
    .execute()
  assert.equal(rows.length, 2)
})

test('keys rotate as often as one likes and nobody is logged out; those that nobody needs any more go', async (t) => {
  const cloud = await identityCloud(t)
  const rotate = () => cloud.cloud.contracts.identity.rotateKeys({})
  const keys = async () =>
    (
      await cloud.cloud.db.read
        .selectFrom('identity_key' as never)
        .selectAll()
        .execute()
    ).length
  const tokens: string[] = []
  for (let round = 0; round < 5; round++) {
    tokens.push((await cloud.signIn()).token)
    await rotate()
  }
  assert.ok((await Promise.all(tokens.map(cloud.isValid))).every((valid) => valid))
  assert.equal(await keys(), 6)
  cloud.clock.advance(3 * 24 * 60 * minute)
  const late = await cloud.signIn()
  await rotate()
  assert.equal(await keys(), 2)
  assert.ok(await cloud.isValid(late.token))
})

test('a login that began before the password was changed makes no token that outlives it', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const parent = await cloud.signIn(sign)
  const change = { user: { password: 'new' } }
  // Whatever order the steps of the logins and of the change come in: afterwards nothing made with the old password is good.
  const racing = Array.from({ length: 10 }, (_, at) => (at % 2 ? cloud.ask(sign) : cloud.rescope(parent.token, sign.scope)))
  const [changed, ...answers] = await Promise.all([cloud.admin.identity.patch(`/users/${user.id}`, change), ...racing])
  assert.equal(changed?.status, 200)
  const late = await Promise.all(Array.from({ length: 5 }, () => cloud.ask(sign)))
  for (const answer of [...answers, ...late]) {
    const token = answer.headers['x-subject-token']
    if (token) assert.ok(!(await cloud.isValid(token)))
  }
})

test('after the database was restored from a backup, tokens of the lost time are void', async (t) => {
  const cloud = await identityCloud(t)
  const before = await cloud.signIn()
  const { db } = cloud.cloud
  const saved = await db.read
    .selectFrom('identity_generation' as never)
    .selectAll()
    .executeTakeFirstOrThrow()
  await cloud.make('/users', { user: { name: 'lost' } })
  const lost = await cloud.signIn()
  await db.transaction((tx) =>
    tx
      .updateTable('identity_generation' as never)
      .set(saved as never)
      .execute(),
  )
  assert.deepEqual(await Promise.all([before.token, lost.token].map(cloud.isValid)), [true, false])
})
