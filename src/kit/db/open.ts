import { Kysely, type Transaction } from 'kysely'
import { context, effect, withContext } from '../context.ts'
import { openSqlite, sqliteDialect } from './sqlite.ts'

export type Tx<Tables> = Transaction<Tables>

export type Db<Tables> = {
  kind: 'sqlite' | 'postgres'
  /** Queries outside transactions. Inside one, use its `tx`: this throws. */
  read: Kysely<Tables>
  /** Commits when `run` ends well, rolls back when it throws. It must await the database only: contracts, drivers and programs throw inside. */
  transaction<R>(run: (tx: Tx<Tables>) => Promise<R>): Promise<R>
  close(): Promise<void>
}

/** `:memory:`, a file's path, or a `postgres://` URL. Services narrow the type to their own tables with `forTables`. */
export async function openDb(where: string): Promise<Db<unknown>> {
  return /^postgres(ql)?:\/\//.test(where) ? openPostgres(where) : openLite(where)
}

/** The same database, seen with the tables of one service: a join with another service's tables does not compile. */
export const forTables = <Tables>(db: Db<unknown>): Db<Tables> => db as unknown as Db<Tables>

function refuseInTransaction(): void {
  if (context().afterCommit) throw new Error('a query outside of the open transaction: use its tx')
}

function openLite(path: string): Db<unknown> {
  const write = new Kysely<unknown>({ dialect: sqliteDialect(openSqlite(path), () => {}) })
  // In memory there is only one connection to have; on disk reads do not wait for writers.
  const read = new Kysely<unknown>({ dialect: sqliteDialect(openSqlite(path), refuseInTransaction) })
  const memory = path === ':memory:'
  if (memory) void read.destroy()
  const guarded = memory ? guardReads(write) : read
  return {
    kind: 'sqlite',
    read: guarded,
    transaction: transactionOn(write),
    async close() {
      if (!memory) await read.destroy()
      await write.destroy()
    },
  }
}

/** One Kysely for reads and transactions: a read while one is open would wait for itself for ever, so it throws instead. */
function guardReads(db: Kysely<unknown>): Kysely<unknown> {
  return db.withPlugin({
    transformQuery: ({ node }) => {
      refuseInTransaction()
      return node
    },
    transformResult: async ({ result }) => result,
  })
}

async function openPostgres(url: string): Promise<Db<unknown>> {
  const { default: pg } = await import('pg')
  const { PostgresDialect } = await import('kysely')
  // int8 comes as text by default; ours are counts and microseconds, far below 2^53.
  pg.types.setTypeParser(20, Number)
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  pool.on('error', () => {})
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  return { kind: 'postgres', read: guardReads(db), transaction: transactionOn(db), close: () => db.destroy() }
}

const transactionOn =
  (db: Kysely<unknown>) =>
  async <R>(run: (tx: Transaction<unknown>) => Promise<R>): Promise<R> => {
    if (context().afterCommit) throw new Error('a transaction inside a transaction')
    const afterCommit: (() => void)[] = []
    const result = await db.transaction().execute((tx) => withContext({ afterCommit }, () => run(tx)))
    effect('commit')
    for (const then of afterCommit) then()
    return result
  }
