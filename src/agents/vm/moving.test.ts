import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuestSeen, MoveSeen } from '../../drivers/hypervisor/driver.ts'
import type { Departure, Move, Vm } from '../document.ts'
import { plan, step } from './plan.ts'
import { sampleVm } from './sample.ts'

const live: Move = { id: 'm1', kind: 'live', key: 'k' }
const departure: Departure = { ...live, address: '192.0.2.2', memoryPort: 1, diskPort: 2, forced: false }
const arrives = sampleVm({ generation: 2, arrives: live })
const leaves = sampleVm({ generation: 2, leaves: departure })
const neither = sampleVm({ generation: 2 })

const nothing = { total: 0, sent: 0, left: 0 }
const at = (at: MoveSeen['at'], id = 'm1'): MoveSeen => ({
  ...{ id, at, memoryPort: 0, diskPort: 0, memory: nothing, disk: nothing, error: undefined },
})

const seen = (state: GuestSeen['state'], move?: MoveSeen, generation = 1): GuestSeen => ({
  id: 'a',
  state,
  pid: 1,
  applied: { generation, boots: 1, softBoots: 0 },
  pressedAt: undefined,
  ...(move && { move }),
})

/** What is wanted, what is there, what is done. */
const table: [why: string, Vm, GuestSeen | undefined, string | undefined][] = [
  ['a guest that arrives is waited for', arrives, undefined, 'receive'],
  ['while it is waited for, that goes on', arrives, seen('arriving', at('open')), 'receive'],
  ['the remains of one that left are no obstacle', arrives, seen('left', at('left', 'm0')), 'receive'],
  ['of one whose earlier move failed neither', arrives, seen('arriving', at('failed', 'm0')), 'receive'],
  ['a move that failed is not tried again', arrives, seen('arriving', at('failed')), undefined],
  ['once here it is a guest like any other', arrives, seen('on', at('arrived')), 'settle'],
  ['also when it crashed', arrives, seen('crashed', at('arrived')), 'start'],
  ['also when it came switched off', arrives, seen('off', at('arrived'), 0), 'start'],
  ['a guest that runs here cannot come', arrives, seen('on'), 'complain'],
  ['handed over and not arrived: it is taken', neither, seen('arriving', at('open')), 'take'],
  ['taken also when its move failed here', neither, seen('arriving', at('failed')), 'take'],
  ['a guest that leaves is sent', leaves, seen('on'), 'send'],
  ['while it goes, that goes on', leaves, seen('on', at('going')), 'send'],
  ['paused for the last bytes it is not resumed', leaves, seen('paused', at('going')), 'send'],
  ['what failed stays, as it should be', leaves, seen('on', at('failed')), 'settle'],
  ['after a failed move it is resumed', leaves, seen('paused', at('failed')), 'resume'],
  ['a crashed guest is first started', leaves, seen('crashed'), 'start'],
  ['an earlier failed move does not count', leaves, seen('on', at('failed', 'm0')), 'send'],
  ['an earlier move is taken back first', leaves, seen('on', at('going', 'm0')), 'cancel'],
  ['a guest that came here may leave', leaves, seen('on', at('arrived', 'm0')), 'send'],
  ['left is left', leaves, seen('left', at('left')), undefined],
  ['also when it is taken back too late', neither, seen('left', at('left')), undefined],
  ['one that comes back is regained', sampleVm({ generation: 2, returns: 'm1' }), seen('left', at('left')), 'regain'],
  ['but not from another move', sampleVm({ generation: 2, returns: 'm0' }), seen('left', at('left')), undefined],
  ['a guest that is not here is not made to leave', leaves, undefined, 'complain'],
  ['taken back, it stays', neither, seen('on', at('going')), 'cancel'],
  ['and is as any other', neither, seen('on', at('failed')), 'settle'],
  ['a late document changes nothing', arrives, seen('on', at('arrived'), 3), undefined],
]

for (const [why, want, have, does] of table) test(`move: ${why}`, () => assert.equal(step(want, have, 0)?.do, does))

test('a guest that leaves switched off is sent switched off', () => {
  const off = { ...leaves, power: 'off' as const }
  assert.equal(step(off, seen('off'), 0)?.do, 'send')
  assert.equal(step({ ...off, graceSeconds: 0 }, seen('on'), 0)?.do, 'stop')
})

test('a guest that no document names is removed at once when it is another host’s, and waits its turn when it is not', () => {
  const circumstances = { now: 0, strangers: new Set<string>() }
  const does = (guest: GuestSeen) => plan({ complete: true, items: [] }, [guest], circumstances).map((one) => one.do)
  assert.deepEqual(does(seen('left', at('left'))), ['remove'])
  assert.deepEqual(does(seen('arriving', at('open'))), ['remove'])
  assert.deepEqual(does(seen('on', at('arrived'))), ['pause'])
  assert.deepEqual(plan({ complete: false, items: [] }, [seen('left', at('left'))], circumstances), [])
})
