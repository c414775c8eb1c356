import { fromJson } from '../../../kit/db/columns.ts'
import { agentTypes, silentAfter } from './homes.ts'
import { hostKind } from './hosts.ts'
import type { Change, Store } from './store.ts'

export type Agent = {
  id: string
  host: string
  type: string
  binary: string
  topic: string
  isUp: boolean
  alive: boolean
  description: string
  createdAt: number
  startedAt: number
  heartbeatAt: number
  configurations: Record<string, unknown>
}

const programs: Record<string, { binary: string; topic: string }> = {
  [agentTypes.switch]: { binary: 'neutron-openvswitch-agent', topic: 'N/A' },
  [agentTypes.router]: { binary: 'neutron-l3-agent', topic: 'l3_agent' },
  [agentTypes.dhcp]: { binary: 'neutron-dhcp-agent', topic: 'dhcp_agent' },
  [agentTypes.metadata]: { binary: 'neutron-metadata-agent', topic: 'N/A' },
}

/** What neutron would call agents: the parts of the one program on each host, under the names tools look for. */
export async function listAgents(store: Store): Promise<Agent[]> {
  const rows = await store.read
    .selectFrom('network_agent as a')
    .innerJoin('network_host as h', 'h.name', 'a.host')
    .selectAll('a')
    .select(['h.heartbeat_at', 'h.tunnel_ip', 'h.mappings', 'h.joined_at'])
    .orderBy('a.host')
    .orderBy('a.type')
    .execute()
  const [routers, networks, ports] = [
    await countBy(store, 'network_router'),
    await countBy(store, 'network_dhcp'),
    await countBy(store, 'network_port'),
  ]
  const configured = (type: string, host: string, tunnelIp: string, mappings: string): Record<string, unknown> => {
    if (type === agentTypes.switch)
      return {
        bridge_mappings: fromJson(mappings),
        tunneling_ip: tunnelIp,
        tunnel_types: ['vxlan', 'gre', 'geneve'],
        integration_bridge: 'br-int',
        l2_population: true,
        arp_responder_enabled: true,
        enable_distributed_routing: false,
        in_distributed_mode: false,
        extensions: [],
        devices: ports.get(host) ?? 0,
      }
    if (type === agentTypes.router) return { agent_mode: 'legacy', routers: routers.get(host) ?? 0 }
    return type === agentTypes.dhcp ? { networks: networks.get(host) ?? 0 } : {}
  }
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    type: row.type,
    ...programs[row.type]!,
    isUp: row.admin_state_up === 1,
    alive: row.heartbeat_at > store.now() - silentAfter,
    description: row.description,
    createdAt: row.created_at,
    startedAt: row.joined_at,
    heartbeatAt: row.heartbeat_at,
    configurations: configured(row.type, row.host, row.tunnel_ip, row.mappings),
  }))
}

async function countBy({ read }: Store, table: 'network_router' | 'network_dhcp' | 'network_port'): Promise<Map<string, number>> {
  const rows = await read
    .selectFrom(table)
    .select((eb) => ['host', eb.fn.countAll<number>().as('count')])
    .groupBy('host')
    .execute()
  return new Map(rows.map((row) => [row.host, row.count]))
}

export async function updateAgent(
  change: Change,
  id: string,
  patch: { isUp?: boolean | undefined; description?: string | undefined },
): Promise<void> {
  const columns = {
    ...(patch.isUp === undefined ? {} : { admin_state_up: patch.isUp ? 1 : 0 }),
    ...(patch.description === undefined ? {} : { description: patch.description }),
  }
  if (Object.keys(columns).length > 0) await change.tx.updateTable('network_agent').set(columns).where('id', '=', id).execute()
}

/** The last agent of a host takes the host along; one that lives comes back at its next sign of life. */
export async function deleteAgent(change: Change, { id, host }: Agent): Promise<void> {
  const { tx, work } = change
  await tx.deleteFrom('network_agent').where('id', '=', id).execute()
  const left = await tx.selectFrom('network_agent').select('id').where('host', '=', host).limit(1).executeTakeFirst()
  if (!left) await work.teardown(tx as never, hostKind, host, 'forget')
}
