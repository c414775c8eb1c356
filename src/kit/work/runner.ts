import type { Bus } from '../bus/bus.ts'
import { type Clock, second } from '../clock.ts'
import { context, withContext, withoutContext } from '../context.ts'
import type { Db } from '../db/open.ts'
import { explainError, isProblem, Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { Killed } from './killed.ts'
import { go, type Machine, type Outcome } from './machine.ts'
import { openRows, target } from './rows.ts'
import type { WorkItemRow } from './tables.ts'
import { workTopic } from './work.ts'

export type RunnerOptions = {
  db: Db<unknown>
  bus: Bus
  clock: Clock
  log: Log
  machines: Machine[]
  /** Steps under way at the same time. Default 16: they mostly wait for contracts and disks. */
  concurrency?: number
}

export type Runner = {
  /** Claims one due row and runs one step of it. False: nothing was due. */
  step(): Promise<boolean>
  /** Steps until nothing is due. */
  settle(): Promise<void>
  /** Begins to work by itself: on hints, and by looking every second. */
  start(): void
  close(): Promise<void>
}

const renewMs = 5000
const forgetMs = 3_600_000

const terminal = new Set(['invalid', 'conflict', 'over-quota', 'no-capacity', 'forbidden', 'not-found'])

export function openRunner({ db, bus, clock, log, machines, concurrency = 16 }: RunnerOptions): Runner {
  const rows = openRows(db, clock)
  const byKind = new Map(machines.map((one) => [one.kind, one]))
  const kinds = [...byKind.keys()]

  /** Steps of one row as long as each says where to go next: the lease is kept from one to the other. */
  const run = async (row: WorkItemRow): Promise<void> => {
    let next: WorkItemRow | undefined = row
    while (next && !closed) next = await runOne(next)
  }

  const runOne = async (row: WorkItemRow): Promise<WorkItemRow | undefined> => {
    const definition = byKind.get(row.kind)!
    const state = row.teardown === 1 ? definition.teardown : row.state
    let subject: unknown
    try {
      subject = await definition.load(row.subject)
      if (subject === undefined) return await commit(row, row.state, { next: 'done', reason: 'the subject is gone' })
      const step = definition.steps[state]
      if (!step) throw new Error(`${row.kind} has no state ${state}`)
      let outcome = await step(subject)
      if (context().everyStepTwice) {
        const again = await definition.load(row.subject)
        if (again !== undefined) outcome = await step(again)
      }
      return await commit(row, state, outcome)
    } catch (error) {
      if (error instanceof Killed) throw error
      return await failed(definition, subject, row, state, error)
    }
  }

  const failed = async (
    definition: Machine,
    subject: unknown,
    row: WorkItemRow,
    state: string,
    error: unknown,
  ): Promise<WorkItemRow | undefined> => {
    if (
      subject !== undefined &&
      isProblem(error) &&
      terminal.has(error.kind) &&
      state !== definition.failed &&
      row.teardown === 0
    ) {
      await definition.onFailure(subject, error)
      return commit(row, state, go(definition.failed, { reason: error.message, detail: error.detail }))
    }
    const attempts = row.attempts + 1
    const micros = Math.min(60, 0.25 * 2 ** Math.min(attempts, 10)) * second
    log.warn(
      { kind: row.kind, subject: row.subject, state, attempts, error: explainError(error), stack: stackOf(error) },
      'step failed',
    )
    return commit(
      row,
      state,
      { next: 'sleep', micros, reason: `${publicReason(error)} (attempt ${attempts})`, detail: undefined },
      attempts,
    )
  }

  const commit = async (row: WorkItemRow, from: string, outcome: Outcome<string>, attempts = 0) => {
    const kept = await rows.commit(row, from, outcome, attempts)
    const to = target(from, outcome)
    if (to !== row.state)
      log.info({ kind: row.kind, subject: row.subject, from, to, reason: outcome.reason || undefined }, 'moved')
    return kept
  }

  /** While anything is under way. */
  const renew = () => {
    if (running.size === 0) return
    void rows.renew().catch((error) => log.warn({ error: explainError(error) }, 'leases were not renewed'))
  }
  const forget = () =>
    void rows.forget().catch((error) => log.warn({ error: explainError(error) }, 'old history was not forgotten'))

  const step = async (): Promise<boolean> => {
    const row = await rows.claim(kinds)
    if (!row) return false
    await withContext(row.request_id ? { requestId: row.request_id } : {}, () => run(row))
    return true
  }

  let timers: NodeJS.Timeout[] = []
  let unsubscribe: (() => void) | undefined
  const running = new Set<Promise<void>>()
  let closed = false

  const worker = async (): Promise<void> => {
    try {
      while (!closed && (await step())) {}
    } catch (error) {
      log.error({ error: explainError(error), stack: stackOf(error) }, 'work stopped')
    }
  }
  /** One worker follows each hint, up to the limit: an idle runner costs one query a second. */
  const pull = () => {
    if (closed || running.size >= concurrency) return
    const one = withoutContext(worker).finally(() => running.delete(one))
    running.add(one)
  }

  return {
    step,
    async settle() {
      while (await step()) {}
    },
    start() {
      unsubscribe = bus.subscribe(workTopic, pull)
      timers = [setInterval(pull, 1000), setInterval(renew, renewMs), setInterval(forget, forgetMs)]
      pull()
    },
    async close() {
      closed = true
      for (const timer of timers) clearInterval(timer)
      unsubscribe?.()
      await Promise.all(running)
    },
  }
}

const stackOf = (error: unknown): string | undefined =>
  error instanceof Error && !(error instanceof Problem) ? error.stack : undefined

const publicReason = (error: unknown): string =>
  isProblem(error) ? error.message : 'An internal step failed and is tried again.'
