import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from './errors.ts'
import { openTurnstile } from './turnstile.ts'

test('so many at a time, the others in their order, and no more than may wait', async () => {
  const inTurn = openTurnstile(2, 2, 'Too many.')
  const done: number[] = []
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const runs = gates.map((gate, at) =>
    inTurn(async () => {
      await gate.promise
      done.push(at)
    }),
  )
  await assert.rejects(
    inTurn(async () => undefined),
    (error) => isProblem(error, 'unavailable') && error.message === 'Too many.',
  )
  for (const at of [3, 2]) gates[at]!.resolve()
  await new Promise(setImmediate)
  assert.deepEqual(done, [], 'the third and fourth wait for their turn')
  gates[0]!.resolve()
  await runs[0]
  gates[1]!.resolve()
  await Promise.all(runs)
  assert.deepEqual([...done].sort(), [0, 1, 2, 3])
  assert.equal(done[0], 0)
})

test('who fails makes room too', async () => {
  const inTurn = openTurnstile(1, 1, 'Too many.')
  await assert.rejects(
    inTurn(async () => {
      throw new Error('no')
    }),
    /no/,
  )
  assert.equal(await inTurn(async () => 1), 1)
})
