import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { crashStride, type ServerWorld, serverWorld } from './world.ts'

type Step = (world: ServerWorld, id: string) => Promise<number>

/** One server's life in a cloud that sees many: what one leaves behind, the next ones would meet. The machine is `compute.server`. */
async function life(world: ServerWorld, steps: Step[]) {
  const { id } = await world.server()
  let done = 0
  /** Requests are made again until they are acknowledged, as a client whose connection broke would. */
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
    world.act(id, action)
const attach: Step = async ({ member }, id) => (await member.compute.post(`/servers/${id}/os-interface`, {})).status
const remove: Step = async ({ member }, id) => (await member.compute.delete(`/servers/${id}`)).status

async function nothingLeft(world: ServerWorld, id: string) {
  const { cloud, member } = world
  assert.equal((await member.compute.get(`/servers/${id}`)).status, 404)
  for (const host of world.hosts) assert.equal(host.hypervisor.guests.size, 0, `a guest on ${host.name}`)
  assert.deepEqual(await cloud.contracts.placement.allocationsOf({ consumer: id }), [])
  assert.deepEqual((await cloud.contracts.network.portsOf({ owners: [id] }))[id] ?? [], [])
  assert.equal(await cloud.work.stateOf('compute.server', id), undefined)
  assert.equal((await member.compute.get('/limits')).body.limits.absolute.totalInstancesUsed, 0)
}

test('compute.server: killed anywhere in the life of a server that is stopped, gets a port, is rebooted and deleted, nothing is left', async (t) => {
  const world = await serverWorld(t)
  const steps = [act({ 'os-stop': null }), attach, act({ reboot: { type: 'HARD' } }), remove]
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, steps),
    check: ({ id }) => nothingLeft(world, id),
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 60, `only ${effects} effects`)
})

test('compute.server: killed anywhere while a host fails and another one takes over, it becomes active once', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  world.hosts[0]!.hypervisor.faults.bootFails = 'broken'
  const effects = await everyCrash({
    stride: crashStride(),
    world: () => life(world, []),
    async check({ id }) {
      const server = await world.show(id, world.admin)
      assert.deepEqual([server.status, server['OS-EXT-SRV-ATTR:host']], ['ACTIVE', 'host-2'])
      assert.equal(world.hosts[0]!.hypervisor.guests.size, 0)
      assert.equal((await world.cloud.contracts.placement.allocationsOf({ consumer: id })).length, 1)
      await remove(world, id)
      await world.settle()
      await nothingLeft(world, id)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 40, `only ${effects} effects`)
})
