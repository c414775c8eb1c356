import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '../../src/kit/clock.ts'
import { migrate } from '../../src/kit/db/migrate.ts'
import { openDb } from '../../src/kit/db/open.ts'
import { kinds } from '../../src/main/services.ts'

const created = (statement: string) => /^\s*create (?:unique )?(?:table|index) (?:if not exists )?(\w+)/i.exec(statement)?.[1]

test('tables and indexes carry the name of their service, and columns are of the few kinds both databases share', () => {
  for (const kind of kinds) {
    for (const statement of kind.migrations.flatMap((migration) => migration.statements)) {
      const name = created(statement)
      if (name === undefined) continue
      assert.ok(name.startsWith(`${kind.name}_`), `${name} belongs to ${kind.name}`)
      assert.doesNotMatch(statement, /\b(int|integer|boolean|timestamp|json|jsonb|varchar|serial|autoincrement)\b/i, name)
    }
  }
})

test('migrations run once, however often they are asked for', async (t) => {
  const db = await openDb(':memory:')
  t.after(() => db.close())
  const all = kinds.flatMap((kind) => kind.migrations)
  assert.equal((await migrate(db, fakeClock(), all)).length, all.length)
  assert.deepEqual(await migrate(db, fakeClock(), all), [])
  assert.equal(new Set(all.map((migration) => migration.name)).size, all.length)
})
