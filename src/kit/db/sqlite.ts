import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

type Value = null | number | bigint | string | Uint8Array

/** node:sqlite is synchronous: a query is one call, and prepared statements are kept. */
class Connection implements DatabaseConnection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#prepare(query.sql)
    const values = query.parameters as Value[]
    if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] }
    const { changes } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface wants a generator; nothing here streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming queries are not used')
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    if (this.#statements.size > 2000) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }
}

/** One connection, one user at a time: SQLite has one writer, so writers queue here instead of failing there. */
class OneConnection implements Driver {
  readonly #connection: Connection
  readonly #db: DatabaseSync
  readonly #guard: () => void
  #last: Promise<void> = Promise.resolve()
  #release = new Map<DatabaseConnection, () => void>()

  constructor(db: DatabaseSync, guard: () => void) {
    this.#db = db
    this.#guard = guard
    this.#connection = new Connection(db)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#guard()
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    this.#release.set(this.#connection, resolve)
    return this.#connection
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#release.get(connection)?.()
  }

  // IMMEDIATE: two processes that both mean to write must not both start by reading.
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    this.#db.close()
  }
}

export const sqliteDialect = (db: DatabaseSync, guard: () => void): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new OneConnection(db, guard),
  createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  createQueryCompiler: () => new SqliteQueryCompiler(),
})

export function openSqlite(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  // WAL with NORMAL: a killed process loses nothing; FULL adds an fsync per commit, so that a power cut loses nothing either.
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 10000; pragma foreign_keys = on')
  db.exec('pragma cache_size = -8000; pragma temp_store = memory')
  return db
}
