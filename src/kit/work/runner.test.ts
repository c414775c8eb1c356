import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../../../test/database.ts'
import { memoryBus } from '../bus/bus.ts'
import { fakeClock, minute, second } from '../clock.ts'
import { effect } from '../context.ts'
import { migrate } from '../db/migrate.ts'
import { openDb } from '../db/open.ts'
import { Problem } from '../errors.ts'
import { silentLog } from '../log.ts'
import { everyCrash } from './every-crash.ts'
import { done, go, machine, rest, sleep } from './machine.ts'
import { openRunner } from './runner.ts'
import { workMigrations } from './tables.ts'
import { openWork } from './work.ts'

type Thing = { id: string }
type Outside = { made: Set<string>; log: string[]; failing?: string; unhappy?: string }

async function world(outside: Outside = { made: new Set(), log: [] }) {
  const database = await freshDatabase()
  const db = await openDb(database.url)
  const clock = fakeClock()
  const bus = memoryBus()
  await migrate(db, clock, workMigrations)
  const work = openWork(db, bus, clock)
  const things = new Set<string>()
  const kind = machine<Thing, 'make' | 'ready' | 'unmake' | 'error'>({
    kind: 'test.thing',
    first: 'make',
    teardown: 'unmake',
    failed: 'error',
    load: async (id) => (things.has(id) ? { id } : undefined),
    steps: {
      async make({ id }) {
        outside.log.push('make')
        if (outside.failing) throw new Error(outside.failing)
        if (outside.unhappy) throw new Problem('no-capacity', outside.unhappy)
        outside.made.add(id)
        effect('made')
        return go('ready')
      },
      ready: async () => rest(),
      error: async () => rest(),
      async unmake({ id }) {
        outside.made.delete(id)
        effect('unmade')
        things.delete(id)
        return done()
      },
    },
    async onFailure(_, problem) {
      outside.log.push(problem.message)
    },
  })
  const runner = openRunner({ db, bus, clock, log: silentLog, machines: [kind] })
  const begin = (id: string) => {
    things.add(id)
    return db.transaction((tx) => work.begin(tx as never, 'test.thing', id, 'make'))
  }
  const remove = (id: string) => db.transaction((tx) => work.teardown(tx as never, 'test.thing', id, 'unmake'))
  const close = async () => {
    await db.close()
    await database.drop()
  }
  return { db, clock, work, runner, outside, begin, remove, things, close }
}

test('a machine walks to rest, and delete diverts it once', async () => {
  const w = await world()
  await w.begin('a')
  await w.runner.settle()
  assert.equal(await w.work.stateOf('test.thing', 'a'), 'ready')
  await w.remove('a')
  await w.runner.settle()
  assert.equal(await w.work.stateOf('test.thing', 'a'), undefined)
  assert.deepEqual(
    (await w.work.history('a')).map((row) => row.to_state),
    ['ready', ''],
  )
  await w.close()
})

test('an exception backs off and tries again; a problem no retry cures ends in the failed state', async () => {
  const w = await world({ made: new Set(), log: [], failing: 'broken' })
  await w.begin('a')
  await w.runner.settle()
  await w.runner.settle()
  assert.deepEqual(w.outside.log, ['make'])
  w.clock.advance(second)
  await w.runner.settle()
  assert.deepEqual(w.outside.log, ['make', 'make'])
  delete w.outside.failing
  w.outside.unhappy = 'No valid host was found.'
  w.clock.advance(minute)
  await w.runner.settle()
  assert.equal(await w.work.stateOf('test.thing', 'a'), 'error')
  assert.ok(w.outside.log.includes('No valid host was found.'))
  await w.close()
})

test('a wake-up that comes in mid-step is not lost', async () => {
  const database = await freshDatabase()
  const db = await openDb(database.url)
  const clock = fakeClock()
  const bus = memoryBus()
  await migrate(db, clock, workMigrations)
  const work = openWork(db, bus, clock)
  let runs = 0
  const kind = machine<object, 'wait'>({
    kind: 'test.wait',
    first: 'wait',
    teardown: 'wait',
    failed: 'wait',
    load: async () => ({}),
    steps: {
      async wait() {
        runs++
        if (runs === 1) await work.wake('test.wait', 'a')
        return sleep(3600)
      },
    },
    async onFailure() {},
  })
  const runner = openRunner({ db, bus, clock, log: silentLog, machines: [kind] })
  await db.transaction((tx) => work.begin(tx as never, 'test.wait', 'a', 'wait'))
  await runner.settle()
  assert.equal(runs, 2)
  await db.close()
  await database.drop()
})

test('killed after any effect, or with every step run twice, nothing is lost and nothing is left', async () => {
  const effects = await everyCrash({
    async world() {
      const w = await world()
      await w.begin('a')
      return {
        ...w,
        settle: async () => {
          await w.runner.settle()
          await w.remove('a')
          await w.runner.settle()
        },
        async restart() {
          w.clock.advance(5 * minute)
          await w.runner.settle()
          if (w.things.has('a')) await w.remove('a')
          await w.runner.settle()
        },
        close: () => w.close(),
      }
    },
    async check(w) {
      assert.equal(w.outside.made.size, 0)
      assert.equal(await w.work.stateOf('test.thing', 'a'), undefined)
    },
  })
  assert.ok(effects >= 7, `only ${effects} effects`)
})
