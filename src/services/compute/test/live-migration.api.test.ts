import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import type { Vm } from '../../../agents/document.ts'
import { openSim } from '../../../drivers/hypervisor/sim/sim.ts'
import { minute, second } from '../../../kit/clock.ts'
import { type ServerWorld, serverWorld } from './world.ts'

const auto = { host: null, block_migration: 'auto' }

/** A server that runs on `host-1` of two. */
async function onFirst(t: TestContext, more: object = {}) {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  const { id } = await world.server(more)
  await world.settle()
  await world.addHost('host-2', { address: '192.0.2.2' })
  const [from, to] = world.hosts.map((host) => host.hypervisor)
  return { ...world, id, from: from!, to: to! }
}

type World = Awaited<ReturnType<typeof onFirst>>

const live = (world: ServerWorld, id: string, ask: object = auto, version = '2.96', client: Client = world.admin) =>
  client.compute.post(`/servers/${id}/action`, { 'os-migrateLive': ask }, { version })
const migrations = async ({ admin }: ServerWorld, version = '2.96'): Promise<Json[]> =>
  (await admin.compute.get('/os-migrations', { version })).body.migrations
const shown = async (world: ServerWorld, id: string) => {
  const server = await world.show(id, world.admin)
  return [server.status, server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']]
}
const lastAction = async ({ admin }: ServerWorld, id: string) => {
  const { instanceActions } = (await admin.compute.get(`/servers/${id}/os-instance-actions`, { version: '2.84' })).body
  const { request_id } = instanceActions.find((one: Json) => one.action === 'live-migration')
  const path = `/servers/${id}/os-instance-actions/${request_id}`
  return (await admin.compute.get(path, { version: '2.84' })).body.instanceAction
}
const allocations = async ({ cloud }: ServerWorld, consumer: string) => {
  const names = new Map((await cloud.contracts.placement.usages()).map(({ provider, name }) => [provider, name]))
  return (await cloud.contracts.placement.allocationsOf({ consumer })).map(({ provider }) => names.get(provider))
}
/** Nothing of a move is left: on either host, in placement, at the ports. */
async function settledOn(world: World, host: 'host-1' | 'host-2') {
  const [migration] = await migrations(world)
  assert.deepEqual(await allocations(world, world.id), [host])
  assert.deepEqual(await allocations(world, migration.uuid), [])
  const other = host === 'host-1' ? world.to : world.from
  const own = host === 'host-1' ? world.from : world.to
  assert.equal(other.guests.size, 0, 'nothing is left on the other host')
  assert.equal(own.guests.get(world.id)?.state, 'on')
  const ports = (await world.cloud.contracts.network.portsOf({ owners: [world.id] }))[world.id]!
  assert.deepEqual(
    ports.map((port) => [port.host, port.openAt, port.wired, port.status]),
    [[host, undefined, true, 'ACTIVE']],
  )
}

test('a server goes to another host while it runs, and nothing is left where it was', async (t) => {
  const world = await onFirst(t)
  const console = world.from.guests.get(world.id)?.console
  assert.equal((await live(world, world.id)).status, 202)
  assert.equal((await world.show(world.id)).status, 'MIGRATING')
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-2'])
  await settledOn(world, 'host-2')
  assert.equal(world.to.guests.get(world.id)?.console, console, 'it did not boot')
  const [migration] = await migrations(world)
  assert.equal(migration.status, 'completed')
  assert.equal((await lastAction(world, world.id)).events[0].result, 'Success')
  assert.equal(await world.act(world.id, { 'os-stop': null }), 202)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['SHUTOFF', null, 'host-2'])
})

test('it comes back as often as it is sent; a paused one stays paused', async (t) => {
  const world = await onFirst(t)
  await world.act(world.id, { pause: null })
  await world.settle()
  for (const host of ['host-2', 'host-1', 'host-2']) {
    assert.equal((await live(world, world.id, { host, block_migration: 'auto' })).status, 202)
    assert.equal((await world.show(world.id)).status, 'MIGRATING')
    await world.settle()
    assert.deepEqual(await shown(world, world.id), ['PAUSED', null, host])
  }
  assert.equal((await migrations(world)).length, 3)
})

