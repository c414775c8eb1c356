import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

test('OSSA-2026-022, OSSA-2012-009: hints of the inside change nothing, and lists of hints are capped', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  const post = (hints: object) => {
    const server = { name: 'x', flavorRef: 'small', imageRef: world.image, networks: 'none' }
    return world.member.compute.post('/servers', { server, 'os:scheduler_hints': hints }, { version: '2.37' })
  }
  const inside = {
    _nova_check_type: ['rebuild'],
    force_hosts: 'host-2',
    requested_destination: 'host-2',
    ignore_hosts: ['host-1'],
  }
  const made = await post(inside)
  assert.equal(made.status, 202)
  await world.settle()
  const allocated = await world.cloud.contracts.placement.allocationsOf({ consumer: made.body.server.id })
  assert.deepEqual(allocated[0]?.resources, { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 })
  const many = Array.from({ length: 101 }, () => '99999999-9999-4999-8999-999999999999')
  assert.equal((await post({ different_host: many })).status, 400)
})

test('OSSA-2013-019, OSSA-2013-024: a private flavor cannot be used by guessing its id', async (t) => {
  const world = await serverWorld(t)
  const flavor = { id: 'secret', name: 'secret', ram: 64, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false }
  await world.admin.compute.post('/flavors', { flavor })
  const post = () =>
    world.member.compute.post('/servers', {
      server: { name: 'x', flavorRef: 'secret', imageRef: world.image, networks: [{ uuid: world.network }] },
    })
  assert.equal((await post()).body.badRequest.message, 'Flavor secret could not be found.')
  await world.admin.compute.post('/flavors/secret/action', { addTenantAccess: { tenant: world.member.caller.projectId } })
  assert.equal((await post()).status, 202)
})

test('OSSA-2013-012, OSSA-2013-029, OSSA-2013-037: an image larger than the flavor’s disk is refused before a host hears of it', async (t) => {
  const world = await serverWorld(t)
  const raw = { name: 'big', disk_format: 'raw', container_format: 'bare', min_disk: 2 }
  const { id } = (await world.member.image.post('/images', raw)).body
  const server = { name: 'x', flavorRef: 'small', imageRef: id, networks: 'none' }
  const post = () => world.member.compute.post('/servers', { server }, { version: '2.37' })
  assert.match((await post()).body.badRequest.message, /is not active/)
  await world.member.image.put(`/images/${id}/file`, new Uint8Array(512).fill(1))
  assert.match((await post()).body.badRequest.message, /smaller than the minimum size/)
  assert.equal((await world.member.compute.get('/servers')).body.servers.length, 0)
})

test('OSSA-2019-003: a fault says a sentence of ours, and what a host said is for admins', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  world.hosts[0]!.hypervisor.faults.bootFails = 'secret path /var/lib/x'
  await world.act(id, { reboot: { type: 'HARD' } })
  for (let n = 0; n < 2; n++) {
    await world.settle()
    world.clock.advance(minute / 2)
  }
  const seen = await world.show(id)
  assert.equal(seen.status, 'ERROR')
  assert.equal(JSON.stringify(seen).includes('secret path'), false)
  assert.match((await world.show(id, world.admin)).fault.details, /secret path/)
  delete world.hosts[0]!.hypervisor.faults.bootFails
  await world.act(id, { reboot: { type: 'HARD' } })
  for (let n = 0; n < 4; n++) {
    world.clock.advance(minute)
    await world.settle()
  }
  assert.equal((await world.show(id)).status, 'ACTIVE')
})

test('OSSA-2013-033: a guest’s path and headers choose nothing but the file of its own server', async (t) => {
  const world = await serverWorld(t)
  const [mine, theirs] = [await world.server({ name: 'mine' }), await world.server({ name: 'theirs' })]
  await world.settle()
  const { compute } = world.cloud.contracts
  for (const path of [`/openstack/latest/meta_data.json?uuid=${theirs.id}`, '/openstack/latest/meta_data.json#x'])
    assert.equal(JSON.parse((await compute.metadata({ server: mine.id, path, method: 'GET' })).body).uuid, mine.id)
  assert.equal((await compute.metadata({ server: mine.id, path: `/${theirs.id}/openstack`, method: 'GET' })).status, 404)
  await world.member.compute.delete(`/servers/${theirs.id}`)
  await world.settle()
  assert.equal((await compute.metadata({ server: theirs.id, path: '/openstack', method: 'GET' })).status, 404)
})

test('OSSA-2024-002: an image whose bytes are not what it was declared to be never reaches a host', async (t) => {
  const world = await serverWorld(t)
  const lie = { name: 'lie', disk_format: 'raw', container_format: 'bare' }
  const { id } = (await world.member.image.post('/images', lie)).body
  const header = new Uint8Array(4096)
  header.set([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3])
  const upload = await world.member.image.put(`/images/${id}/file`, header)
  assert.ok(upload.status >= 400, `the upload was taken: ${upload.status}`)
  const server = { name: 'x', flavorRef: 'small', imageRef: id, networks: 'none' }
  assert.equal((await world.member.compute.post('/servers', { server }, { version: '2.37' })).status, 400)
})

test('trust, user namespaces: nothing of a server is reached from another project, by any path below it', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server({ tags: ['a'], metadata: { a: 'b' } })
  await world.settle()
  const wrong: string[] = []
  for (const { method, path } of world.cloud.services.compute.endpoints) {
    if (!path.startsWith('/servers/{server_id}') || path.includes('consoles') || path.includes('virtual')) continue
    const url = path.replace('{server_id}', id).replace(/\{[^}]+\}/g, 'a')
    const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'
    const action = path.includes('migration') ? { force_complete: null } : { 'os-stop': null }
    const body = path.endsWith('/action') ? action : {}
    const answer =
      verb === 'get' || verb === 'delete'
        ? await world.stranger.compute[verb](url, { version: '2.96' })
        : await world.stranger.compute[verb](url, body, { version: '2.96' })
    if (answer.status !== 404) wrong.push(`${method} ${path}: ${answer.status}`)
  }
  assert.deepEqual(wrong, [])
})
