import { sql } from 'kysely'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { afterCommit, context } from '../context.ts'
import { toJson } from '../db/columns.ts'
import type { Db, Tx } from '../db/open.ts'
import { uuid } from '../ids.ts'
import type { WorkHistoryRow, WorkTables } from './tables.ts'

export const workTopic = 'work'

export type Work = {
  /** Starts a machine for the subject in this transaction; when there is one already, wakes it. */
  begin(tx: Tx<never>, kind: string, subject: string, first: string): Promise<void>
  /** Says "look again". Inside a transaction pass its `tx`. */
  wake(kind: string, subject: string, tx?: Tx<never>): Promise<void>
  /** Diverts the machine to its teardown, once. Begins it there when the subject had no machine. */
  teardown(tx: Tx<never>, kind: string, subject: string, first: string): Promise<void>
  /** A line in the life of a thing, for `altostack explain`. */
  note(entry: { kind: string; subject: string; reason: string; detail?: unknown }, tx?: Tx<never>): Promise<void>
  history(subject: string): Promise<WorkHistoryRow[]>
  stateOf(kind: string, subject: string): Promise<string | undefined>
}

export function openWork(database: Db<unknown>, bus: Bus, clock: Clock): Work {
  const db = database as Db<WorkTables>
  const on = (tx: Tx<never> | undefined) => (tx as unknown as Tx<WorkTables> | undefined) ?? db.read
  const hint = () => afterCommit(() => bus.publish(workTopic, ''))

  const put = async (tx: Tx<never>, kind: string, subject: string, state: string, teardown: 0 | 1) => {
    const now = clock.now()
    await on(tx)
      .insertInto('kit_work_item')
      .values({
        kind,
        subject,
        state,
        due_at: now,
        lease_owner: '',
        lease_until: 0,
        attempts: 0,
        teardown,
        wakes: 0,
        request_id: context().requestId ?? '',
        created_at: now,
      })
      .onConflict((conflict) =>
        conflict.columns(['kind', 'subject']).doUpdateSet({
          due_at: now,
          wakes: sql<number>`kit_work_item.wakes + 1`,
          request_id: context().requestId ?? sql<string>`kit_work_item.request_id`,
          ...(teardown ? { teardown: sql<number>`case when kit_work_item.teardown = 2 then 2 else 1 end` } : {}),
        }),
      )
      .execute()
    hint()
  }

  return {
    begin: (tx, kind, subject, first) => put(tx, kind, subject, first, 0),
    teardown: (tx, kind, subject, first) => put(tx, kind, subject, first, 1),
    async wake(kind, subject, tx) {
      await on(tx)
        .updateTable('kit_work_item')
        .set((eb) => ({
          due_at: clock.now(),
          wakes: eb('wakes', '+', 1),
          ...(context().requestId === undefined ? {} : { request_id: context().requestId! }),
        }))
        .where('kind', '=', kind)
        .where('subject', '=', subject)
        .execute()
      hint()
    },
    async note({ kind, subject, reason, detail }, tx) {
      await on(tx)
        .insertInto('kit_work_history')
        .values(
          historyRow(clock.now(), { kind, subject, from: '', to: '', reason, detail, requestId: context().requestId ?? '' }),
        )
        .execute()
    },
    history: (subject) =>
      db.read.selectFrom('kit_work_history').selectAll().where('subject', '=', subject).orderBy('at').execute(),
    async stateOf(kind, subject) {
      const row = await db.read
        .selectFrom('kit_work_item')
        .select('state')
        .where('kind', '=', kind)
        .where('subject', '=', subject)
        .executeTakeFirst()
      return row?.state
    },
  }
}

type Entry = { kind: string; subject: string; from: string; to: string; reason: string; detail: unknown; requestId: string }

export const historyRow = (at: number, entry: Entry): WorkHistoryRow => ({
  id: uuid(),
  kind: entry.kind,
  subject: entry.subject,
  at,
  from_state: entry.from,
  to_state: entry.to,
  reason: entry.reason,
  detail: entry.detail === undefined ? '' : toJson(entry.detail),
  request_id: entry.requestId,
})
