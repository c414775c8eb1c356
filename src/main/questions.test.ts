import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryBus } from '../kit/bus/bus.ts'
import { fakeClock } from '../kit/clock.ts'
import { migrate } from '../kit/db/migrate.ts'
import { openDb } from '../kit/db/open.ts'
import { Problem } from '../kit/errors.ts'
import { openQuestions, questionMigrations } from './questions.ts'

/** Two controllers over one database and bus; the host is connected to the second. */
async function world(t: TestContext, answer: (question: unknown) => Promise<unknown>) {
  const [db, bus, clock] = [await openDb(':memory:'), memoryBus(), fakeClock()]
  t.after(() => db.close())
  await migrate(db, clock, questionMigrations)
  const shared = { db, bus, clock, alone: false, heardMs: 200, answerMs: 50 }
  const first = openQuestions({ ...shared, server: () => undefined })
  const second = openQuestions({ ...shared, server: () => ({ hosts: () => ['h1'], ask: (_, question) => answer(question) }) })
  const kept = async () =>
    (
      await db.read
        .selectFrom('main_host_answer' as never)
        .selectAll()
        .execute()
    ).length
  return { db, bus, clock, first, second, kept }
}

test('a host is asked through the controller it is connected to, and a long answer comes back whole', async (t) => {
  const long = 'x'.repeat(100_000)
  const { first, second, kept } = await world(t, async (question) => ({ long, question }))
  for (const controller of [first, second])
    assert.deepEqual(await controller.ask('h1', { ask: 'console-log' }), { long, question: { ask: 'console-log' } })
  assert.equal(await kept(), 0)
})

test('what a host refuses is said as it said it; who is connected nowhere is not waited for long', async (t) => {
  const { first } = await world(t, async () => {
    throw new Problem('unavailable', 'There is no such guest.')
  })
  await assert.rejects(first.ask('h1', {}), /There is no such guest/)
  await assert.rejects(first.ask('h2', {}), /h2 is not connected/)
})

test('a host that is heard of and never answers is given up', async (t) => {
  const { first } = await world(t, () => new Promise(() => {}))
  await assert.rejects(first.ask('h1', {}), /h1 did not answer/)
})

test('where there is one process, a host that is not connected is so at once', async (t) => {
  const { db, bus, clock } = await world(t, async () => undefined)
  const only = openQuestions({ db, bus, clock, alone: true, server: () => undefined, heardMs: 1_000_000 })
  await assert.rejects(only.ask('h1', {}), /h1 is not connected/)
})
