import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verdict } from './verdict.ts'
import type { Outcome } from './workers.ts'

const one = (outcome: Outcome['outcome'], name: string): Outcome => ({ test: name, outcome, why: 'its own', seconds: 1 })
const reasons = [{ test: /^a\.Locations\b/, why: 'ours' }]

test('what is skipped for a reason of ours, alone or as a class, is no failure; everything else that did not pass is', () => {
  const passed = one('passed', 'a.B.c')
  const good = verdict([passed, one('skipped', 'a.Locations.x'), one('skipped', 'setUpClass (a.Locations)')], reasons)
  assert.deepEqual(good, {
    lines: ['skipped  a.Locations.x: ours', 'skipped  setUpClass (a.Locations): ours', '1 passed, 0 failed, 2 skipped'],
    isGood: true,
  })
  const skipped = verdict([passed, one('skipped', 'a.Other.x')], reasons)
  assert.deepEqual(skipped, { lines: ['SKIPPED  a.Other.x: its own', '1 passed, 0 failed, 1 skipped'], isGood: false })
  assert.equal(verdict([passed, one('failed', 'a.B.d')], reasons).isGood, false)
})

test('a run in which nothing was tested is no success', () => {
  assert.equal(verdict([]).isGood, false)
})
