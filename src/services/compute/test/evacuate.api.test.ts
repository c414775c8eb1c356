import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import { second } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

/** A server on `host-1`, of which nothing is heard any more; `host-2` is there. */
async function onDead(t: TestContext) {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  const { id } = await world.server()
  await world.settle()
  await world.addHost('host-2', { address: '192.0.2.2' })
  const [from, to] = world.hosts.map((host) => host.hypervisor)
  const pass = async () => {
    for (let n = 0; n < 3; n++) {
      world.clock.advance(30 * second)
      await world.settle()
    }
  }
  const dies = async () => {
    world.silent.add('host-1')
    await pass()
  }
  const evacuate = (ask: object = {}, version = '2.94', client: Client = world.admin) =>
    client.compute.post(`/servers/${id}/action`, { evacuate: ask }, { version })
  const shown = async () => {
    const server = await world.show(id, world.admin)
    return [server.status, server['OS-EXT-STS:task_state'], server['OS-EXT-SRV-ATTR:host']]
  }
  const migration = async (): Promise<Json> =>
    (await world.admin.compute.get('/os-migrations', { version: '2.96' })).body.migrations[0]
  return { ...world, id, from: from!, to: to!, pass, dies, evacuate, shown, migration }
}

test('a server of a dead host is made anew elsewhere; when the host is back, what was there goes', async (t) => {
  const world = await onDead(t)
  await world.dies()
  const answer = await world.evacuate()
  assert.deepEqual([answer.status, answer.body], [200, ''])
  assert.equal((await world.show(world.id)).status, 'REBUILD')
  await world.settle()
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-2'])
  assert.match(world.to.guests.get(world.id)!.console, /boot/)
  assert.equal(world.from.guests.get(world.id)?.state, 'on', 'nobody told it')
  const { status, migration_type, source_compute, dest_compute } = await world.migration()
  assert.deepEqual([status, migration_type, source_compute, dest_compute], ['done', 'evacuation', 'host-1', 'host-2'])
  world.silent.clear()
  await world.settle()
  assert.equal(world.from.guests.size, 0)
  assert.equal(world.to.guests.get(world.id)?.state, 'on')
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-2'])
  const held = await world.cloud.contracts.placement.allocationsOf({ consumer: world.id })
  assert.equal(held.length, 1)
  const [port] = (await world.cloud.contracts.network.portsOf({ owners: [world.id] }))[world.id]!
  assert.deepEqual([port?.host, port?.wired], ['host-2', true])
})

test('one that was off stays off; from 2.95 on every one does', async (t) => {
  for (const [stopped, version, status] of [
    [true, '2.94', 'SHUTOFF'],
    [false, '2.95', 'SHUTOFF'],
    [false, '2.94', 'ACTIVE'],
  ] as const) {
    const world = await onDead(t)
    if (stopped) {
      await world.act(world.id, { 'os-stop': null })
      await world.settle()
    }
    await world.dies()
    assert.equal((await world.evacuate({}, version)).status, 200)
    await world.settle()
    assert.deepEqual(await world.shown(), [status, null, 'host-2'])
  }
})

test('who asks for what cannot be is told why', async (t) => {
  const world = await onDead(t)
  const alive = await world.evacuate()
  assert.deepEqual([alive.status, alive.body.badRequest?.message], [400, 'Compute service of host-1 is still in use.'])
  assert.equal((await world.evacuate({}, '2.94', world.manager)).status, 403)
  await world.dies()
  assert.equal((await world.evacuate({ host: 'nowhere' })).status, 404)
  assert.equal((await world.evacuate({ host: 'host-1' })).status, 400)
  assert.equal((await world.evacuate({ force: true }, '2.29')).status, 400)
  assert.equal((await world.evacuate({ force: true, host: 'host-2' }, '2.68')).status, 400)
  assert.equal((await world.evacuate({ onSharedStorage: false }, '2.14')).status, 400)
  assert.equal((await world.evacuate({}, '2.13')).status, 400)
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-1'])
  const old = await world.evacuate({ onSharedStorage: false, adminPass: 'secret' }, '2.13')
  assert.deepEqual([old.status, old.body], [200, { adminPass: 'secret' }])
})

test('with nowhere to go it stays on its dead host, and runs on when that is back', async (t) => {
  const world = await onDead(t)
  await world.admin.compute.put('/os-services/disable', { host: 'host-2', binary: 'nova-compute' }, { version: '2.1' })
  await world.dies()
  assert.equal((await world.evacuate()).status, 200)
  await world.settle()
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-1'])
  assert.equal((await world.migration()).status, 'error')
  world.silent.clear()
  await world.settle()
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-1'])
  assert.equal(world.from.guests.get(world.id)?.state, 'on')
})

test('forced, it goes to a host that the filters refuse; one that is broken too leaves it in error, from where it goes on', async (t) => {
  const world = await onDead(t)
  await world.admin.compute.put('/os-services/disable', { host: 'host-2', binary: 'nova-compute' }, { version: '2.1' })
  world.to.faults.bootFails = 'broken'
  await world.dies()
  assert.equal((await world.evacuate({ host: 'host-2', force: true }, '2.67')).status, 200)
  await world.pass()
  assert.deepEqual(await world.shown(), ['ERROR', null, 'host-2'])
  delete world.to.faults.bootFails
  assert.equal(await world.act(world.id, { reboot: { type: 'HARD' } }), 202)
  await world.pass()
  assert.deepEqual(await world.shown(), ['ACTIVE', null, 'host-2'])
})
