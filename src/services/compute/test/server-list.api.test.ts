import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { isoSeconds, minute } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

const names = (answer: Json) => answer.body.servers.map((server: { name: string }) => server.name)

async function listWorld(t: Parameters<typeof serverWorld>[0]) {
  const world = await serverWorld(t)
  const servers: Json[] = []
  for (const [name, more] of Object.entries({
    'web-1': { metadata: { a: 'b' }, tags: ['blue', 'big'] },
    'web-2': { tags: ['blue'], config_drive: true },
    db_1: {},
  })) {
    servers.push(await world.server({ name, ...more }))
    await world.settle()
  }
  const list = (query: string, client = world.member, version = '2.96') => client.compute.get(`/servers?${query}`, { version })
  return { ...world, servers, list }
}

test('servers are filtered by what everybody may ask, newest first', async (t) => {
  const { list, servers, network, ...world } = await listWorld(t)
  assert.deepEqual(names(await list('')), ['db_1', 'web-2', 'web-1'])
  assert.deepEqual(names(await list('name=web')), ['web-2', 'web-1'])
  assert.deepEqual(names(await list('name=^web-1$')), ['web-1'])
  assert.deepEqual(names(await list('name=B_1')), ['db_1'])
  assert.deepEqual(names(await list('name=w.*2')), ['web-2'])
  assert.equal((await list('name=(a%2B)%2B$')).status, 400)
  await world.act(servers[0].id, { 'os-stop': null })
  await world.settle()
  assert.deepEqual(names(await list('status=SHUTOFF')), ['web-1'])
  assert.deepEqual(names(await list('status=active')), ['db_1', 'web-2'])
  assert.deepEqual(names(await list('status=RESCUE')), [])
  assert.equal((await list('status=nonsense')).status, 400)
  assert.deepEqual((await list('status=nonsense', world.member, '2.37')).body, { servers: [] })
  assert.deepEqual(names(await list('flavor=small&image=' + world.image)), ['db_1', 'web-2', 'web-1'])
  assert.deepEqual(names(await list('flavor=other')), [])
  const { addr } = (await world.show(servers[1].id)).addresses.net[0]
  assert.deepEqual(names(await list(`ip=^${addr.replaceAll('.', '\\.')}$`)), ['web-2'])
  assert.deepEqual(names(await list('tags=blue')), ['web-2', 'web-1'])
  assert.deepEqual(names(await list('tags=blue,big')), ['web-1'])
  assert.deepEqual(names(await list('tags-any=big,none')), ['web-1'])
  assert.deepEqual(names(await list('not-tags=blue,big')), ['db_1', 'web-2'])
  assert.deepEqual(names(await list('not-tags-any=blue')), ['db_1'])
})

test('filters that are for admins are ignored until 2.82 and open to all where 2.83 says so', async (t) => {
  const { list, admin, member } = await listWorld(t)
  assert.equal(names(await list('config_drive=true', member, '2.82')).length, 3)
  assert.deepEqual(names(await list('config_drive=true', member, '2.83')), ['web-2'])
  assert.equal(names(await list('host=nowhere', member)).length, 3)
  assert.equal(names(await list('all_tenants=1&host=nowhere', admin)).length, 0)
  assert.equal(names(await list(`all_tenants=1&project_id=${member.caller.projectId}`, admin)).length, 3)
  assert.equal(names(await list(`all_tenants=1&project_id=${admin.caller.projectId}`, admin)).length, 0)
  assert.equal((await list('colour=red', member, '2.74')).status, 200)
  assert.equal((await list('colour=red', member, '2.75')).status, 400)
  assert.equal((await list('metadata=a', admin)).status, 400)
})

