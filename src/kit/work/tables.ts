import type { Migration } from '../db/migrate.ts'

export type WorkItemRow = {
  kind: string
  subject: string
  state: string
  due_at: number
  lease_owner: string
  lease_until: number
  attempts: number
  /** 0: no; 1: asked for; 2: on its way. */
  teardown: number
  wakes: number
  request_id: string
  created_at: number
}

export type WorkHistoryRow = {
  id: string
  kind: string
  subject: string
  at: number
  from_state: string
  to_state: string
  reason: string
  /** JSON: facts for `altostack explain`, e.g. every host and what refused it. */
  detail: string
  request_id: string
}

export type WorkTables = { kit_work_item: WorkItemRow; kit_work_history: WorkHistoryRow }

export const workMigrations: Migration[] = [
  {
    name: 'kit-0001-work',
    statements: [
      `create table kit_work_item (
        kind text not null, subject text not null, state text not null, due_at bigint not null, lease_owner text not null,
        lease_until bigint not null, attempts bigint not null, teardown bigint not null, wakes bigint not null,
        request_id text not null, created_at bigint not null, primary key (kind, subject))`,
      'create index kit_work_item_due on kit_work_item (due_at)',
      `create table kit_work_history (
        id text primary key, kind text not null, subject text not null, at bigint not null, from_state text not null,
        to_state text not null, reason text not null, detail text not null, request_id text not null)`,
      'create index kit_work_history_subject on kit_work_history (subject, at)',
      'create index kit_work_history_at on kit_work_history (at)',
    ],
  },
]
