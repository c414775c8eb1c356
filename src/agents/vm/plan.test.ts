import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuestSeen } from '../../drivers/hypervisor/driver.ts'
import { second } from '../../kit/clock.ts'
import type { Vm } from '../document.ts'
import type { Action } from './action.ts'
import { plan, step } from './plan.ts'
import { sampleVm as vm } from './sample.ts'

const seen = (state: GuestSeen['state'], more: Partial<GuestSeen> = {}): GuestSeen => ({
  id: 'a',
  state,
  pid: 1,
  applied: { generation: 1, boots: 1, softBoots: 0 },
  pressedAt: undefined,
  ...more,
})

const now = 1000 * second
const does = (action: Action | undefined) => action?.do
const next = (want: Vm, have: GuestSeen | undefined) => does(step(want, have, now))
const planned = (complete: boolean, items: Vm[], have: GuestSeen[], strangers: string[] = []) =>
  plan({ complete, items }, have, { now, strangers: new Set(strangers) }).map(does)

test('a guest that is as it should be needs nothing', () => {
  assert.equal(next(vm(), seen('on')), undefined)
  assert.equal(next(vm({ power: 'off' }), seen('off')), undefined)
  assert.equal(next(vm({ power: 'paused' }), seen('paused')), undefined)
  assert.equal(next(vm({ power: 'suspended' }), seen('suspended')), undefined)
})

test('a guest that is not here is made: booted, or only defined when it should be off', () => {
  assert.equal(next(vm(), undefined), 'start')
  assert.deepEqual(step(vm({ power: 'paused' }), undefined, now), { do: 'start', vm: vm({ power: 'paused' }), as: 'paused' })
  assert.equal(next(vm({ power: 'off' }), undefined), 'define')
  assert.equal(next(vm({ power: 'suspended' }), undefined), 'complain')
})

test('a new generation that asks nothing new of the guest is recorded', () => {
  assert.equal(next(vm({ generation: 2 }), seen('on')), 'settle')
})

test('an older generation than the applied one is ignored', () => {
  assert.equal(
    next(vm({ generation: 1, power: 'off' }), seen('on', { applied: { generation: 2, boots: 1, softBoots: 0 } })),
    undefined,
  )
})

test('a crashed guest boots again; one that powered itself off does not, until somebody asks anew', () => {
  assert.equal(next(vm(), seen('crashed')), 'start')
  assert.equal(next(vm(), seen('ended')), 'stop')
  assert.equal(next(vm(), seen('off')), undefined)
  assert.equal(next(vm({ generation: 2 }), seen('off')), 'start')
})

test('one more boot asked for: stop, then start, and no third', () => {
  const want = vm({ generation: 2, boots: 2 })
  assert.equal(next(want, seen('on')), 'stop')
  assert.equal(next(want, seen('off')), 'start')
  assert.equal(next(want, seen('on', { applied: { generation: 1, boots: 2, softBoots: 0 } })), 'settle')
  assert.equal(next(want, seen('paused')), 'stop')
  assert.equal(next(want, seen('suspended')), 'start')
})

test('a soft reboot presses the button, waits its grace, then takes the power', () => {
  const want = vm({ generation: 2, softBoots: 1 })
  assert.equal(next(want, seen('on')), 'press')
  const waiting = step(want, seen('on', { pressedAt: now - 10 * second }), now)
  assert.deepEqual(waiting, { do: 'wait', id: 'a', until: now + 50 * second })
  assert.equal(next(want, seen('on', { pressedAt: now - 60 * second })), 'stop')
  assert.equal(next(want, seen('ended')), 'stop')
  assert.equal(next(want, seen('off')), 'start')
})

test('no grace: the power goes at once', () => {
  assert.equal(next(vm({ power: 'off', graceSeconds: 0 }), seen('on')), 'stop')
})

test('a button pressed once is forgotten when all is as it should be', () => {
  assert.equal(next(vm(), seen('on', { pressedAt: now })), 'settle')
})

test('pause, suspend and back', () => {
  assert.equal(next(vm({ power: 'paused' }), seen('on')), 'pause')
  assert.equal(next(vm(), seen('paused')), 'resume')
  assert.equal(next(vm({ power: 'suspended' }), seen('on')), 'suspend')
  assert.equal(next(vm({ power: 'suspended' }), seen('off')), 'complain')
  assert.equal(next(vm(), seen('suspended')), 'restore')
  assert.equal(next(vm({ power: 'off' }), seen('suspended')), 'stop')
})

test('a guest that does not answer is left alone and named, unless it should go or boot anew', () => {
  assert.equal(next(vm(), seen('lost')), 'complain')
  assert.equal(next(vm({ power: 'off' }), seen('lost')), 'stop')
  assert.equal(next(vm({ boots: 2 }), seen('lost')), 'stop')
})

test('a guest no document names is paused, then removed; an incomplete document removes nothing', () => {
  assert.deepEqual(planned(true, [], [seen('on')]), ['pause'])
  assert.deepEqual(planned(true, [], [seen('paused')], ['a']), ['remove'])
  assert.deepEqual(planned(false, [], [seen('paused')], ['a']), [])
})

test('each guest has its own next step', () => {
  const have = [seen('on'), seen('crashed', { id: 'b' })]
  assert.deepEqual(planned(true, [vm({ power: 'off' }), vm({ id: 'b' }), vm({ id: 'c' })], have), ['press', 'start', 'start'])
})
