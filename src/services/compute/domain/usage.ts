import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { ComputeTables } from '../tables.ts'
import { type Server, serverOf } from './server.ts'

export type Period = { start: number; end: number }

export type ServerUsage = { server: Server; hours: number }

const hour = 3600e6

/** How long of the period a server was there. Pure. */
export function hoursIn(
  { launchedAt, terminatedAt }: Pick<Server, 'launchedAt' | 'terminatedAt'>,
  { start, end }: Period,
): number {
  if (launchedAt === 0) return 0
  const until = terminatedAt === 0 ? end : Math.min(end, terminatedAt)
  return Math.max(0, until - Math.max(start, launchedAt)) / hour
}

/** Servers that lived in the period, also those that are gone. Pages go by the server's id. Throws invalid for a marker that is none. */
export async function usageIn(
  db: Db<ComputeTables>,
  period: Period,
  { projectId, limit, marker }: { projectId: string | undefined; limit: number; marker: string | undefined },
): Promise<{ usages: ServerUsage[]; more: boolean }> {
  const lived = () => {
    const query = db.read
      .selectFrom('compute_server')
      .selectAll()
      .where('launched_at', '>', 0)
      .where('launched_at', '<', period.end)
      .where((eb) => eb.or([eb('terminated_at', '=', 0), eb('terminated_at', '>', period.start)]))
    return projectId === undefined ? query : query.where('project_id', '=', projectId)
  }
  let query = lived()
  if (marker !== undefined) {
    if (!(await lived().where('id', '=', marker).executeTakeFirst())) throw new Problem('invalid', `marker [${marker}] not found`)
    query = query.where('id', '>', marker)
  }
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  const usages = rows.slice(0, limit).map(serverOf)
  return { usages: usages.map((server) => ({ server, hours: hoursIn(server, period) })), more: rows.length > limit }
}
