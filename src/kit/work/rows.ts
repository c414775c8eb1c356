import { sql } from 'kysely'
import { type Clock, day, second } from '../clock.ts'
import type { Db, Tx } from '../db/open.ts'
import { uuid } from '../ids.ts'
import type { Outcome } from './machine.ts'
import type { WorkItemRow, WorkTables } from './tables.ts'
import { historyRow } from './work.ts'

/** The rows of work as one worker holds them: by leases that run out, so that a killed one's rows are taken up by another. */
export type Rows = {
  /** Takes a row of these kinds that is due and nobody's. Undefined: none is. */
  claim(kinds: string[]): Promise<WorkItemRow | undefined>
  /**
   * Writes what a step said: transition, history and lease together, and only where the row is still ours. A wake-up that came in
   * mid-step makes it due again. Gives the row when it goes on at once: the lease is kept then.
   */
  commit(row: WorkItemRow, from: string, outcome: Outcome<string>, attempts: number): Promise<WorkItemRow | undefined>
  /** All leases of ours at once. */
  renew(): Promise<void>
  /** What happened too long ago to be told. */
  forget(): Promise<void>
}

/** Renewed by the living; whoever was killed is missed after it. */
const leaseMicros = 15 * second
/** Lives are told for so long after they happened. */
const historyMicros = 90 * day

/** Where an outcome leads; empty: the row goes away. */
export const target = (from: string, outcome: Outcome<string>): string => {
  if (outcome.next === 'done') return ''
  return outcome.next === 'go' ? outcome.to : from
}

type Moves = Extract<Outcome<string>, { next: 'go' | 'sleep' }>

export function openRows(database: Db<unknown>, clock: Clock): Rows {
  const db = database as Db<WorkTables>
  const me = uuid()

  const remove = (tx: Tx<WorkTables>, row: WorkItemRow) =>
    tx
      .deleteFrom('kit_work_item')
      .where('kind', '=', row.kind)
      .where('subject', '=', row.subject)
      .where('lease_owner', '=', me)
      .returningAll()
      .executeTakeFirst()

  const move = (tx: Tx<WorkTables>, row: WorkItemRow, from: string, outcome: Moves, attempts: number) => {
    const now = clock.now()
    const due = outcome.next === 'go' ? now : now + outcome.micros
    const lease = outcome.next === 'go' ? { lease_until: now + leaseMicros } : { lease_owner: '', lease_until: 0 }
    return tx
      .updateTable('kit_work_item')
      .set({
        state: target(from, outcome),
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

  const remember = async (tx: Tx<WorkTables>, row: WorkItemRow, from: string, outcome: Outcome<string>) => {
    const to = target(from, outcome)
    if (to === row.state && outcome.reason === '') return
    const { kind, subject, request_id: requestId } = row
    const detail = outcome.next === 'done' ? undefined : outcome.detail
    const entry = { kind, subject, from, to, reason: outcome.reason, detail, requestId }
    await tx.insertInto('kit_work_history').values(historyRow(clock.now(), entry)).execute()
  }

  return {
    async claim(kinds) {
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
      // The condition stands here too: without it two workers on PostgreSQL take the same row.
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
    },
    async commit(row, from, outcome, attempts) {
      const kept = await db.transaction(async (tx) => {
        const next = outcome.next === 'done' ? await remove(tx, row) : await move(tx, row, from, outcome, attempts)
        if (next) await remember(tx, row, from, outcome)
        return next
      })
      return outcome.next === 'go' ? kept : undefined
    },
    async renew() {
      const until = { lease_until: clock.now() + leaseMicros }
      await db.transaction((tx) => tx.updateTable('kit_work_item').set(until).where('lease_owner', '=', me).execute())
    },
    async forget() {
      const last = clock.now() - historyMicros
      await db.transaction((tx) => tx.deleteFrom('kit_work_history').where('at', '<', last).execute())
    },
  }
}
