import { sql } from 'kysely'
import type { Bus } from '../bus/bus.ts'
import { type Clock, day, second } from '../clock.ts'
import { context, withContext, withoutContext } from '../context.ts'
import type { Db, Tx } from '../db/open.ts'
import { explainError, isProblem, Problem } from '../errors.ts'
import { uuid } from '../ids.ts'
import type { Log } from '../log.ts'
import { Killed } from './killed.ts'
import { go, type Machine, type Outcome } from './machine.ts'
import type { WorkItemRow, WorkTables } from './tables.ts'
import { historyRow, workTopic } from './work.ts'

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

/** A killed controller's rows are taken up by another one after it; a living one renews while it works. */
const leaseMicros = 15 * second
const renewMs = 5000
/** Lives are told for so long after they happened. */
const historyMicros = 90 * day
const forgetMs = 3_600_000
type Moves = Extract<Outcome<string>, { next: 'go' | 'sleep' }>

const terminal = new Set(['invalid', 'conflict', 'over-quota', 'no-capacity', 'forbidden', 'not-found'])

export function openRunner({ db: database, bus, clock, log, machines, concurrency = 16 }: RunnerOptions): Runner {
  const db = database as Db<WorkTables>
  const me = uuid()
  const byKind = new Map(machines.map((one) => [one.kind, one]))
  const kinds = [...byKind.keys()]

  /** The condition stands in the outer update too: without it two workers on PostgreSQL take the same row. */
  const claim = async (): Promise<WorkItemRow | undefined> => {
    const now = clock.now()
    const due = await db.read
      .selectFrom('kit_work_item')
      .select(['kind', 'subject'])
      .where('due_at', '<=', now)
      .where('lease_until', '<', now)
      .where('kind', 'in', kinds)
      .orderBy('due_at')
      .limit(1)
      .executeTakeFirst()
    if (!due) return undefined
    return db.transaction((tx) =>
      tx
        .updateTable('kit_work_item')
        .set({ lease_owner: me, lease_until: now + leaseMicros })
        .where('kind', '=', due.kind)
        .where('subject', '=', due.subject)
        .where('due_at', '<=', now)
        .where('lease_until', '<', now)
        .returningAll()
        .executeTakeFirst(),
    )
  }

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

  /**
   * Transition, history and lease together, and only where the row is still ours. A wake-up that came in mid-step makes it due again.
   * Gives the row when it goes on at once: the lease is kept then.
   */
  const commit = async (
    row: WorkItemRow,
    from: string,
    outcome: Outcome<string>,
    attempts = 0,
  ): Promise<WorkItemRow | undefined> => {
    const to = outcome.next === 'go' ? outcome.to : outcome.next === 'done' ? '' : from
    const changed = to !== row.state || outcome.next === 'done'
    const kept = await db.transaction(async (tx) => {
      const next = outcome.next === 'done' ? await remove(tx, row) : await move(tx, row, to, outcome, attempts)
      if (next && (changed || outcome.reason !== '')) await remember(tx, row, from, to, outcome)
      return next
    })
    if (changed) log.info({ kind: row.kind, subject: row.subject, from, to, reason: outcome.reason || undefined }, 'moved')
    return outcome.next === 'go' ? kept : undefined
  }

  const remove = (tx: Tx<WorkTables>, row: WorkItemRow) =>
    tx
      .deleteFrom('kit_work_item')
      .where('kind', '=', row.kind)
      .where('subject', '=', row.subject)
      .where('lease_owner', '=', me)
      .returningAll()
      .executeTakeFirst()

  const move = (tx: Tx<WorkTables>, row: WorkItemRow, to: string, outcome: Moves, attempts: number) => {
    const now = clock.now()
    const due = outcome.next === 'go' ? now : now + outcome.micros
    const lease = outcome.next === 'go' ? { lease_until: now + leaseMicros } : { lease_owner: '', lease_until: 0 }
    return tx
      .updateTable('kit_work_item')
      .set({
        state: to,
        // PostgreSQL takes parameters within an expression for text.
        due_at: sql<number>`case when wakes <> ${row.wakes} then cast(${now} as bigint) else cast(${due} as bigint) end`,
        attempts,
        ...lease,
        ...(row.teardown === 1 ? { teardown: 2 } : {}),
      })
      .where('kind', '=', row.kind)
      .where('subject', '=', row.subject)
      .where('lease_owner', '=', me)
      .returningAll()
      .executeTakeFirst()
  }

  const remember = async (tx: Tx<WorkTables>, row: WorkItemRow, from: string, to: string, outcome: Outcome<string>) => {
    const { kind, subject, request_id: requestId } = row
    const detail = outcome.next === 'done' ? undefined : outcome.detail
    const entry = { kind, subject, from, to, reason: outcome.reason, detail, requestId }
    await tx.insertInto('kit_work_history').values(historyRow(clock.now(), entry)).execute()
  }

  /** All leases of ours at once, while anything is under way. */
  const renew = () => {
    if (running.size === 0) return
    const extend = db.transaction((tx) =>
      tx
        .updateTable('kit_work_item')
        .set({ lease_until: clock.now() + leaseMicros })
        .where('lease_owner', '=', me)
        .execute(),
    )
    void extend.catch((error) => log.warn({ error: explainError(error) }, 'leases were not renewed'))
  }

  const forget = () => {
    const old = db.transaction((tx) =>
      tx
        .deleteFrom('kit_work_history')
        .where('at', '<', clock.now() - historyMicros)
        .execute(),
    )
    void old.catch((error) => log.warn({ error: explainError(error) }, 'old history was not forgotten'))
  }

  const step = async (): Promise<boolean> => {
    const row = await claim()
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
