import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carryOut, lookAt, type Progress, type Step } from './plan.ts'

const quiet: Progress = { done() {}, failed() {} }

/** A world of facts; a step makes the fact of its name true. */
const world = (t: { broken?: string } = {}) => {
  const facts = new Set<string>()
  const order: string[] = []
  const step = (name: string, needs: string[] = []): Step => ({
    name,
    needs,
    isDone: async () => facts.has(name),
    async apply() {
      for (const need of needs) assert.ok(facts.has(need), `${name} began before ${need} was there`)
      if (t.broken === name) throw new Error('broken')
      order.push(name)
      facts.add(name)
    },
  })
  return { facts, order, steps: [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])] }
}

test('steps are done after what they need', async () => {
  const { steps, order } = world()
  assert.deepEqual(await carryOut(steps, quiet), { changed: 4, failed: 0, left: 0 })
  assert.equal(order[0], 'a')
  assert.equal(order[3], 'd')
})

test('a second run changes nothing', async () => {
  const { steps } = world()
  await carryOut(steps, quiet)
  assert.deepEqual(await carryOut(steps, quiet), { changed: 0, failed: 0, left: 0 })
})

test('what needs a failed step is left, the rest is done, and the next run carries on', async () => {
  const broken: { broken?: string } = { broken: 'b' }
  const { steps, order } = world(broken)
  assert.deepEqual(await carryOut(steps, quiet), { changed: 2, failed: 1, left: 1 })
  delete broken.broken
  assert.deepEqual(await carryOut(steps, quiet), { changed: 2, failed: 0, left: 0 })
  assert.deepEqual(order, ['a', 'c', 'b', 'd'])
})

test('a look changes nothing and names what is left to do', async () => {
  const { steps, facts } = world()
  facts.add('a')
  assert.deepEqual(
    (await lookAt(steps)).map(({ name, isDone }) => [name, isDone]),
    [
      ['a', true],
      ['b', false],
      ['c', false],
      ['d', false],
    ],
  )
  assert.equal(facts.size, 1)
})
