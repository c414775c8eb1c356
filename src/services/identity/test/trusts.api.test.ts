import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { day, isoMicros, minute } from '../../../kit/clock.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

async function world(t: TestContext) {
  const cloud = await identityCloud(t)
  const trustor = await newMember(cloud, { name: 'ann', role: 'manager' })
  const trustee = await newMember(cloud, { name: 'bob' })
  const client = await cloud.signIn(trustor.sign)
  const trust = async (more: Json = {}, by = client) => {
    const wanted = {
      trustor_user_id: trustor.user.id,
      trustee_user_id: trustee.user.id,
      project_id: trustor.project.id,
      impersonation: true,
      roles: [{ name: 'member' }],
      ...more,
    }
    return by.identity.post('/OS-TRUST/trusts', { trust: wanted })
  }
  const consume = (id: string, who: Json = trustee.user) =>
    cloud.ask({ id: who.id, password: 'pw', scope: { 'OS-TRUST:trust': { id } } })
  return { cloud, trustor, trustee, client, trust, consume }
}

const asClient = (cloud: IdentityCloud, answer: { headers: Record<string, string> }) => {
  const token = answer.headers['x-subject-token']!
  return { ...cloud.withToken(token), token }
}

test('a trust is made, shown, listed and deleted; and then nobody gets a token with it', async (t) => {
  const { cloud, trustor, trustee, client, trust, consume } = await world(t)
  const made = await trust({ expires_at: isoMicros(cloud.clock.now() + day) })
  assert.equal(made.status, 201)
  const { id, roles, expires_at, remaining_uses, links, redelegation_count } = made.body.trust
  assert.deepEqual([roles.length, roles[0].name, remaining_uses, redelegation_count], [1, 'member', null, 0])
  assert.match(expires_at, /^\d{4}-\d\d-\d\dT.*\.\d{6}Z$/)
  assert.match(links.self, /\/v3\/OS-TRUST\/trusts\//)
  assert.equal((await client.identity.get(`/OS-TRUST/trusts/${id}`)).body.trust.id, id)
  assert.equal((await client.identity.get(`/OS-TRUST/trusts/${id}/roles`)).body.roles[0].name, 'member')
  assert.equal((await client.identity.get(`/OS-TRUST/trusts/${id}/roles/${roles[0].id}`)).status, 200)
  assert.equal((await client.identity.get(`/OS-TRUST/trusts/${id}/roles/${await cloud.roleId('admin')}`)).status, 404)
  const listed = await client.identity.get(`/OS-TRUST/trusts?trustor_user_id=${trustor.user.id}`)
  assert.deepEqual(
    listed.body.trusts.map((one: Json) => one.id),
    [id],
  )
  assert.equal((await client.identity.get('/OS-TRUST/trusts')).status, 403)
  assert.equal((await client.identity.get(`/OS-TRUST/trusts?trustor_user_id=${trustee.user.id}`)).status, 403)
  assert.equal((await cloud.admin.identity.get('/OS-TRUST/trusts')).body.trusts.length, 1)
  const token = asClient(cloud, await consume(id))
  assert.equal((await client.identity.delete(`/OS-TRUST/trusts/${id}`)).status, 204)
  assert.equal((await client.identity.get(`/OS-TRUST/trusts/${id}`)).status, 404)
  assert.ok(!(await cloud.isValid(token.token)))
  assert.equal((await consume(id)).status, 401)
})

test('with impersonation a token is the trustor’s, without it the trustee’s; both have the delegated roles only', async (t) => {
  const { cloud, trustor, trustee, trust, consume } = await world(t)
  for (const impersonation of [true, false]) {
    const { id } = (await trust({ impersonation })).body.trust
    const { token } = (await consume(id)).body
    assert.equal(token.user.id, impersonation ? trustor.user.id : trustee.user.id)
    assert.equal(token.project.id, trustor.project.id)
    assert.deepEqual(token.roles.map((role: Json) => role.name).sort(), ['member', 'reader'])
    assert.deepEqual(token['OS-TRUST:trust'], {
      id,
      trustor_user: { id: trustor.user.id },
      trustee_user: { id: trustee.user.id },
      impersonation,
    })
    const caller = await cloud.cloud.contracts.identity.authenticate({ token: (await consume(id)).headers['x-subject-token']! })
    assert.equal(caller?.delegation, 'trust')
  }
})

test('only the trustor makes a trust, only with roles it has there, and only the trustee uses it', async (t) => {
  const { cloud, trustor, trustee, trust, consume } = await world(t)
  const { id } = (await trust()).body.trust
  assert.equal((await consume(id, trustor.user)).status, 403)
  const bob = await cloud.signIn(trustee.sign)
  assert.equal((await trust({}, bob)).status, 403)
  assert.equal((await trust({ roles: [{ name: 'admin' }] })).status, 404)
  assert.equal((await trust({ roles: [] })).status, 403)
  assert.equal((await trust({ project_id: trustee.project.id })).status, 404)
  assert.equal((await trust({ expires_at: 'bad.123Z' })).status, 400)
  assert.equal((await trust({ expires_at: '2000-01-01T00:00:00Z' })).status, 400)
  assert.equal((await trust({ trustee_user_id: 'nobody' })).status, 404)
  assert.equal((await consume('nothing')).status, 401)
})

test('a trust with so many uses is good for no more tokens, even of two at once', async (t) => {
  const { cloud, trust, consume } = await world(t)
  const { id } = (await trust({ remaining_uses: 2 })).body.trust
  const answers = await Promise.all(Array.from({ length: 5 }, () => consume(id)))
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, 201, 401, 401, 401])
  const good = answers.find((answer) => answer.status === 201)!
  assert.ok(await cloud.isValid(good.headers['x-subject-token']!), 'a token of the last use lives on')
  assert.equal((await trust({ remaining_uses: 0 })).status, 400)
})

