import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../../../test/database.ts'
import { fakeClock } from '../clock.ts'
import { migrate } from '../db/migrate.ts'
import { forTables, openDb } from '../db/open.ts'
import { isProblem } from '../errors.ts'
import { uuid } from '../ids.ts'
import { everyProject, openQuota, quotaMigrations } from './quota.ts'

type Tables = { thing: { id: string; project_id: string } }

async function world() {
  const database = await freshDatabase()
  const raw = await openDb(database.url)
  const table = { name: 'thing', statements: ['create table thing (id text primary key, project_id text not null)'] }
  await migrate(raw, fakeClock(), [...quotaMigrations, table])
  const db = forTables<Tables>(raw)
  const quota = openQuota<Tables>({
    db: raw,
    service: 'test',
    defaults: { things: 3, free: -1 },
    counters: {
      async things(tx, projectId) {
        const rows = await tx.selectFrom('thing').select('id').where('project_id', '=', projectId).execute()
        return rows.length
      },
    },
    message: (exceeded) => exceeded.map(({ resource, asked, used, limit }) => `${resource} ${asked} ${used} ${limit}`).join(),
  })
  const create = (projectId: string, count = 1) =>
    db.transaction(async (tx) => {
      await quota.allow(tx, projectId, { things: count, free: count })
      const rows = Array.from({ length: count }, () => ({ id: uuid(), project_id: projectId }))
      await tx.insertInto('thing').values(rows).execute()
    })
  const close = async () => {
    await db.close()
    await database.drop()
  }
  return { quota, create, close }
}

test('many at once never exceed the limit, and another project has its own', async (t) => {
  const { quota, create, close } = await world()
  t.after(close)
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => create('a')))
  assert.equal(results.filter((one) => one.status === 'fulfilled').length, 3)
  const refused = results.find((one) => one.status === 'rejected')
  assert.ok(isProblem(refused?.reason, 'over-quota'))
  assert.match(refused.reason.message, /things 1 3 3/)
  await create('b', 3)
  assert.deepEqual(await quota.usage('b'), { things: 3 })
})

test('limits are changed and go back to the defaults', async (t) => {
  const { quota, create, close } = await world()
  t.after(close)
  await quota.set('a', { things: -1 })
  await create('a', 10)
  assert.equal((await quota.limits('a'))['things'], -1)
  assert.deepEqual(await quota.projects(), ['a'])
  await quota.reset('a')
  assert.deepEqual(await quota.projects(), [])
  assert.equal((await quota.limits('a'))['things'], 3)
  await assert.rejects(create('a'), /things 1 10 3/)
})

test('limits for every project hold for those that have none of their own', async (t) => {
  const { quota, close } = await world()
  t.after(close)
  await quota.set('a', { things: 7 })
  await quota.set(everyProject, { things: 5 })
  assert.deepEqual(
    [await quota.limits('a'), await quota.limits('b')].map((limits) => limits['things']),
    [7, 5],
  )
  await quota.reset('a')
  assert.equal((await quota.limits('a'))['things'], 5)
  assert.deepEqual(await quota.projects(), [])
})
