import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { identityCloud, newMember } from './signing-in.ts'

const config = {
  ldap: { url: 'ldap://here', user_tree_dn: 'ou=people', password: 'swordfish' },
  identity: { driver: 'ldap' },
}

async function world(t: TestContext) {
  const cloud = await identityCloud(t)
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  const at = `/domains/${domain.id}/config`
  return { cloud, domain, at, identity: cloud.admin.identity }
}

test('a domain’s options are set, shown without what is secret, changed and taken off', async (t) => {
  const { cloud, at, identity } = await world(t)
  assert.equal((await identity.get(at)).status, 404)
  const shown = { ldap: { url: 'ldap://here', user_tree_dn: 'ou=people' }, identity: { driver: 'ldap' } }
  const made = await identity.put(at, { config })
  assert.deepEqual([made.status, made.body.config], [201, shown])
  assert.equal((await identity.put(at, { config })).status, 200)
  assert.deepEqual((await identity.get(at)).body.config, shown)
  assert.deepEqual((await identity.get(`${at}/ldap`)).body.config, { ldap: shown.ldap })
  assert.deepEqual((await identity.get(`${at}/ldap/url`)).body.config, { url: 'ldap://here' })
  assert.equal((await identity.get(`${at}/ldap/password`)).status, 404)
  const rows = await cloud.cloud.db.read
    .selectFrom('identity_domain_option' as never)
    .selectAll()
    .execute()
  assert.ok(!JSON.stringify(rows).includes('swordfish'))
  const option = await identity.patch(`${at}/ldap/url`, { config: { url: 'ldap://there' } })
  assert.equal(option.body.config.ldap.url, 'ldap://there')
  const group = await identity.patch(`${at}/ldap`, { config: { ldap: { suffix: 'dc=x' } } })
  assert.deepEqual(Object.keys(group.body.config.ldap), ['suffix', 'url', 'user_tree_dn'])
  assert.equal((await identity.delete(`${at}/ldap/url`)).status, 204)
  assert.equal((await identity.delete(`${at}/ldap/url`)).status, 404)
  assert.equal((await identity.delete(`${at}/ldap`)).status, 204)
  assert.deepEqual((await identity.get(at)).body.config, { identity: { driver: 'ldap' } })
  assert.equal((await identity.delete(at)).status, 204)
})

test('no domain sets anything but what domains may', async (t) => {
  const { at, identity } = await world(t)
  for (const bad of [{}, { ldap: {} }, { ldap: 'x' }, { token: { provider: 'x' } }, { ldap: { nonsense: 1 } }])
    assert.equal((await identity.put(at, { config: bad })).status, 403, JSON.stringify(bad))
  await identity.put(at, { config })
  const patch = async (rest: string, body: object) => (await identity.patch(`${at}${rest}`, { config: body })).status
  assert.equal(await patch('/ldap', { identity: { driver: 'sql' } }), 403)
  assert.equal(await patch('/ldap/url', { suffix: 'x' }), 403)
  assert.equal(await patch('/ldap/suffix', { suffix: 'x' }), 404)
  assert.equal(await patch('/token', { token: { a: 1 } }), 403)
  assert.equal((await identity.get(`${at}/ldap/nonsense`)).status, 403)
  assert.equal((await identity.put('/domains/nothing/config', { config })).status, 404)
})

test('what holds without is told, but for secrets', async (t) => {
  const { identity } = await world(t)
  assert.equal((await identity.get('/domains/config/default')).body.config.identity.driver, 'sql')
  assert.equal((await identity.get('/domains/config/ldap/default')).body.config.ldap.user_name_attribute, 'sn')
  assert.deepEqual((await identity.get('/domains/config/ldap/url/default')).body.config, { url: 'ldap://localhost' })
  assert.equal((await identity.get('/domains/config/ldap/password/default')).status, 403)
  assert.equal((await identity.get('/domains/config/token/default')).status, 403)
})

test('revocation events are listed, since when they are asked for', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const { token } = await cloud.signIn()
  await cloud.admin.identity.delete('/auth/tokens', { headers: { 'x-subject-token': token } })
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { password: 'new' } })
  const { events } = (await cloud.service.identity.get('/OS-REVOKE/events')).body
  assert.deepEqual(
    events.map((one: object) => Object.keys(one)[0]),
    ['audit_id', 'audit_chain_id', 'user_id'],
  )
  assert.equal(events[2].user_id, user.id)
  const since = encodeURIComponent(events[2].issued_before)
  assert.equal((await cloud.service.identity.get(`/OS-REVOKE/events?since=${since}`)).body.events.length, 1)
  assert.equal((await cloud.service.identity.get('/OS-REVOKE/events?since=yesterday')).status, 400)
  const member = await cloud.signIn({ ...sign, password: 'new' })
  assert.equal((await member.identity.get('/OS-REVOKE/events')).status, 403)
})
