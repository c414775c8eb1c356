import { DatabaseSync, type StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
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

/** Transactions that are written to the disk together. */
type Group = { size: number; written: PromiseWithResolvers<void> }

/** More would only make the first one wait. */
const largestGroup = 64

/** One user's time with the connection. */
class Turn implements DatabaseConnection {
  readonly #connection: Connection
  readonly end: () => void
  /** It had a transaction, which ended the turn by itself. */
  isTransaction = false

  constructor(connection: Connection, end: () => void) {
    this.#connection = connection
    this.end = end
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#connection.executeQuery(query)
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    return this.#connection.streamQuery()
  }
}

/**
 * One connection, one user at a time: SQLite has one writer, so writers queue here instead of failing there. Those that queue share one
 * write to the disk (it costs far more than their statements): each is a savepoint, and none is told that it is done before all are on the disk.
 */
class OneConnection implements Driver {
  readonly #connection: Connection
  readonly #db: DatabaseSync
  readonly #guard: () => void
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #group: Group | undefined

  constructor(db: DatabaseSync, guard: () => void) {
    this.#db = db
    this.#guard = guard
    this.#connection = new Connection(db)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Turn> {
    this.#guard()
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    this.#waiting++
    await before
    this.#waiting--
    return new Turn(this.#connection, resolve)
  }

  async releaseConnection(turn: DatabaseConnection): Promise<void> {
    const { isTransaction, end } = turn as Turn
    // A plain query was what the others of the group waited for.
    if (!isTransaction && this.#group) this.#writeUnlessOthersWait(this.#group)
    end()
  }

  async beginTransaction(turn: DatabaseConnection): Promise<void> {
    ;(turn as Turn).isTransaction = true
    if (!this.#group) {
      // IMMEDIATE: two processes that both mean to write must not both start by reading.
      this.#db.exec('begin immediate')
      this.#group = { size: 0, written: Promise.withResolvers() }
      // Whoever is in the group hears of a failure; without anybody in it there is nobody to hear.
      this.#group.written.promise.catch(() => {})
    }
    this.#db.exec('savepoint one')
  }

  async commitTransaction(turn: DatabaseConnection): Promise<void> {
    const group = this.#group!
    this.#attempt(() => this.#db.exec('release one'))
    group.size++
    this.#writeUnlessOthersWait(group)
    // The next one may have the connection while this one waits for the disk.
    ;(turn as Turn).end()
    await group.written.promise
  }

  async rollbackTransaction(): Promise<void> {
    const group = this.#group
    // Undone already, with the whole group: a full disk does that.
    if (!group) return
    this.#attempt(() => this.#db.exec('rollback to one; release one'))
    this.#writeUnlessOthersWait(group)
  }

  #writeUnlessOthersWait(group: Group): void {
    if (this.#waiting > 0 && group.size < largestGroup) return
    this.#attempt(() => this.#db.exec('commit'))
    this.#group = undefined
    group.written.resolve()
  }

  /** What fails here undoes the whole group: none of it was promised to anybody yet. */
  #attempt(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#group?.written.reject(error)
      this.#group = undefined
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw error
    }
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
