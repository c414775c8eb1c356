import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { type Db, forTables, openDb } from './open.ts'

type Tables = { thing: { id: number } }

async function onDisk(t: TestContext): Promise<{ db: Db<Tables>; file: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-sqlite-'))
  const file = join(folder, 'db')
  const db = await openDb(file)
  t.after(async () => {
    await db.close()
    rmSync(folder, { recursive: true })
  })
  await sql`create table thing (id integer primary key)`.execute(db.read)
  return { db: forTables<Tables>(db), file }
}
const insert = (db: Db<Tables>, id: number) => db.transaction((tx) => tx.insertInto('thing').values({ id }).execute())
const ids = async (db: Db<Tables>) =>
  (await db.read.selectFrom('thing').select('id').orderBy('id').execute()).map((row) => row.id)

test('many at once are all there when they are told so, as another reader of the file sees', async (t) => {
  const { db, file } = await onDisk(t)
  const other = new DatabaseSync(file)
  const seen: boolean[] = []
  const run = async (id: number) => {
    await insert(db, id)
    seen.push(other.prepare('select id from thing where id = ?').get(id) !== undefined)
  }
  await Promise.all(Array.from({ length: 200 }, (_, id) => run(id)))
  other.close()
  assert.equal(seen.length, 200)
  assert.ok(seen.every((one) => one))
})

test('one of many that fails takes back its own and nothing else', async (t) => {
  const { db } = await onDisk(t)
  const failing = db.transaction(async (tx) => {
    await tx.insertInto('thing').values({ id: 7 }).execute()
    throw new Error('no')
  })
  const results = await Promise.allSettled([insert(db, 1), failing, insert(db, 2), insert(db, 1), insert(db, 3)])
  assert.deepEqual(
    results.map((one) => one.status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await ids(db), [1, 2, 3])
})

test('a lone transaction that fails leaves the database free for the next', async (t) => {
  const { db } = await onDisk(t)
  await assert.rejects(
    db.transaction(async () => Promise.reject(new Error('no'))),
    /no/,
  )
  await insert(db, 1)
  assert.deepEqual(await ids(db), [1])
})

test('a full disk is told to everybody it concerns, and what follows works again', async (t) => {
  const { db } = await onDisk(t)
  await sql`pragma max_page_count = 3`.execute(db.read)
  const big = (id: number) =>
    db.transaction(async (tx) => {
      await tx.insertInto('thing').values({ id }).execute()
      await sql`create table ${sql.raw(`filler_${id}`)} (a)`.execute(tx)
      await sql`insert into ${sql.raw(`filler_${id}`)} values (zeroblob(3000000000))`.execute(tx)
    })
  const results = await Promise.allSettled([insert(db, 1), big(2), insert(db, 3)])
  assert.equal(results[1]!.status, 'rejected')
  await insert(db, 4)
  const there = await ids(db)
  for (const [id, result] of [
    [1, results[0]!],
    [3, results[2]!],
  ] as const)
    assert.equal(there.includes(id), result.status === 'fulfilled')
  assert.ok(there.includes(4) && !there.includes(2))
})

test('in memory, plain queries between transactions keep nobody waiting', async (t) => {
  const db = forTables<Tables>(await openDb(':memory:'))
  t.after(() => db.close())
  await sql`create table thing (id integer primary key)`.execute(db.read)
  await Promise.all(Array.from({ length: 50 }, (_, id) => (id % 2 ? insert(db, id) : ids(db))))
  assert.equal((await ids(db)).length, 25)
})
