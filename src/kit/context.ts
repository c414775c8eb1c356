import { AsyncLocalStorage } from 'node:async_hooks'

/** What travels with a piece of work without being passed along. */
export type Context = {
  /** Who asked: `req-…` */
  requestId?: string
  /** A transaction is open: what to do once it is committed. */
  afterCommit?: (() => void)[]
  /** Crash tests: counts what was done to the world, and kills after some of it. */
  effects?: Effects
  /** Crash tests: every step of a machine runs twice. */
  everyStepTwice?: true
}

export type Effects = { tick(what: string): void }

const storage = new AsyncLocalStorage<Context>()

export const context = (): Context => storage.getStore() ?? {}

export const withContext = <T>(add: Context, run: () => T): T => storage.run({ ...context(), ...add }, run)

/** Runs without the transaction, request or crash test that happens to be around: for timers and loops that live longer. */
export const withoutContext = <T>(run: () => T): T => storage.run({}, run)

/** A transaction awaits the database only: a contract, driver, program or HTTP call inside one is a bug. */
export function assertNoTransaction(what: string): void {
  if (context().afterCommit) throw new Error(`${what} was called while a database transaction is open`)
}

/** Something outside our memory was changed: crash tests kill here. */
export const effect = (what: string): void => context().effects?.tick(what)

/** Does it once the open transaction is committed (never, if it rolls back), or now when none is open. */
export function afterCommit(run: () => void): void {
  const waiting = context().afterCommit
  if (waiting) waiting.push(run)
  else run()
}
