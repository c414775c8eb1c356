import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SimFaults, type SimHost, simEvent, simHost } from '../../drivers/hypervisor/sim/host.ts'
import { openSim } from '../../drivers/hypervisor/sim/sim.ts'
import { type FakeClock, fakeClock, minute, second } from '../../kit/clock.ts'
import { silentLog } from '../../kit/log.ts'
import type { Vm, VmSeen } from '../document.ts'
import { vmAgent } from './index.ts'
import { sampleVm as vm } from './sample.ts'

type World = { host: SimHost; clock: FakeClock; round(...items: Vm[]): Promise<VmSeen | undefined>; restart(): void }

const world = (faults: SimFaults = {}): World => {
  const host = simHost(faults)
  const clock = fakeClock()
  const open = () => vmAgent({ driver: openSim({ host, clock }), clock, log: silentLog })
  let agent = open()
  return {
    host,
    clock,
    round: async (...items) => (await agent.round({ complete: true, items })).seen[0],
    restart: () => {
      agent = open()
    },
  }
}

test('one round boots what should run and tells its generation', async () => {
  const { round } = world()
  const seen = await round(vm())
  assert.deepEqual([seen?.power, seen?.generation, seen?.boots, seen?.error], ['on', 1, 1, undefined])
})

test('a reboot asked for once is done once, whoever forgets what', async () => {
  const { host, round, restart } = world()
  await round(vm())
  const first = host.guests.get('a')?.pid
  await round(vm({ generation: 2, boots: 2 }))
  const second = host.guests.get('a')?.pid
  assert.notEqual(second, first)
  restart()
  await round(vm({ generation: 2, boots: 2 }))
  assert.equal(host.guests.get('a')?.pid, second)
})

test('a new agent adopts the guests of the old one', async () => {
  const { host, round, restart } = world()
  await round(vm())
  const pid = host.guests.get('a')?.pid
  restart()
  assert.equal((await round(vm()))?.pid, pid)
})

test('a deaf guest is stopped by force when its grace is over', async () => {
  const { clock, round } = world({ deafToPowerButton: true })
  await round(vm())
  assert.equal((await round(vm({ generation: 2, power: 'off' })))?.power, 'on')
  clock.advance(61 * second)
  const seen = await round(vm({ generation: 2, power: 'off' }))
  assert.deepEqual([seen?.power, seen?.generation], ['off', 2])
})

test('a failed boot tells the user why, is tried again later, and at once when asked anew', async () => {
  const { host, clock, round } = world({ bootFails: 'The kernel is missing.' })
  assert.equal((await round(vm()))?.error, 'The kernel is missing.')
  delete host.faults.bootFails
  assert.equal((await round(vm()))?.power, 'crashed')
  assert.equal((await round(vm({ generation: 2 })))?.power, 'on')
  host.faults.bootFails = 'No.'
  simEvent(host, 'a', 'dies')
  await round(vm({ generation: 2 }))
  delete host.faults.bootFails
  clock.advance(2 * minute)
  const seen = await round(vm({ generation: 2 }))
  assert.deepEqual([seen?.power, seen?.error], ['on', undefined])
})

test('what failed is looked at again when its delay is over, not at the next round of all', async () => {
  const host = simHost({ prepareFails: 'The image is not there.' })
  const clock = fakeClock()
  const agent = vmAgent({ driver: openSim({ host, clock }), clock, log: silentLog })
  const { seen, again } = await agent.round({ complete: true, items: [vm()] })
  assert.equal(seen[0]?.error, 'The image is not there.')
  assert.ok(again !== undefined && again > 4900 && again <= 5000, `${again}`)
  assert.equal((await agent.round({ complete: true, items: [] })).again, undefined)
})

test('a trouble that passes in a moment is not told; one that stays is', async () => {
  const clock = fakeClock()
  const driver = openSim({ host: simHost(), clock })
  let times = 2
  const start: typeof driver.start = async (...ask) => {
    if (times-- > 0) throw new Error('socket hang up')
    return driver.start(...ask)
  }
  const agent = vmAgent({ driver: { ...driver, start }, clock, log: silentLog })
  const round = async () => {
    clock.advance(8 * second)
    return (await agent.round({ complete: true, items: [vm()] })).seen[0]
  }
  for (const power of ['off', 'off', 'on']) {
    const seen = await round()
    assert.deepEqual([seen?.power, seen?.error], [power, undefined])
  }
  times = 10
  const told = []
  for (const _ of [1, 2, 3, 4]) {
    clock.advance(8 * second)
    told.push((await agent.round({ complete: true, items: [vm({ generation: 2, boots: 2 })] })).seen[0]?.error)
  }
  assert.deepEqual(told.slice(0, 3), [undefined, undefined, undefined])
  assert.match(`${told[3]}`, /could not do/)
})

test('a guest without its network device waits for it', async () => {
  const nic = { portId: 'p', device: 'tap1', mac: 'fa:16:3e:00:00:01', mtu: 1450 }
  const { host, round } = world({ missingDevice: 'tap1' })
  assert.equal((await round(vm({ nics: [nic] })))?.power, 'off')
  delete host.faults.missingDevice
  assert.equal((await round(vm({ nics: [nic] })))?.power, 'on')
})

test('a guest no document names is first paused, then gone', async () => {
  const { host, round } = world()
  await round(vm())
  await round()
  assert.equal(host.guests.get('a')?.state, 'paused')
  await round()
  assert.equal(host.guests.size, 0)
})