test('lists are sorted and paged to the end, and say what changed', async (t) => {
  const { list, clock, servers, ...world } = await listWorld(t)
  assert.deepEqual(names(await list('sort_key=display_name&sort_dir=asc')), ['db_1', 'web-1', 'web-2'])
  assert.equal((await list('sort_key=nonsense')).status, 400)
  assert.equal((await list('sort_key=vcpus', world.member, '2.74')).status, 200)
  assert.equal((await list('sort_key=vcpus', world.member, '2.75')).status, 400)
  assert.equal((await list('sort_key=host')).status, 403)
  const found: string[] = []
  for (let path = 'limit=2', n = 0; path !== '' && n < 5; n++) {
    const page = await list(path)
    found.push(...names(page))
    path = page.body.servers_links?.[0].href.split('?')[1] ?? ''
  }
  assert.deepEqual(found, ['db_1', 'web-2', 'web-1'])
  assert.equal((await list('marker=nonsense')).status, 400)
  clock.advance(10 * minute)
  const since = isoSeconds(clock.now())
  clock.advance(minute)
  await world.member.compute.delete(`/servers/${servers[2].id}`)
  await world.settle()
  assert.deepEqual(names(await list(`changes-since=${since}`)), ['db_1'])
  assert.deepEqual(names(await list(`changes-before=${since}`)), ['web-2', 'web-1'])
  assert.equal((await list(`changes-since=${since}&changes-before=2020-01-01T00:00:00Z`)).status, 400)
  assert.equal((await list('deleted=true')).body.servers.length, 2)
  assert.equal((await list('status=DELETED')).status, 403)
  assert.deepEqual(names(await list('all_tenants=1&status=DELETED', world.admin)), ['db_1'])
})

test('each version shows a server as that version had it', async (t) => {
  const { servers, ...world } = await listWorld(t)
  const keys = async (version: string, client = world.member) => Object.keys(await world.show(servers[0].id, client, version))
  const base = await keys('2.1')
  for (const [name, since] of Object.entries({
    locked: 9,
    description: 19,
    tags: 26,
    trusted_image_certificates: 63,
    server_groups: 71,
    locked_reason: 73,
    'OS-EXT-SRV-ATTR:hostname': 90,
    pinned_availability_zone: 96,
  })) {
    assert.equal((await keys(`2.${since - 1}`)).includes(name), false, `${name} before 2.${since}`)
    assert.equal((await keys(`2.${since}`)).includes(name), true, `${name} at 2.${since}`)
  }
  assert.ok(base.includes('os-extended-volumes:volumes_attached'))
  assert.equal(base.includes('host_status'), false)
  assert.equal((await keys('2.15', world.admin)).includes('host_status'), false)
  assert.equal((await keys('2.16', world.admin)).includes('host_status'), true)
  assert.deepEqual(Object.keys((await world.show(servers[0].id, world.member, '2.46')).flavor), ['id', 'links'])
  const { flavor } = await world.show(servers[0].id, world.member, '2.47')
  assert.deepEqual(flavor, { vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, original_name: 'small', extra_specs: {} })
  const set = (version: string) =>
    world.member.compute.put(`/servers/${servers[0].id}`, { server: { name: 'new', accessIPv4: '192.0.2.9' } }, { version })
  assert.equal((await set('2.74')).body.server['OS-EXT-STS:vm_state'], undefined)
  const updated = (await set('2.75')).body.server
  assert.deepEqual([updated['OS-EXT-STS:vm_state'], updated.name, updated.accessIPv4], ['active', 'new', '192.0.2.9'])
})

test('a thousand servers are listed in detail within the time a screen is waited for', async (t) => {
  const world = await serverWorld(t)
  const quota = { quota_set: { instances: -1, cores: -1, ram: -1 } }
  await world.admin.compute.put(`/os-quota-sets/${world.member.caller.projectId}`, quota)
  for (let n = 0; n < 10; n++) await world.server({ min_count: 100, max_count: 100 })
  await world.member.compute.get('/servers/detail?limit=1', { version: '2.96' })
  const started = performance.now()
  const all = await world.member.compute.get('/servers/detail', { version: '2.96' })
  t.diagnostic(`1000 servers in detail: ${Math.round(performance.now() - started)} ms`)
  assert.equal(all.body.servers.length, 1000)
})
