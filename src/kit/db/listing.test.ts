import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../../../test/database.ts'
import { fakeClock } from '../clock.ts'
import { type Listing, page, pageAsk } from './listing.ts'
import { migrate } from './migrate.ts'
import { forTables, openDb } from './open.ts'

type Tables = { thing: { id: string; name: string; size: number } }
const shape: Listing<'id' | 'name' | 'size'> = {
  filters: {
    name: { column: 'name' },
    min: { column: 'size', op: '>=', value: Number },
    like: { column: 'name', op: 'like' },
    pattern: { column: 'name', op: 'pattern' },
  },
  sorts: { id: 'id', name: 'name', size: 'size' },
  defaultSort: [['name', 'asc']],
  key: 'id',
}

async function things() {
  const database = await freshDatabase()
  const raw = await openDb(database.url)
  await migrate(raw, fakeClock(), [
    { name: 'thing', statements: ['create table thing (id text primary key, name text not null, size bigint not null)'] },
  ])
  const db = forTables<Tables>(raw)
  const rows = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, at) => ({ id, name: at % 2 ? 'odd' : 'even', size: at }))
  await db.transaction((tx) => tx.insertInto('thing').values(rows).execute())
  const ask = (query: Record<string, string[]>, style = {}) =>
    page(db.read.selectFrom('thing').selectAll(), shape, pageAsk(shape, query, style))
  const close = async () => {
    await db.close()
    await database.drop()
  }
  return { ask, close }
}
const ids = (found: { rows: { id: string }[] }) => found.rows.map((row) => row.id).join('')

test('pages follow each other in the order asked for, without gaps or repetitions', async (t) => {
  const { ask, close } = await things()
  t.after(close)
  const first = await ask({ sort_key: ['name'], sort_dir: ['desc'], limit: ['2'] })
  assert.deepEqual([ids(first), first.more], ['bd', true])
  const second = await ask({ sort_key: ['name'], sort_dir: ['desc'], limit: ['2'], marker: ['d'] })
  assert.deepEqual([ids(second), second.more], ['fa', true])
  const last = await ask({ sort_key: ['name'], sort_dir: ['desc'], limit: ['2'], marker: ['a'] })
  assert.deepEqual([ids(last), last.more], ['ce', false])
})

test('a page backwards ends before the marker and keeps the order', async (t) => {
  const { ask, close } = await things()
  t.after(close)
  const found = await ask({ sort_key: ['id'], limit: ['2'], marker: ['e'], page_reverse: ['True'] }, { reverse: true })
  assert.deepEqual([ids(found), found.more], ['cd', true])
})

test('filters are exact, compared, contained, or one of several', async (t) => {
  const { ask, close } = await things()
  t.after(close)
  assert.equal(ids(await ask({ name: ['odd'] })), 'bdf')
  assert.equal(ids(await ask({ min: ['4'] })), 'ef')
  assert.equal(ids(await ask({ like: ['dd'] })), 'bdf')
  assert.equal(ids(await ask({ name: ['odd', 'even'], sort: ['size:desc'] })), 'fedcba')
  assert.equal(ids(await ask({ name: [] })), '')
  assert.equal(ids(await ask({ pattern: ['O_D'] })), 'bdf')
  assert.equal(ids(await ask({ pattern: ['e%'] })), 'ace')
  assert.equal(ids(await ask({ pattern: ['o\\_d'] })), '')
})

test('an unknown marker, key, direction or limit is invalid', async (t) => {
  const { ask, close } = await things()
  t.after(close)
  await assert.rejects(ask({ marker: ['zz'] }), /marker \[zz\] not found/)
  await assert.rejects(async () => ask({ sort_key: ['nonsense'] }), /Sort key/)
  await assert.rejects(async () => ask({ sort_key: ['id'], sort_dir: ['up'] }), /sort direction/)
  await assert.rejects(async () => ask({ limit: ['-1'] }), /limit/)
  assert.equal(ids(await ask({ sort_key: ['nonsense'] }, { strictSort: false })), 'acebdf')
})
