import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute, second } from '../../../kit/clock.ts'
import { type ServerWorld, serverWorld } from './world.ts'

/** A server of flavor `small` on `host-1`; `host-2` is there too. */
async function onFirst(t: TestContext, more: object = {}) {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  for (const flavor of [
    { id: 'large', name: 'large', ram: 1024, vcpus: 2, disk: 2 },
    { id: 'tiny', name: 'tiny', ram: 256, vcpus: 1, disk: 1 },
    { id: 'flat', name: 'flat', ram: 512, vcpus: 1, disk: 0 },
  ])
    assert.equal((await world.admin.compute.post('/flavors', { flavor })).status, 200)
  const { id } = await world.server(more)
  await world.settle()
  await world.addHost('host-2', { address: '192.0.2.2' })
  const [from, to] = world.hosts.map((host) => host.hypervisor)
  return { ...world, id, from: from!, to: to! }
}
type World = Awaited<ReturnType<typeof onFirst>>

const shown = async (world: ServerWorld, id: string) => {
  const server = await world.show(id, world.admin)
  return [server.status, server['OS-EXT-STS:vm_state'], server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']]
}
const migrations = async ({ admin }: ServerWorld): Promise<Json[]> =>
  (await admin.compute.get('/os-migrations', { version: '2.96' })).body.migrations
const used = async ({ cloud }: ServerWorld) =>
  Object.fromEntries((await cloud.contracts.placement.usages()).map(({ name, used }) => [name, used['MEMORY_MB']]))
const cores = async ({ member }: ServerWorld) => {
  const { absolute } = (await member.compute.get('/limits')).body.limits
  return [absolute.totalCoresUsed, absolute.totalRAMUsed]
}
const states = ({ id, from, to }: World) => [from.guests.get(id)?.state, to.guests.get(id)?.state]
const results = async ({ admin }: ServerWorld, id: string) => {
  const path = `/servers/${id}/os-instance-actions`
  const { instanceActions } = (await admin.compute.get(path, { version: '2.84' })).body
  const found: string[] = []
  for (const { request_id, action } of instanceActions.reverse()) {
    const { events } = (await admin.compute.get(`${path}/${request_id}`, { version: '2.84' })).body.instanceAction
    if (action !== 'create') found.push(`${action}: ${events[0]?.result}`)
  }
  return found
}

test('a server becomes larger on another host, waits for a word, and the old one goes when it is given', async (t) => {
  const world = await onFirst(t)
  assert.equal(await world.act(world.id, { resize: { flavorRef: 'large' } }), 202)
  assert.equal((await world.show(world.id)).status, 'RESIZE')
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['VERIFY_RESIZE', 'resized', null, 'host-2'])
  assert.deepEqual(states(world), ['left', 'on'])
  assert.deepEqual([world.to.guests.get(world.id)?.guest.memoryMb, world.to.guests.get(world.id)?.guest.diskGb], [1024, 2])
  assert.deepEqual(await used(world), { 'host-1': 512, 'host-2': 1024 })
  assert.equal((await world.show(world.id)).flavor.original_name, 'large')
  assert.deepEqual([(await migrations(world))[0].status, (await migrations(world))[0].migration_type], ['finished', 'resize'])
  assert.equal(await world.act(world.id, { 'os-stop': null }), 409)
  assert.equal(await world.act(world.id, { confirmResize: null }, world.reader), 403)
  assert.equal(await world.act(world.id, { confirmResize: null }), 204)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-2'])
  assert.deepEqual(states(world), [undefined, 'on'])
  assert.deepEqual(await used(world), { 'host-1': 0, 'host-2': 1024 })
  assert.deepEqual(await cores(world), [2, 1024])
  assert.equal((await migrations(world))[0].status, 'confirmed')
  assert.deepEqual(await results(world, world.id), ['resize: Success', 'confirmResize: Success'])
  assert.equal(await world.act(world.id, { confirmResize: null }), 409)
})

