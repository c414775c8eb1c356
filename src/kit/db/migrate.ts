import { type Kysely, sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Db } from './open.ts'

/**
 * One step forward. Statements are the same text on SQLite and PostgreSQL: text ids, `bigint` for integers and microseconds,
 * text for JSON, integers for booleans. A shipped migration is never edited.
 */
export type Migration = { name: string; statements: string[] }

type Tables = { kit_migration: { name: string; at: number } }

/** Runs what has not run yet, in the order given, each in a transaction of its own. Safe to call from two processes at once. */
export async function migrate(database: Db<unknown>, clock: Clock, migrations: Migration[]): Promise<string[]> {
  const db = database as Db<Tables>
  await sql`create table if not exists kit_migration (name text primary key, at bigint not null)`.execute(db.read)
  const done: string[] = []
  const known = new Set((await db.read.selectFrom('kit_migration').select('name').execute()).map((row) => row.name))
  for (const migration of migrations) {
    if (known.has(migration.name)) continue
    const ran = await db.transaction(async (tx) => {
      const mine = await tx
        .insertInto('kit_migration')
        .values({ name: migration.name, at: clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .returning('name')
        .executeTakeFirst()
      if (!mine) return false
      for (const statement of migration.statements) await sql.raw(statement).execute(tx as Kysely<Tables>)
      return true
    })
    if (ran) done.push(migration.name)
  }
  return done
}
