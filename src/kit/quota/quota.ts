import type { Migration } from '../db/migrate.ts'
import { type Db, forTables, type Tx } from '../db/open.ts'
import { Problem } from '../errors.ts'

type QuotaTables = {
  kit_quota: { service: string; project_id: string; resource: string; hard_limit: number }
  kit_quota_turn: { service: string; project_id: string; turn: number }
}

export const quotaMigrations: Migration[] = [
  {
    name: 'kit-0002-quota',
    statements: [
      `create table kit_quota (
        service text not null, project_id text not null, resource text not null, hard_limit bigint not null,
        primary key (service, project_id, resource))`,
      'create table kit_quota_turn (service text not null, project_id text not null, turn bigint not null, primary key (service, project_id))',
    ],
  },
]

/** How much of a resource a project uses now, counted from the rows themselves: there is no reservation that could leak. */
export type Counter<Tables> = (tx: Tx<Tables>, projectId: string) => Promise<number>

export type Exceeded = { resource: string; asked: number; used: number; limit: number }

export type Quota<Tables> = {
  /** Limits in force; -1: none. */
  limits(projectId: string): Promise<Record<string, number>>
  /** Changes the limits named; unknown resources are the caller's to refuse. */
  set(projectId: string, limits: Record<string, number>): Promise<void>
  /** Back to the defaults. */
  reset(projectId: string): Promise<void>
  usage(projectId: string): Promise<Record<string, number>>
  /** Projects that have limits of their own. */
  projects(): Promise<string[]>
  /**
   * Inside the transaction that creates: throws over-quota (its detail is `{ exceeded: Exceeded[] }`) when these more would exceed a limit.
   * Two creators of one project queue up behind its row. `inForce`: limits kept elsewhere, by resource, over the ones here.
   */
  allow(tx: Tx<Tables>, projectId: string, asked: Record<string, number>, inForce?: Record<string, number>): Promise<void>
  defaults: Record<string, number>
}

/** In place of a project's id: the limits of all projects that have none of their own. */
export const everyProject = '*'

export type QuotaOptions<Tables> = {
  db: Db<unknown>
  service: string
  defaults: Record<string, number>
  counters: Record<string, Counter<Tables>>
  /** The sentence of the service for what was exceeded. */
  message: (exceeded: Exceeded[]) => string
}

export function openQuota<Tables>({ db: database, service, defaults, counters, message }: QuotaOptions<Tables>): Quota<Tables> {
  const db = forTables<QuotaTables>(database)
  const limitsOn = async (on: Pick<Tx<QuotaTables>, 'selectFrom'>, projectId: string) => {
    const rows = await on
      .selectFrom('kit_quota')
      .select(['project_id', 'resource', 'hard_limit'])
      .where('service', '=', service)
      .where('project_id', 'in', [everyProject, projectId])
      .execute()
    const of = (project: string) =>
      Object.fromEntries(rows.filter((row) => row.project_id === project).map((row) => [row.resource, row.hard_limit]))
    return { ...defaults, ...of(everyProject), ...of(projectId) }
  }
  const takeTurn = (tx: Tx<QuotaTables>, projectId: string) =>
    tx
      .insertInto('kit_quota_turn')
      .values({ service, project_id: projectId, turn: 1 })
      .onConflict((conflict) =>
        conflict.columns(['service', 'project_id']).doUpdateSet((eb) => ({ turn: eb('kit_quota_turn.turn', '+', 1) })),
      )
      .execute()
  return {
    defaults,
    limits: (projectId) => limitsOn(db.read, projectId),
    async set(projectId, limits) {
      const rows = Object.entries(limits).map(([resource, hard_limit]) => ({
        service,
        project_id: projectId,
        resource,
        hard_limit,
      }))
      if (rows.length === 0) return
      await db.transaction((tx) =>
        tx
          .insertInto('kit_quota')
          .values(rows)
          .onConflict((conflict) =>
            conflict
              .columns(['service', 'project_id', 'resource'])
              .doUpdateSet((eb) => ({ hard_limit: eb.ref('excluded.hard_limit') })),
          )
          .execute(),
      )
    },
    async reset(projectId) {
      await db.transaction((tx) =>
        tx.deleteFrom('kit_quota').where('service', '=', service).where('project_id', '=', projectId).execute(),
      )
    },
    usage: (projectId) =>
      forTables<Tables>(database).transaction(async (tx) => {
        const used: Record<string, number> = {}
        for (const [resource, count] of Object.entries(counters)) used[resource] = await count(tx, projectId)
        return used
      }),
    async projects() {
      const rows = await db.read
        .selectFrom('kit_quota')
        .select('project_id')
        .distinct()
        .where('service', '=', service)
        .where('project_id', '<>', everyProject)
        .orderBy('project_id')
        .execute()
      return rows.map((row) => row.project_id)
    },
    async allow(tx, projectId, asked, inForce = {}) {
      const own = tx as unknown as Tx<QuotaTables>
      await takeTurn(own, projectId)
      const limits = { ...(await limitsOn(own, projectId)), ...inForce }
      const exceeded: Exceeded[] = []
      for (const [resource, more] of Object.entries(asked)) {
        const limit = limits[resource] ?? -1
        const count = counters[resource]
        if (limit < 0 || more <= 0) continue
        const used = count ? await count(tx, projectId) : 0
        if (used + more > limit) exceeded.push({ resource, asked: more, used, limit })
      }
      if (exceeded.length > 0) throw new Problem('over-quota', message(exceeded), { detail: { exceeded } })
    },
  }
}