test('what a migration under way tells: its progress, to who may know, and by its number', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['MIGRATING', 'migrating', 'host-1'])
  const path = `/servers/${world.id}/migrations`
  const one = (await world.admin.compute.get(path, { version: '2.80' })).body.migrations[0]
  assert.deepEqual(
    { ...one, created_at: '', updated_at: '', uuid: '' },
    {
      ...{ id: 1, status: 'running', created_at: '', updated_at: '', uuid: '', server_uuid: world.id },
      ...{ source_compute: 'host-1', source_node: 'host-1', dest_compute: 'host-2', dest_node: 'host-2', dest_host: '192.0.2.2' },
      ...{ memory_total_bytes: 512 * 2 ** 20, memory_processed_bytes: 0, memory_remaining_bytes: 512 * 2 ** 20 },
      ...{ disk_total_bytes: 2 ** 30, disk_processed_bytes: 0, disk_remaining_bytes: 2 ** 30 },
      ...{ user_id: world.admin.caller.userId, project_id: world.member.caller.projectId },
    },
  )
  assert.deepEqual((await world.admin.compute.get(`${path}/1`, { version: '2.80' })).body.migration, one)
  assert.equal((await world.admin.compute.get(`${path}/1`, { version: '2.22' })).status, 404)
  assert.equal((await world.admin.compute.get(`${path}/2`, { version: '2.23' })).status, 404)
  assert.equal('uuid' in (await world.admin.compute.get(`${path}/1`, { version: '2.58' })).body.migration, false)
  const mine = (await world.manager.compute.get(path, { version: '2.80' })).body.migrations[0]
  assert.deepEqual([mine.status, mine.source_compute, mine.dest_host], ['running', null, null])
  for (const client of [world.member, world.reader])
    assert.equal((await client.compute.get(path, { version: '2.80' })).status, 403)
  assert.equal((await world.manager.compute.get(`${path}/1`, { version: '2.80' })).status, 403)
  const [listed] = await migrations(world)
  assert.match(listed.links[0].href, new RegExp(`/v2.1/servers/${world.id}/migrations/1$`))
  assert.deepEqual([listed.migration_type, listed.instance_uuid], ['live-migration', world.id])
  const old = (await migrations(world, '2.1'))[0]
  assert.deepEqual(
    ['uuid', 'migration_type', 'links', 'user_id'].filter((field) => field in old),
    [],
  )
})

test('a migration is ended on request: the server stays where it is and runs', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  const path = `/servers/${world.id}/migrations/1`
  assert.equal((await world.member.compute.delete(path, { version: '2.24' })).status, 403)
  assert.equal((await world.manager.compute.delete(path, { version: '2.23' })).status, 404)
  assert.equal((await world.manager.compute.delete(path, { version: '2.24' })).status, 202)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-1'])
  await settledOn(world, 'host-1')
  assert.equal((await migrations(world))[0].status, 'cancelled')
  const again = await world.admin.compute.delete(path, { version: '2.24' })
  assert.deepEqual([again.status, again.body.conflictingRequest?.code], [409, 409])
})

test('one that waits for its destination is ended from 2.65 on', async (t) => {
  const world = await onFirst(t)
  world.to.faults.neverOpens = true
  await live(world, world.id)
  await world.settle()
  const path = `/servers/${world.id}/migrations/1`
  assert.equal((await world.admin.compute.delete(path, { version: '2.64' })).status, 400)
  assert.equal((await world.admin.compute.delete(path, { version: '2.65' })).status, 202)
  await world.settle()
  await settledOn(world, 'host-1')
  assert.deepEqual([(await migrations(world))[0].status, (await shown(world, world.id))[0]], ['cancelled', 'ACTIVE'])
})

test('a migration is told to end whatever it takes: the host hears of it', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  const force = () =>
    world.admin.compute.post(`/servers/${world.id}/migrations/1/action`, { force_complete: null }, { version: '2.22' })
  const leaves = async () => ((await world.cloud.desk.agent('vm').desired('host-1')).items[0] as Json).leaves
  assert.equal((await leaves()).forced, false)
  assert.equal((await force()).status, 202)
  await world.settle()
  assert.equal((await leaves()).forced, true)
  world.from.faults.moveStalls = false
  await world.settle()
  await settledOn(world, 'host-2')
  assert.equal((await force()).status, 409)
})

for (const [why, faults, status] of [
  ['the destination cannot listen', { to: { receiveFails: 'No room.' } }, 'error'],
  ['the source cannot send', { from: { moveFails: 'The wire broke.' } }, 'failed'],
  ['the destination says nothing', { to: { neverOpens: true } }, 'error'],
] as const)
  test(`${why}: the server is as before, and the migration says that it failed`, async (t) => {
    const world = await onFirst(t)
    Object.assign(world.from.faults, 'from' in faults ? faults.from : {})
    Object.assign(world.to.faults, 'to' in faults ? faults.to : {})
    await live(world, world.id)
    for (let n = 0; n < 7; n++) {
      await world.settle()
      world.clock.advance(minute)
    }
    assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-1'])
    await settledOn(world, 'host-1')
    assert.equal((await migrations(world))[0].status, status)
    const { message, events } = await lastAction(world, world.id)
    assert.deepEqual([message, events[0].result], ['Error', 'Error'])
    Object.assign(world.from.faults, { moveFails: undefined })
    Object.assign(world.to.faults, { receiveFails: undefined, neverOpens: false })
    assert.equal((await live(world, world.id)).status, 202)
    await world.settle()
    await settledOn(world, 'host-2')
  })