test('taken back, a server is what it was, where it was, with what it had', async (t) => {
  const world = await onFirst(t)
  const disk = world.from.guests.get(world.id)!.console
  await world.act(world.id, { resize: { flavorRef: 'large' } })
  await world.settle()
  assert.equal(await world.act(world.id, { revertResize: null }), 202)
  assert.equal((await world.show(world.id)).status, 'REVERT_RESIZE')
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-1'])
  assert.deepEqual(states(world), ['on', undefined])
  assert.ok(world.from.guests.get(world.id)?.console.startsWith(disk), 'it is the old one, booted again')
  assert.equal(world.from.guests.get(world.id)?.guest.memoryMb, 512)
  assert.deepEqual(await used(world), { 'host-1': 512, 'host-2': 0 })
  assert.deepEqual(await cores(world), [1, 512])
  const server = await world.show(world.id)
  assert.equal(server.flavor.original_name, 'small')
  assert.equal((await migrations(world))[0].status, 'reverted')
  assert.deepEqual(await results(world, world.id), ['resize: Success', 'revertResize: Success'])
  await world.act(world.id, { resize: { flavorRef: 'tiny' } })
  await world.settle()
  assert.deepEqual((await shown(world, world.id))[0], 'VERIFY_RESIZE')
})

test('a server that is off stays off: moved, confirmed, moved again and taken back', async (t) => {
  const world = await onFirst(t)
  await world.act(world.id, { 'os-stop': null })
  await world.settle()
  for (const [word, host] of [
    ['confirmResize', 'host-2'],
    ['revertResize', 'host-2'],
  ]) {
    assert.equal(await world.act(world.id, { migrate: null }, world.manager), 202)
    assert.equal((await world.show(world.id)).status, 'RESIZE')
    await world.settle()
    assert.equal((await shown(world, world.id))[0], 'VERIFY_RESIZE')
    await world.act(world.id, { [word!]: null })
    await world.settle()
    assert.deepEqual(await shown(world, world.id), ['SHUTOFF', 'stopped', null, host])
  }
  assert.equal((await migrations(world))[0].migration_type, 'migration')
  assert.equal(await world.act(world.id, { 'os-start': null }), 202)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-2'])
})

test('a cold migration goes to the host that an admin names, and to no other', async (t) => {
  const world = await onFirst(t)
  await world.addHost('host-3', { memoryMb: 1_000_000 })
  const ask = (host: string, client = world.admin) => world.act(world.id, { migrate: { host } }, client)
  assert.equal(await ask('host-2', world.member), 403)
  assert.equal(await ask('host-2', world.manager), 403, 'only admins name hosts')
  assert.equal(await ask('host-1'), 400)
  assert.equal(await ask('nowhere'), 400)
  assert.equal(await world.act(world.id, { migrate: { host: 'host-2', force: true } }, world.admin), 400)
  assert.equal(await ask('host-2'), 202)
  await world.settle()
  assert.equal((await shown(world, world.id))[3], 'host-2')
})

test('a size that cannot be is refused at once, or on the way as nova does; the server is as before', async (t) => {
  const world = await onFirst(t)
  const ask = (flavorRef: string) => world.act(world.id, { resize: { flavorRef } })
  assert.equal(await ask('small'), 400)
  assert.equal(await ask('none'), 400)
  assert.equal(await ask('flat'), 400)
  assert.equal(await world.act(world.id, { resize: {} }), 400)
  await world.admin.compute.post('/flavors', { flavor: { id: 'huge', name: 'huge', ram: 512, vcpus: 21, disk: 1 } })
  assert.equal(await ask('huge'), 403)
  const other = await world.server({ flavorRef: 'large' })
  await world.settle()
  assert.equal(await world.act(other.id, { resize: { flavorRef: 'small' } }), 202)
  await world.settle()
  assert.equal((await world.show(other.id)).status, 'ACTIVE')
  assert.equal((await migrations(world))[0].status, 'error')
  assert.deepEqual(await results(world, other.id), ['resize: Error'])
  assert.deepEqual(await cores(world), [3, 1536])
})

