import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../kit/log.ts'
import type { ControllerLink } from './document.ts'
import { startRounds } from './rounds.ts'

/** An agent whose rounds take no time, and a controller that remembers what it was told. */
function world(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = { items: ['a'], seen: ['a'], broken: false, reports: [] as unknown[][], rounds: 0 }
  const link = {
    desired: async () => ({ complete: true, items: state.items }),
    report: async (_: string, seen: unknown[]) => {
      if (state.broken) throw new Error('no controller')
      state.reports.push(seen)
    },
  } as unknown as ControllerLink
  const round = async () => {
    state.rounds++
    return { seen: state.seen }
  }
  const rounds = startRounds({ agent: { kind: 'port', round }, link, log: silentLog })
  t.after(() => rounds.close())
  const quiet = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  /** So many rounds that only time has asked for, one after the other. */
  const wait = async (count: number) => {
    for (let n = 0; n < count; n++) {
      t.mock.timers.tick(30_000)
      await quiet()
    }
    return state.reports.length
  }
  return { state, rounds, wait, quiet }
}

test('what has not changed is told every fourth time that only the clock asks', async (t) => {
  const { state, wait } = world(t)
  assert.deepEqual([await wait(1), await wait(3), await wait(1), await wait(4)], [1, 1, 2, 3])
  assert.equal(state.rounds, 9)
})

test('what is seen is told at once when it has changed, or when what should be has', async (t) => {
  const { state, wait } = world(t)
  await wait(2)
  state.seen = ['b']
  assert.equal(await wait(1), 2)
  state.items = ['b']
  assert.deepEqual([await wait(1), await wait(2)], [3, 3])
  assert.deepEqual(state.reports, [['a'], ['b'], ['b']])
})

test('who was asked to look tells what it sees, changed or not', async (t) => {
  const { rounds, state, wait, quiet } = world(t)
  await wait(2)
  rounds.hint()
  t.mock.timers.tick(0)
  await quiet()
  assert.equal(state.reports.length, 2)
  await rounds.step()
  assert.equal(state.reports.length, 3)
})

test('what no controller heard is told again', async (t) => {
  const { state, wait } = world(t)
  state.broken = true
  assert.equal(await wait(2), 0)
  state.broken = false
  assert.equal(await wait(1), 1)
})