test('a trust ends when it says, and its tokens not later', async (t) => {
  const { cloud, trust, consume } = await world(t)
  const end = isoMicros(cloud.clock.now() + 10 * minute)
  const { id } = (await trust({ expires_at: end })).body.trust
  const answer = await consume(id)
  assert.equal(answer.body.token.expires_at, end)
  cloud.clock.advance(11 * minute)
  assert.ok(!(await cloud.isValid(answer.headers['x-subject-token']!)))
  assert.equal((await consume(id)).status, 401)
})

test('OSSA-2014-006, OSSA-2013-032: a trust’s tokens die with the trustor’s role, and when trustor or trustee is disabled', async (t) => {
  const { cloud, trustor, trustee, trust, consume } = await world(t)
  const { id } = (await trust()).body.trust
  for (const { user } of [trustor, trustee]) {
    const token = (await consume(id)).headers['x-subject-token']!
    await cloud.admin.identity.patch(`/users/${user.id}`, { user: { enabled: false } })
    assert.ok(!(await cloud.isValid(token)))
    assert.equal((await consume(id)).status, 401)
    await cloud.admin.identity.patch(`/users/${user.id}`, { user: { enabled: true } })
    assert.ok(!(await cloud.isValid(token)), 'also when enabled again')
  }
  const token = (await consume(id)).headers['x-subject-token']!
  const grants = `/projects/${trustor.project.id}/users/${trustor.user.id}/roles`
  await cloud.admin.identity.put(`${grants}/${await cloud.roleId('reader')}`)
  await cloud.admin.identity.delete(`${grants}/${await cloud.roleId('manager')}`)
  assert.ok(!(await cloud.isValid(token)))
  const bob = await cloud.signIn(trustee.sign)
  const mine = await bob.identity.get(`/OS-TRUST/trusts?trustee_user_id=${trustee.user.id}`)
  assert.equal(mine.body.trusts.length, 1)
})

test('OSSA-2014-022: a trust’s token is for the trust’s project, whatever else is asked for', async (t) => {
  const { cloud, trustor, trustee, trust, consume } = await world(t)
  const { id } = (await trust()).body.trust
  const both = { 'OS-TRUST:trust': { id }, project: { id: trustee.project.id } }
  assert.equal((await cloud.ask({ id: trustee.user.id, password: 'pw', scope: both })).status, 400)
  const token = asClient(cloud, await consume(id))
  assert.equal((await cloud.rescope(token.token, { project: { id: trustor.project.id } })).status, 403)
  assert.equal((await cloud.rescope(token.token, { 'OS-TRUST:trust': { id } })).status, 403)
})

test('CVE-2026-43000, OSSA-2014-018: a redelegated trust gives nothing that the first one does not', async (t) => {
  const { cloud, trustor, trustee, trust, consume } = await world(t)
  const carol = await newMember(cloud, { name: 'carol' })
  const expires_at = isoMicros(cloud.clock.now() + day)
  const first = (await trust({ allow_redelegation: true, expires_at })).body.trust
  assert.equal(first.redelegation_count, 3)
  const bob = asClient(cloud, await consume(first.id))
  const again = (more: Json) => trust({ trustee_user_id: carol.user.id, ...more }, bob)
  for (const more of [
    { roles: [{ name: 'manager' }] },
    { expires_at: isoMicros(cloud.clock.now() + 2 * day) },
    { redelegation_count: 3, allow_redelegation: true },
    { remaining_uses: 1 },
  ])
    assert.equal((await again(more)).status, 403, JSON.stringify(more))
  assert.equal((await again({ roles: [{ name: 'reader' }] })).status, 403, 'reader was not delegated by that name')
  const made = (await again({ allow_redelegation: true })).body.trust
  assert.deepEqual([made.redelegation_count, made.redelegated_trust_id, made.expires_at], [2, first.id, expires_at])
  const answer = await consume(made.id, carol.user)
  assert.equal(answer.body.token.user.id, trustor.user.id)
  // Whoever is in the chain and is disabled breaks it; who takes away the first takes away the rest.
  await cloud.admin.identity.patch(`/users/${trustee.user.id}`, { user: { enabled: false } })
  assert.ok(!(await cloud.isValid(answer.headers['x-subject-token']!)))
  await cloud.admin.identity.patch(`/users/${trustee.user.id}`, { user: { enabled: true } })
  assert.equal((await consume(made.id, carol.user)).status, 201)
  await cloud.admin.identity.delete(`/OS-TRUST/trusts/${first.id}`)
  assert.equal((await consume(made.id, carol.user)).status, 401)
  assert.equal((await cloud.admin.identity.get('/OS-TRUST/trusts')).body.trusts.length, 0)
})

test('a trust that may not be handed on is not, and one without impersonation gives none', async (t) => {
  const { cloud, trustee, trust, consume } = await world(t)
  const carol = await newMember(cloud, { name: 'carol' })
  const closed = (await trust()).body.trust
  const bob = asClient(cloud, await consume(closed.id))
  assert.equal((await trust({ trustee_user_id: carol.user.id }, bob)).status, 403)
  const open = (await trust({ allow_redelegation: true, impersonation: false })).body.trust
  const asBob = asClient(cloud, await consume(open.id))
  const wanted = { trustor_user_id: trustee.user.id, trustee_user_id: carol.user.id }
  assert.equal((await trust({ ...wanted, impersonation: true }, asBob)).status, 403)
  assert.equal((await trust({ ...wanted, impersonation: false }, asBob)).status, 201)
})
