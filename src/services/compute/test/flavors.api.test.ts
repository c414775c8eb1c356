import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'

const small = { name: 'm1.small', ram: 2048, vcpus: 1, disk: 20 }
const make = (admin: Client, more: object = {}) => admin.compute.post('/flavors', { flavor: { ...small, ...more } })
const ids = (body: { flavors: { id: string }[] }) => body.flavors.map((flavor) => flavor.id)

test('an admin makes a flavor, and each version shows what it knows of it', async (t) => {
  const cloud = await testCloud(t)
  const made = await make(cloud.admin, { id: 'f1', swap: '512' })
  assert.equal(made.status, 200)
  assert.deepEqual(made.body.flavor, {
    id: 'f1',
    name: 'm1.small',
    ram: 2048,
    disk: 20,
    swap: 512,
    'OS-FLV-EXT-DATA:ephemeral': 0,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: 1,
    'os-flavor-access:is_public': true,
    rxtx_factor: 1,
    links: [
      { rel: 'self', href: 'http://localhost:80/v2.1/flavors/f1' },
      { rel: 'bookmark', href: 'http://localhost:80/flavors/f1' },
    ],
  })
  const show = async (version: string) => (await cloud.member.compute.get('/flavors/f1', { version })).body.flavor
  assert.equal('description' in (await show('2.54')), false)
  assert.equal((await show('2.55')).description, null)
  assert.deepEqual((await show('2.61')).extra_specs, {})
  await make(cloud.admin, { id: 'f2', name: 'other' })
  assert.equal((await cloud.member.compute.get('/flavors/f2', { version: '2.74' })).body.flavor.swap, '')
  assert.equal((await cloud.member.compute.get('/flavors/f2', { version: '2.75' })).body.flavor.swap, 0)
})

test('only admins make, change and delete flavors', async (t) => {
  const cloud = await testCloud(t)
  for (const client of [cloud.member, cloud.reader, cloud.manager, cloud.service]) assert.equal((await make(client)).status, 403)
  await make(cloud.admin, { id: 'f1' })
  assert.equal((await cloud.member.compute.delete('/flavors/f1')).status, 403)
  const set = { flavor: { description: 'x' } }
  assert.equal((await cloud.admin.compute.put('/flavors/f1', set, { version: '2.54' })).status, 404)
  assert.equal((await cloud.admin.compute.put('/flavors/f1', set, { version: '2.55' })).body.flavor.description, 'x')
  assert.equal((await cloud.admin.compute.delete('/flavors/f1')).status, 202)
  const gone = await cloud.admin.compute.get('/flavors/f1')
  assert.equal(gone.status, 404)
  assert.deepEqual(gone.body, { itemNotFound: { code: 404, message: 'Flavor f1 could not be found.' } })
})

test('a name or an id that is taken is a conflict, and bad sizes are refused', async (t) => {
  const cloud = await testCloud(t)
  await make(cloud.admin, { id: 'f1' })
  assert.equal((await make(cloud.admin, { id: 'f2' })).status, 409)
  const conflict = await make(cloud.admin, { id: 'f1', name: 'other' })
  assert.deepEqual(conflict.body, { conflictingRequest: { code: 409, message: 'Flavor with ID f1 already exists.' } })
  for (const bad of [
    { ram: 0 },
    { ram: '0' },
    { vcpus: -1 },
    { disk: 'x' },
    { name: ' x' },
    { name: '' },
    { id: 'a/b' },
    { ram: 2 ** 31 },
  ])
    assert.equal((await make(cloud.admin, { name: 'bad', ...bad })).status, 400, JSON.stringify(bad))
  assert.equal((await make(cloud.admin, { name: 'n', colour: 'red' })).status, 400)
})

