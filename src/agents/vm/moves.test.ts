import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SimFaults, type SimHost, simHost, simRoads } from '../../drivers/hypervisor/sim/host.ts'
import { openSim } from '../../drivers/hypervisor/sim/sim.ts'
import { fakeClock } from '../../kit/clock.ts'
import { silentLog } from '../../kit/log.ts'
import type { Departure, Move, Vm, VmSeen } from '../document.ts'
import { vmAgent } from './index.ts'
import { sampleVm as vm } from './sample.ts'

type Side = { host: SimHost; round(...items: Vm[]): Promise<VmSeen | undefined>; restart(): void }

const move: Move = { id: 'm1', kind: 'live', key: 'k' }
const coming = vm({ generation: 2, arrives: move })

function sides(): { from: Side; to: Side } {
  const roads = simRoads()
  const clock = fakeClock()
  const side = (): Side => {
    const host = simHost({}, roads)
    const open = () => vmAgent({ driver: openSim({ host, clock }), clock, log: silentLog })
    let agent = open()
    return {
      host,
      round: async (...items) => (await agent.round({ complete: true, items })).seen[0],
      restart: () => {
        agent = open()
      },
    }
  }
  return { from: side(), to: side() }
}

const going = (there: VmSeen | undefined, more: Partial<Departure> = {}): Vm => {
  const { memoryPort = 0, diskPort = 0 } = there?.move ?? {}
  return vm({ generation: 2, leaves: { ...move, address: '192.0.2.2', memoryPort, diskPort, forced: false, ...more } })
}

/** A guest that runs at `from` and is waited for at `to`. */
async function between(faults: { from?: SimFaults; to?: SimFaults } = {}) {
  const both = sides()
  Object.assign(both.from.host.faults, faults.from)
  Object.assign(both.to.host.faults, faults.to)
  await both.from.round(vm())
  const there = await both.to.round(coming)
  return { ...both, there, leaving: going(there) }
}

test('a guest goes over in a round of each host, and its old host forgets it', async () => {
  const { from, to, there, leaving } = await between()
  assert.deepEqual([there?.power, there?.move?.at, there?.generation], ['off', 'open', 0])
  const here = await from.round(leaving)
  assert.deepEqual([here?.power, here?.move?.at], ['off', 'left'])
  const now = await to.round(coming)
  assert.deepEqual([now?.power, now?.move?.at, now?.generation, now?.boots], ['on', 'arrived', 2, 1])
  assert.equal(await from.round(), undefined, 'removed without waiting')
  assert.equal(from.host.guests.size, 0)
  assert.equal((await to.round(vm({ generation: 3 })))?.generation, 3)
})

test('agents that are restarted at each step finish what the others began', async () => {
  const { from, to, leaving } = await between({ from: { moveStalls: true } })
  assert.equal((await from.round(leaving))?.move?.at, 'going')
  from.restart()
  to.restart()
  assert.deepEqual([(await from.round(leaving))?.power, (await to.round(coming))?.move?.at], ['on', 'open'])
  from.host.faults.moveStalls = false
  assert.equal((await from.round(leaving))?.move?.at, 'left')
  assert.equal((await to.round(coming))?.power, 'on')
})

test('a move taken back leaves the guest where it is, and running', async () => {
  const { from, to, leaving } = await between({ from: { moveStalls: true } })
  await from.round(leaving)
  const here = await from.round(vm({ generation: 3 }))
  assert.deepEqual([here?.power, here?.move?.at, here?.generation], ['on', 'failed', 3])
  assert.equal(await to.round(), undefined)
  assert.equal(to.host.guests.size, 0)
})

test('a move that fails leaves the guest running, says why, and the next one may succeed', async () => {
  const { from, to, leaving } = await between({ from: { moveFails: 'The wire broke.' } })
  const here = await from.round(leaving)
  assert.deepEqual([here?.power, here?.move?.at, here?.move?.error], ['on', 'failed', 'The wire broke.'])
  assert.equal((await from.round(leaving))?.generation, 2)
  delete from.host.faults.moveFails
  const next = { ...move, id: 'm2' }
  const there = await to.round(vm({ generation: 3, arrives: next }))
  assert.equal((await from.round({ ...going(there, next), generation: 3 }))?.move?.at, 'left')
  assert.equal((await to.round(vm({ generation: 3, arrives: next })))?.power, 'on')
})

test('a guest handed over without its memory boots where it went, once that host is told that it is its own', async () => {
  const { from, to, leaving } = await between({ from: { memoryLost: true } })
  assert.equal((await from.round(leaving))?.move?.at, 'left')
  assert.deepEqual([(await to.round(coming))?.power, (await to.round(coming))?.move?.at], ['off', 'open'])
  const now = await to.round(vm({ generation: 3 }))
  assert.deepEqual([now?.power, now?.move?.at, now?.generation], ['on', 'arrived', 3])
})

test('a guest whose memory came goes on with it when its host is told late', async () => {
  const { from, to, leaving } = await between({ to: { deafToHandover: true } })
  await from.round(leaving)
  const old = to.host.guests.get('a')
  assert.equal((await to.round(coming))?.move?.at, 'open')
  assert.equal((await to.round(vm({ generation: 3 })))?.power, 'on')
  assert.equal(to.host.guests.get('a')?.console, old?.console, 'it did not boot anew')
})

test('a destination that cannot listen says why, and one that never does says nothing', async () => {
  assert.equal((await between({ to: { receiveFails: 'No room.' } })).there?.move?.error, 'No room.')
  assert.equal((await between({ to: { neverOpens: true } })).there?.move, undefined)
})

test('a guest that is off is started by its new host when it should run', async () => {
  const both = sides()
  const off = vm({ power: 'off' })
  await both.from.round(off)
  const cold = { ...move, kind: 'cold' as const }
  const there = await both.to.round({ ...off, generation: 2, arrives: cold })
  const here = await both.from.round({ ...off, ...going(there, cold), power: 'off' })
  assert.equal(here?.move?.at, 'left')
  assert.equal((await both.to.round({ ...off, generation: 2, arrives: cold }))?.power, 'off')
  assert.equal((await both.to.round(vm({ generation: 3, boots: 2 })))?.power, 'on')
})

test('a guest that was sent switched off comes back as it was left, one that was sent running does not', async () => {
  for (const kind of ['cold', 'live'] as const) {
    const both = sides()
    const was = vm({ power: kind === 'cold' ? 'off' : 'on' })
    await both.from.round(was)
    const there = await both.to.round({ ...was, generation: 2, arrives: { ...move, kind } })
    await both.from.round({ ...going(there, { ...move, kind }), power: was.power })
    await both.to.round()
    const back = await both.from.round(vm({ generation: 3, returns: move.id }))
    assert.equal(back?.power, kind === 'cold' ? 'on' : 'off')
    assert.equal(back?.move?.at, kind === 'cold' ? 'failed' : 'left')
  }
})
