import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute } from '../../../kit/clock.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { type ServerWorld, serverWorld } from './world.ts'

/** The machine of servers is `compute.server`. */
async function life(
  options: { hosts: string[]; fault?: string },
  steps: ((world: ServerWorld, id: string) => Promise<unknown>)[],
) {
  const world = await serverWorld(undefined, { hosts: options.hosts })
  if (options.fault) world.hosts[0]!.hypervisor.faults.bootFails = options.fault
  const { id } = await world.server()
  let done = 0
  /** Requests are made again until they are acknowledged, as a client whose connection broke would. */
  const goOn = async (before: () => Promise<unknown>) => {
    await before()
    while (done < steps.length) {
      await steps[done]!(world, id)
      done++
      await before()
    }
  }
  return {
    ...world,
    id,
    settle: () => goOn(world.settle),
    restart: () =>
      goOn(async () => {
        for (let n = 0; n < 3; n++) {
          world.clock.advance(2 * minute)
          await world.settle()
        }
      }),
    close: world.close,
  }
}

const remove = (world: ServerWorld, id: string) => world.member.compute.delete(`/servers/${id}`)

async function nothingLeft(world: Awaited<ReturnType<typeof life>>) {
  const { id, cloud } = world
  assert.equal((await world.member.compute.get(`/servers/${id}`)).status, 404)
  for (const host of world.hosts) assert.equal(host.hypervisor.guests.size, 0, `a guest on ${host.name}`)
  assert.deepEqual(await cloud.contracts.placement.allocationsOf({ consumer: id }), [])
  assert.deepEqual((await cloud.contracts.network.portsOf({ owners: [id] }))[id] ?? [], [])
  assert.equal(await cloud.work.stateOf('compute.server', id), undefined)
  assert.equal((await world.member.compute.get('/limits')).body.limits.absolute.totalInstancesUsed, 0)
}

test('compute.server: killed anywhere in the life of a server that is stopped, rebooted, paused and deleted, nothing is left', async (t) => {
  const act = (action: object, status: string) => async (world: ServerWorld, id: string) => {
    await world.act(id, action)
    await world.settle()
    const server = await world.show(id)
    assert.deepEqual([server.status, server['OS-EXT-STS:task_state']], [status, null])
  }
  const steps = [
    act({ 'os-stop': null }, 'SHUTOFF'),
    act({ reboot: { type: 'HARD' } }, 'ACTIVE'),
    act({ pause: null }, 'PAUSED'),
    remove,
  ]
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