test('with no other host there is nowhere to go, and the server runs on', async (t) => {
  const world = await onFirst(t)
  await world.admin.compute.put('/os-services/disable', { host: 'host-2', binary: 'nova-compute' }, { version: '2.1' })
  assert.equal(await world.act(world.id, { resize: { flavorRef: 'large' } }), 202)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-1'])
  assert.deepEqual(states(world), ['on', undefined])
  assert.deepEqual(await used(world), { 'host-1': 512, 'host-2': 0 })
  assert.deepEqual(await cores(world), [1, 512])
  assert.deepEqual(await results(world, world.id), ['resize: Error'])
})

test('a host that cannot take the disk, or not start it: the server runs on where it was', async (t) => {
  for (const faults of [{ receiveFails: 'No room.' }, { bootFails: 'broken' }]) {
    const world = await onFirst(t)
    Object.assign(world.to.faults, faults)
    await world.act(world.id, { resize: { flavorRef: 'large' } })
    for (let n = 0; n < 4; n++) {
      await world.settle()
      world.clock.advance(30 * second)
    }
    assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-1'])
    assert.deepEqual(states(world), ['on', undefined])
    assert.deepEqual(await used(world), { 'host-1': 512, 'host-2': 0 })
    assert.deepEqual(await cores(world), [1, 512])
    assert.equal((await migrations(world))[0].status, 'error')
  }
})

test('deleted while it waits for a word, nothing of it is left on either host', async (t) => {
  const world = await onFirst(t)
  await world.act(world.id, { resize: { flavorRef: 'large' } })
  await world.settle()
  assert.equal((await world.member.compute.delete(`/servers/${world.id}`)).status, 204)
  await world.settle()
  assert.deepEqual(states(world), [undefined, undefined])
  assert.deepEqual(await used(world), { 'host-1': 0, 'host-2': 0 })
  assert.equal((await migrations(world))[0].status, 'confirmed')
})

test('a server whose host is down is not resized, and not confirmed when its old host is down', async (t) => {
  const world = await onFirst(t)
  await world.act(world.id, { resize: { flavorRef: 'large' } })
  await world.settle()
  world.silent.add('host-1')
  world.clock.advance(2 * minute)
  await world.settle()
  assert.equal(await world.act(world.id, { confirmResize: null }), 409)
  world.silent.clear()
  await world.settle()
  assert.equal(await world.act(world.id, { confirmResize: null }), 204)
  await world.settle()
  world.silent.add('host-2')
  world.clock.advance(2 * minute)
  assert.equal(await world.act(world.id, { resize: { flavorRef: 'small' } }), 409)
})

test('a port that is deleted while it waits for a word is not waited for when it comes back', async (t) => {
  const world = await onFirst(t)
  await world.act(world.id, { resize: { flavorRef: 'large' } })
  await world.settle()
  const [port] = (await world.cloud.contracts.network.portsOf({ owners: [world.id] }))[world.id]!
  assert.equal((await world.member.network.delete(`/ports/${port!.id}`)).status, 204)
  world.from.faults.missingDevice = port!.device
  assert.equal(await world.act(world.id, { revertResize: null }), 202)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', 'active', null, 'host-1'])
  assert.deepEqual(world.from.guests.get(world.id)?.guest.nics, [])
})

test('how the disk is partitioned is as it was last said, and by hand when a resize does not say it', async (t) => {
  const world = await onFirst(t, { 'OS-DCF:diskConfig': 'AUTO' })
  const config = async () => (await world.show(world.id))['OS-DCF:diskConfig']
  assert.equal(await config(), 'AUTO')
  for (const [more, said] of [
    [{}, 'MANUAL'],
    [{ 'OS-DCF:diskConfig': 'AUTO' }, 'AUTO'],
    [{ 'OS-DCF:diskConfig': 'MANUAL' }, 'MANUAL'],
  ] as const) {
    assert.equal(await world.act(world.id, { resize: { flavorRef: 'large', ...more } }), 202)
    await world.settle()
    assert.equal(await config(), said)
    await world.act(world.id, { revertResize: null })
    await world.settle()
  }
})
