import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { type ServerWorld, serverWorld } from './world.ts'

/** The machine of servers is `compute.server`. */
async function life(
  options: { hosts: string[]; fault?: string },
  steps: ((world: ServerWorld, id: string) => Promise<number>)[],
) {
  const world = await serverWorld(undefined, { hosts: options.hosts })
  if (options.fault) world.hosts[0]!.hypervisor.faults.bootFails = options.fault
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
  return {
    ...world,
    id,
    settle: () => goOn(world.settle),
    restart: () =>
      goOn(async () => {
        for (let n = 0; n < 2; n++) {
          world.clock.advance(2 * minute)
          await world.settle()
        }
      }),
    close: world.close,
  }
}

const attach = async (world: ServerWorld, id: string) =>
  (await world.member.compute.post(`/servers/${id}/os-interface`, {})).status
const remove = async (world: ServerWorld, id: string) => (await world.member.compute.delete(`/servers/${id}`)).status

async function nothingLeft(world: Awaited<ReturnType<typeof life>>) {
  const { id, cloud } = world
  assert.equal((await world.member.compute.get(`/servers/${id}`)).status, 404)
  for (const host of world.hosts) assert.equal(host.hypervisor.guests.size, 0, `a guest on ${host.name}`)
  assert.deepEqual(await cloud.contracts.placement.allocationsOf({ consumer: id }), [])
  assert.deepEqual((await cloud.contracts.network.portsOf({ owners: [id] }))[id] ?? [], [])
  assert.equal(await cloud.work.stateOf('compute.server', id), undefined)
  assert.equal((await world.member.compute.get('/limits')).body.limits.absolute.totalInstancesUsed, 0)
}

test('compute.server: killed anywhere in the life of a server that gets a port, is rebooted and deleted, nothing is left', async (t) => {
  const act = (action: object) => (world: ServerWorld, id: string) => world.act(id, action)
  const steps = [attach, act({ reboot: { type: 'HARD' } }), remove]
  const effects = await everyCrash({ world: () => life({ hosts: ['host-1'] }, steps), check: nothingLeft })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 60, `only ${effects} effects`)
})

test('compute.server: killed anywhere while a host fails and another one takes over, it becomes active once', async (t) => {
  const effects = await everyCrash({
    world: () => life({ hosts: ['host-1', 'host-2'], fault: 'broken' }, []),
    async check(world) {
      const server = await world.show(world.id, world.admin)
      assert.deepEqual([server.status, server['OS-EXT-SRV-ATTR:host']], ['ACTIVE', 'host-2'])
      assert.equal(world.hosts[0]!.hypervisor.guests.size, 0)
      assert.equal((await world.cloud.contracts.placement.allocationsOf({ consumer: world.id })).length, 1)
    },
  })
  t.diagnostic(`${effects} effects`)
  assert.ok(effects >= 40, `only ${effects} effects`)
})