test('handed over, a guest is the destination’s, though that host does not hear of it or lost its memory', async (t) => {
  for (const faults of [{ to: { deafToHandover: true } }, { from: { memoryLost: true } }]) {
    const world = await onFirst(t)
    Object.assign(world.from.faults, faults.from)
    Object.assign(world.to.faults, faults.to)
    await live(world, world.id)
    await world.settle()
    world.clock.advance(11 * second)
    await world.settle()
    assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-2'])
    await settledOn(world, 'host-2')
  }
})

/** Nothing is heard of the host, until it counts as down. */
const dies = async (world: World, name: string) => {
  world.silent.add(name)
  for (let n = 0; n < 3; n++) {
    world.clock.advance(30 * second)
    await world.settle()
  }
}
const cancel = async (world: World, number: number) =>
  assert.equal((await world.admin.compute.delete(`/servers/${world.id}/migrations/${number}`, { version: '2.65' })).status, 202)

test('the destination dies on the way: the server stays where it is', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  await dies(world, 'host-2')
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-1'])
  world.silent.clear()
  await world.settle()
  await settledOn(world, 'host-1')
  assert.equal((await migrations(world))[0].status, 'failed')
})

test('the source dies on the way: whose the guest is nobody knows until it says so, or an admin says that it is dead', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  world.silent.add('host-1')
  await cancel(world, 1)
  await dies(world, 'host-1')
  assert.deepEqual(await shown(world, world.id), ['MIGRATING', 'migrating', 'host-1'])
  assert.equal(world.to.guests.get(world.id)?.state, 'arriving', 'the destination waits')
  world.silent.clear()
  await world.settle()
  await settledOn(world, 'host-1')
  await live(world, world.id)
  await world.settle()
  world.silent.add('host-1')
  await cancel(world, 2)
  const service = (await world.admin.compute.get('/os-services?host=host-1', { version: '2.53' })).body.services[0]
  const forced = await world.admin.compute.put(`/os-services/${service.id}`, { forced_down: true }, { version: '2.53' })
  assert.equal(forced.status, 200)
  await dies(world, 'host-1')
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-1'])
  assert.equal(world.to.guests.size, 0)
})

test('the source dies after it handed over: the server is at its destination, and the remains go when the host is back', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  world.silent.add('host-1')
  world.from.faults.moveStalls = false
  const { leaves } = (await world.cloud.desk.agent('vm').desired('host-1')).items[0] as Vm
  await openSim({ host: world.from, clock: world.clock }).send(world.id, leaves!)
  await world.settle()
  await dies(world, 'host-1')
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-2'])
  assert.equal(world.from.guests.get(world.id)?.state, 'left')
  world.silent.clear()
  await world.settle()
  await settledOn(world, 'host-2')
})

test('the destination dies after it was handed to: the server is there, and runs when the host is back', async (t) => {
  const world = await onFirst(t)
  world.to.faults.deafToHandover = true
  await live(world, world.id)
  await world.settle()
  await dies(world, 'host-2')
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-2'])
  assert.equal(world.from.guests.size, 0)
  world.silent.clear()
  await world.settle()
  await settledOn(world, 'host-2')
})

test('a server on its way is deleted: nothing is left on either host', async (t) => {
  const world = await onFirst(t)
  world.from.faults.moveStalls = true
  await live(world, world.id)
  await world.settle()
  assert.equal((await world.member.compute.delete(`/servers/${world.id}`)).status, 204)
  await world.settle()
  assert.equal((await world.member.compute.get(`/servers/${world.id}`)).status, 404)
  for (const { guests } of [world.from, world.to]) assert.equal(guests.size, 0)
  const [migration] = await migrations(world)
  assert.deepEqual(
    [migration.status, await allocations(world, migration.uuid), await allocations(world, world.id)],
    ['cancelled', [], []],
  )
})

test('a port that is deleted on the way is no obstacle', async (t) => {
  const world = await onFirst(t)
  world.to.faults.neverOpens = true
  await live(world, world.id)
  await world.settle()
  const [port] = (await world.cloud.contracts.network.portsOf({ owners: [world.id] }))[world.id]!
  assert.equal((await world.member.network.delete(`/ports/${port!.id}`)).status, 204)
  world.to.faults.neverOpens = false
  await world.settle()
  world.clock.advance(minute)
  await world.settle()
  assert.deepEqual(await shown(world, world.id), ['ACTIVE', null, 'host-2'])
  assert.deepEqual(await world.member.compute.get(`/servers/${world.id}/ips`).then(({ body }) => body.addresses), {})
})
