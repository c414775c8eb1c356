import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { uuid } from '../../../kit/ids.ts'
import type { Quota } from '../../../kit/quota/quota.ts'
import type { ComputeTables, ServerGroupRow } from '../tables.ts'

export type ServerGroup = {
  id: string
  projectId: string
  userId: string
  name: string
  policy: string
  /** How many of an anti-affinity group a host may have. */
  maxPerHost: number
  rules: Record<string, number>
}

export type ServerGroups = ReturnType<typeof openServerGroups>

const groupOf = (row: ServerGroupRow): ServerGroup => {
  const rules = fromJson<Record<string, number>>(row.rules)
  return {
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    name: row.name,
    policy: row.policy,
    maxPerHost: rules['max_server_per_host'] ?? 1,
    rules,
  }
}

/** Servers that want to be together, or apart. */
export function openServerGroups(db: Db<ComputeTables>, clock: Clock, quota: Quota<ComputeTables>) {
  const rows = () => db.read.selectFrom('compute_server_group').selectAll().orderBy('created_at').orderBy('id')
  return {
    async find(id: string): Promise<ServerGroup | undefined> {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row && groupOf(row)
    },
    async list(projectId: string | undefined, page: { offset: number; limit: number }): Promise<ServerGroup[]> {
      const found = projectId === undefined ? rows() : rows().where('project_id', '=', projectId)
      return (await found.offset(page.offset).limit(page.limit).execute()).map(groupOf)
    },
    create: (ask: Pick<ServerGroup, 'projectId' | 'userId' | 'name' | 'policy' | 'rules'>): Promise<ServerGroup> =>
      db.transaction(async (tx) => {
        await quota.allow(tx, ask.projectId, { server_groups: 1 })
        const row: ServerGroupRow = {
          id: uuid(),
          project_id: ask.projectId,
          user_id: ask.userId,
          name: ask.name,
          policy: ask.policy,
          rules: toJson(ask.rules),
          created_at: clock.now(),
        }
        await tx.insertInto('compute_server_group').values(row).execute()
        return groupOf(row)
      }),
    async remove(id: string): Promise<void> {
      await db.transaction(async (tx) => {
        await tx.deleteFrom('compute_server_group').where('id', '=', id).execute()
        await tx.updateTable('compute_server').set({ group_id: '' }).where('group_id', '=', id).execute()
      })
    },
    /** Ids of the members that are not deleted, by group. */
    async members(ids: string[]): Promise<Map<string, string[]>> {
      const found = new Map<string, string[]>(ids.map((id) => [id, []]))
      if (ids.length === 0) return found
      const rows = await db.read
        .selectFrom('compute_server')
        .select(['id', 'group_id'])
        .where('group_id', 'in', ids)
        .where('deleted', '=', 0)
        .orderBy('created_at')
        .execute()
      for (const row of rows) found.get(row.group_id)!.push(row.id)
      return found
    },
  }
}