test('lists are filtered, sorted and paged to the end', async (t) => {
  const cloud = await testCloud(t)
  for (const [at, ram] of [512, 1024, 2048, 4096].entries()) await make(cloud.admin, { id: `f${at}`, name: `n${at}`, ram })
  const get = async (path: string) => (await cloud.member.compute.get(path)).body
  assert.deepEqual(ids(await get('/flavors?minRam=1024')), ['f1', 'f2', 'f3'])
  assert.deepEqual(ids(await get('/flavors/detail?sort_key=memory_mb&sort_dir=desc')), ['f3', 'f2', 'f1', 'f0'])
  const first = await get('/flavors?limit=3')
  assert.deepEqual(ids(first), ['f0', 'f1', 'f2'])
  assert.equal(first.flavors_links[0].href, 'http://localhost:80/v2.1/flavors?limit=3&marker=f2')
  const second = await get('/flavors?limit=3&marker=f2')
  assert.deepEqual(ids(second), ['f3'])
  assert.equal(second.flavors_links, undefined)
  assert.equal((await cloud.member.compute.get('/flavors?marker=none')).status, 400)
  assert.equal((await cloud.member.compute.get('/flavors?minRam=x')).status, 400)
  assert.equal((await cloud.member.compute.get('/flavors?colour=red')).status, 200)
  assert.equal((await cloud.member.compute.get('/flavors?colour=red', { version: '2.75' })).status, 400)
})

test('a private flavor is there for the projects it was given to', async (t) => {
  const cloud = await testCloud(t)
  await make(cloud.admin, { id: 'p1', 'os-flavor-access:is_public': false })
  const project = cloud.member.caller.projectId
  const seen = async (client: Client) => [
    (await client.compute.get('/flavors/p1')).status,
    ids((await client.compute.get('/flavors')).body).includes('p1'),
  ]
  assert.deepEqual(await seen(cloud.member), [404, false])
  const give = { addTenantAccess: { tenant: project } }
  assert.equal((await cloud.member.compute.post('/flavors/p1/action', give)).status, 404)
  const given = await cloud.admin.compute.post('/flavors/p1/action', give)
  assert.deepEqual(given.body, { flavor_access: [{ flavor_id: 'p1', tenant_id: project }] })
  assert.equal((await cloud.admin.compute.post('/flavors/p1/action', give)).status, 409)
  assert.deepEqual(await seen(cloud.member), [200, true])
  assert.deepEqual(await seen(cloud.stranger), [404, false])
  const all = await cloud.admin.compute.get('/flavors?is_public=none')
  assert.ok(ids(all.body).includes('p1'))
  assert.equal((await cloud.admin.compute.get('/flavors?is_public=maybe')).status, 400)
  await cloud.admin.compute.post('/flavors/p1/action', { removeTenantAccess: { tenant: project } })
  assert.deepEqual(await seen(cloud.member), [404, false])
  const unknown = { addTenantAccess: { tenant: 'f'.repeat(32) } }
  assert.equal((await cloud.admin.compute.post('/flavors/p1/action', unknown)).status, 400)
})

test('extra specs come and go; from 2.86 on known names must have fitting values', async (t) => {
  const cloud = await testCloud(t)
  await make(cloud.admin, { id: 'f1' })
  const path = '/flavors/f1/os-extra_specs'
  const set = (specs: object, version = '2.1') => cloud.admin.compute.post(path, { extra_specs: specs }, { version })
  assert.deepEqual((await set({ 'hw:cpu_policy': 'shared', 'x:y': 'z' })).body, {
    extra_specs: { 'hw:cpu_policy': 'shared', 'x:y': 'z' },
  })
  assert.equal((await set({ 'hw:cpu_policy': 'nonsense' })).status, 200)
  assert.equal((await set({ 'hw:cpu_policy': 'nonsense' }, '2.86')).status, 400)
  assert.equal((await set({ 'hw:nonsense': '1' }, '2.86')).status, 400)
  assert.equal((await set({ 'mine:nonsense': '1', 'resources:VCPU': '1', 'trait:CUSTOM_X': 'required' }, '2.86')).status, 200)
  assert.deepEqual((await cloud.member.compute.get(`${path}/x:y`)).body, { 'x:y': 'z' })
  assert.deepEqual((await cloud.admin.compute.put(`${path}/x:y`, { 'x:y': 'w' })).body, { 'x:y': 'w' })
  assert.equal((await cloud.admin.compute.put(`${path}/x:y`, { other: 'w' })).status, 400)
  assert.equal((await cloud.admin.compute.delete(`${path}/x:y`)).status, 200)
  assert.equal((await cloud.member.compute.get(`${path}/x:y`)).status, 404)
  assert.equal((await cloud.member.compute.post(path, { extra_specs: { a: 'b' } })).status, 403)
})
