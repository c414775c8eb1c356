import type { Db, Tx } from '../../../kit/db/open.ts'
import { type Exceeded, openQuota, type Quota } from '../../../kit/quota/quota.ts'
import type { ComputeTables } from '../tables.ts'

/** The defaults of a new cloud, in the order in which compute shows them. */
export const defaultLimits: Record<string, number> = {
  cores: 20,
  instances: 10,
  ram: 51_200,
  metadata_items: 128,
  injected_files: 5,
  injected_file_content_bytes: 10_240,
  injected_file_path_bytes: 255,
  key_pairs: 100,
  server_groups: 10,
  server_group_members: 10,
  // Never counted: network has quotas of its own. Shown to clients before 2.36.
  fixed_ips: -1,
  floating_ips: -1,
  security_groups: -1,
  security_group_rules: -1,
}

const living = (tx: Tx<ComputeTables>, projectId: string) =>
  tx.selectFrom('compute_server').where('project_id', '=', projectId).where('deleted', '=', 0)

const summed = (column: 'vcpus' | 'memory_mb') => async (tx: Tx<ComputeTables>, projectId: string) => {
  const { total } = await living(tx, projectId)
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number>(column), eb.lit(0)).as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** The sentence of a request for servers that would exceed a limit. */
function sentence(exceeded: Exceeded[]): string {
  const join = (pick: (one: Exceeded) => number) => exceeded.map(pick).join(', ')
  return (
    `Quota exceeded for ${exceeded.map((one) => one.resource).join(', ')}: Requested ${join((one) => one.asked)}, ` +
    `but already used ${join((one) => one.used)} of ${join((one) => one.limit)} ${exceeded.map((one) => one.resource).join(', ')}`
  )
}

export const openComputeQuota = (db: Db<unknown>): Quota<ComputeTables> =>
  openQuota<ComputeTables>({
    db,
    service: 'compute',
    defaults: defaultLimits,
    message: sentence,
    counters: {
      async instances(tx, projectId) {
        const { count } = await living(tx, projectId)
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow()
        return Number(count)
      },
      cores: summed('vcpus'),
      ram: summed('memory_mb'),
      async server_groups(tx, projectId) {
        const { count } = await tx
          .selectFrom('compute_server_group')
          .where('project_id', '=', projectId)
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow()
        return Number(count)
      },
    },
  })
