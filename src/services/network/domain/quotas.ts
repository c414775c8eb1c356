import type { Counter } from '../../../kit/quota/quota.ts'
import type { NetworkTables } from '../tables.ts'

/** Neutron's own defaults (neutron/conf/quota.py, extensions). -1: no limit. */
export const quotaDefaults: Record<string, number> = {
  network: 100,
  subnet: 100,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
}

type Counted =
  | 'network_network'
  | 'network_subnet'
  | 'network_port'
  | 'network_router'
  | 'network_floating_ip'
  | 'network_group'
  | 'network_rule'

const rowsOf =
  (table: Counted): Counter<NetworkTables> =>
  async (tx, projectId) => {
    const row = await tx
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('project_id', '=', projectId)
      .executeTakeFirstOrThrow()
    return row.count
  }

export const counters: Record<string, Counter<NetworkTables>> = {
  network: rowsOf('network_network'),
  subnet: rowsOf('network_subnet'),
  port: rowsOf('network_port'),
  router: rowsOf('network_router'),
  floatingip: rowsOf('network_floating_ip'),
  security_group: rowsOf('network_group'),
  security_group_rule: rowsOf('network_rule'),
}
