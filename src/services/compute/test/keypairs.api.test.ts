import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { blob, publicKey } from './keys.ts'

test('a key pair is brought, shown with its fingerprint, listed and deleted', async (t) => {
  const { member, reader } = await testCloud(t)
  const made = await member.compute.post('/os-keypairs', { keypair: { name: 'k1', public_key: publicKey } }, { version: '2.2' })
  assert.equal(made.status, 201)
  assert.deepEqual(made.body.keypair, {
    name: 'k1',
    public_key: publicKey,
    fingerprint: '9c:d3:4a:9a:ba:6c:02:d7:c7:01:c9:98:3d:2e:06:00',
    type: 'ssh',
    user_id: member.caller.userId,
  })
  const shown = (await member.compute.get('/os-keypairs/k1')).body.keypair
  assert.deepEqual([shown.id, shown.deleted, shown.updated_at], [1, false, null])
  assert.equal('type' in shown, false)
  assert.equal((await reader.compute.get('/os-keypairs/k1')).status, 404)
  assert.deepEqual((await reader.compute.get('/os-keypairs')).body, { keypairs: [] })
  assert.equal((await member.compute.get('/os-keypairs')).body.keypairs[0].keypair.name, 'k1')
  assert.equal((await member.compute.delete('/os-keypairs/k1')).status, 202)
  assert.equal((await member.compute.delete('/os-keypairs/k1', { version: '2.2' })).status, 404)
})

test('until 2.91 a key is made here when none is sent; from 2.92 on one must be sent', async (t) => {
  const { member } = await testCloud(t)
  const make = (name: string, version: string) => member.compute.post('/os-keypairs', { keypair: { name } }, { version })
  const made = await make('k1', '2.91')
  assert.match(made.body.keypair.private_key, /^-----BEGIN RSA PRIVATE KEY-----/)
  assert.match(made.body.keypair.public_key, /^ssh-rsa AAAAB3NzaC1yc2E/)
  assert.equal((await member.compute.get('/os-keypairs/k1')).body.keypair.private_key, undefined)
  assert.equal((await make('k2', '2.92')).status, 400)
  const named = (name: string, version: string) =>
    member.compute.post('/os-keypairs', { keypair: { name, public_key: publicKey } }, { version })
  assert.equal((await named('a@b.c', '2.91')).status, 400)
  assert.equal((await named('a@b.c', '2.92')).status, 201)
})

test('what is no key is refused, and a taken name is a conflict', async (t) => {
  const { member } = await testCloud(t)
  const make = (public_key: string, name = 'k1') => member.compute.post('/os-keypairs', { keypair: { name, public_key } })
  for (const bad of ['', 'ssh-rsa', 'ssh-rsa AAAA', `ssh-rsa ${blob.toString('base64')}`, 'nonsense x y'])
    assert.equal((await make(bad)).status, 400, bad)
  assert.equal((await make(publicKey)).status, 200)
  assert.equal((await make(publicKey)).status, 409)
  assert.equal((await make(publicKey, 'a/b')).status, 400)
})

test('only admins act for another user, and keys beyond the quota are refused', async (t) => {
  const { admin, member } = await testCloud(t)
  const other = { version: '2.10' }
  const theirs = { keypair: { name: 'k1', public_key: publicKey, user_id: member.caller.userId } }
  const mine = { keypair: { name: 'k1', public_key: publicKey, user_id: admin.caller.userId } }
  assert.equal((await member.compute.post('/os-keypairs', mine, other)).status, 403)
  assert.equal((await admin.compute.post('/os-keypairs', theirs, other)).status, 201)
  assert.equal((await member.compute.get('/os-keypairs/k1')).status, 200)
  assert.equal((await member.compute.get(`/os-keypairs?user_id=${admin.caller.userId}`, other)).status, 403)
  const quota = { quota_set: { key_pairs: 2 } }
  assert.equal((await admin.compute.put(`/os-quota-sets/${member.caller.projectId}`, quota)).status, 200)
  const make = (name: string) => member.compute.post('/os-keypairs', { keypair: { name, public_key: publicKey } })
  assert.equal((await make('k2')).status, 200)
  const over = await make('k3')
  assert.deepEqual(over.body, { forbidden: { code: 403, message: 'Quota exceeded, too many key pairs.' } })
  const page = await member.compute.get('/os-keypairs?limit=1', { version: '2.35' })
  assert.match(page.body.keypairs_links[0].href, /marker=k1/)
})
