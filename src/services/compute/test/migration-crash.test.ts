import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { crashStride, type ServerWorld, serverWorld } from './world.ts'

type Step = (world: ServerWorld, id: string) => Promise<number>

/** Steps of a server's life, each asked for when the one before has settled, and again until it is acknowledged. The machine is `compute.server`. */
async function life(world: ServerWorld, steps: Step[]) {
  const { id } = await world.server()
  // Its birth is proved elsewhere.
  await world.settle()
  let done = 0
  const goOn = async (before: () => Promise<unknown>) => {
    await before()
    for (let asked = 0; done < steps.length && asked < 2 * steps.length; asked++) {
      if ((await steps[done]!(world, id)) < 500) done++
      await before()
    }
  }
  const later = async () => {
    world.clock.advance(2 * minute)
    await world.settle()
  }
  return { id, settle: () => goOn(world.settle), restart: () => goOn(later), close: async () => {} }
}

const act =
  (action: object): Step =>
  (world, id) =>
    world.act(id, action, world.admin, '2.94')
const live = (host: string) => act({ 'os-migrateLive': { host, block_migration: 'auto' } })
const remove: Step = async ({ member }, id) => (await member.compute.delete(`/servers/${id}`)).status
const abort: Step = async ({ admin }, id) => {
  const { migrations } = (await admin.compute.get(`/servers/${id}/migrations`, { version: '2.80' })).body
  return migrations[0]
    ? (await admin.compute.delete(`/servers/${id}/migrations/${migrations[0].id}`, { version: '2.80' })).status
    : 404
}

/** It is whole, at exactly one host; nothing is held for any move. */
async function atOneHost(world: ServerWorld, id: string, expected: { status: string; host?: string; flavor?: string }) {
  const { cloud } = world
  const server = await world.show(id, world.admin)
  const host = server['OS-EXT-SRV-ATTR:host']
  assert.deepEqual([server.status, server['OS-EXT-STS:task_state']], [expected.status, null])
  if (expected.host !== undefined) assert.equal(host, expected.host)
  if (expected.flavor !== undefined) assert.equal(server.flavor.original_name, expected.flavor)
  const running = world.hosts.filter((one) => one.hypervisor.guests.size > 0)
  assert.deepEqual(
    running.map((one) => one.name),
    [host],
  )
  assert.equal((await cloud.contracts.placement.allocationsOf({ consumer: id })).length, 1)
  const { migrations } = (await world.admin.compute.get(`/os-migrations?instance_uuid=${id}`, { version: '2.80' })).body
  for (const { uuid } of migrations) assert.deepEqual(await cloud.contracts.placement.allocationsOf({ consumer: uuid }), [])
  const ports = (await cloud.contracts.network.portsOf({ owners: [id] }))[id]!
  assert.deepEqual(
    ports.map((port) => [port.host, port.openAt, port.wired]),
    [[host, undefined, true]],
  )
}

async function goneWholly(world: ServerWorld, id: string) {
  await remove(world, id)
  await world.settle()
  for (const { hypervisor } of world.hosts) assert.equal(hypervisor.guests.size, 0)
  assert.deepEqual(await world.cloud.contracts.placement.allocationsOf({ consumer: id }), [])
  for (const { used } of await world.cloud.contracts.placement.usages())
    assert.deepEqual(
      Object.values(used).filter((amount) => amount > 0),
      [],
    )
}

/** Hosts of different size: a server begins at the larger one. */
async function twoHosts(t: Parameters<typeof serverWorld>[0]) {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  await world.addHost('host-2', { memoryMb: 32_768 })
  return world
}

test('compute.server: killed anywhere while a server goes to another host, it is whole at one host', async (t) => {
  const world = await twoHosts(t)
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, [live('host-2')]),
    async check({ id }) {
      await atOneHost(world, id, { status: 'ACTIVE', host: 'host-2' })
      await goneWholly(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 40, `only ${effects} effects`)
})

test('compute.server: killed anywhere while its way to another host is taken back, it is whole where it was', async (t) => {
  const world = await twoHosts(t)
  world.hosts[0]!.hypervisor.faults.moveStalls = true
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, [live('host-2'), abort]),
    async check({ id }) {
      await atOneHost(world, id, { status: 'ACTIVE', host: 'host-1' })
      await goneWholly(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 40, `only ${effects} effects`)
})

test('compute.server: killed anywhere while a server on its way is deleted, nothing is left', async (t) => {
  const world = await twoHosts(t)
  world.hosts[0]!.hypervisor.faults.moveStalls = true
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, [live('host-2'), remove]),
    check: async ({ id }) => goneWholly(world, id),
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 40, `only ${effects} effects`)
})

const larger = act({ resize: { flavorRef: 'large' } })
const big = { flavor: { id: 'large', name: 'large', ram: 1024, vcpus: 2, disk: 2 } }

test('compute.server: killed anywhere while a server becomes larger elsewhere and that is confirmed, it is whole there', async (t) => {
  const world = await twoHosts(t)
  await world.admin.compute.post('/flavors', big)
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, [larger, act({ confirmResize: null })]),
    async check({ id }) {
      await atOneHost(world, id, { status: 'ACTIVE', host: 'host-2', flavor: 'large' })
      await goneWholly(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 60, `only ${effects} effects`)
})

test('compute.server: killed anywhere while a larger one is taken back, it is whole where it was, as it was', async (t) => {
  const world = await twoHosts(t)
  await world.admin.compute.post('/flavors', big)
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, [larger, act({ revertResize: null })]),
    async check({ id }) {
      await atOneHost(world, id, { status: 'ACTIVE', host: 'host-1', flavor: 'small' })
      assert.equal((await world.member.compute.get('/limits')).body.limits.absolute.totalRAMUsed, 512)
      await goneWholly(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 60, `only ${effects} effects`)
})

test('compute.server: killed anywhere while a server of a dead host is made anew, it is whole at the other host', async (t) => {
  const world = await twoHosts(t)
  const born = async () => {
    const one = await life(world, [act({ evacuate: {} })])
    world.silent.add('host-1')
    world.clock.advance(2 * minute)
    return one
  }
  const effects = await everyCrash({
    stride: crashStride(),
    world: born,
    async check({ id }) {
      world.silent.clear()
      await world.settle()
      await atOneHost(world, id, { status: 'ACTIVE', host: 'host-2' })
      await goneWholly(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 15, `only ${effects} effects`)
})
