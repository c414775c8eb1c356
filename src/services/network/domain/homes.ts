import { second } from '../../../kit/clock.ts'
import { fromJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import type { RouterRow } from '../tables.ts'
import { networkRipple } from './ripples.ts'
import type { Change, On } from './store.ts'

/** An agent that was not heard of for so long is down (neutron's agent_down_time). */
export const silentAfter = 75 * second

export const agentTypes = {
  switch: 'Open vSwitch agent',
  router: 'L3 agent',
  dhcp: 'DHCP agent',
  metadata: 'Metadata agent',
} as const

type Role = 'router' | 'dhcp'

/** Physical networks that a host must reach to carry these networks. */
async function physicalNetworksOf(on: On, networks: string[]): Promise<string[]> {
  if (networks.length === 0) return []
  const rows = await on
    .selectFrom('network_network')
    .select('physical_network')
    .distinct()
    .where('id', 'in', networks)
    .where('physical_network', '<>', '')
    .execute()
  return rows.map((row) => row.physical_network)
}

/** Living hosts that may play this role for these networks, least laden first. */
async function homesFor(change: Change, role: Role, networks: string[]): Promise<string[]> {
  const needed = await physicalNetworksOf(change.tx, networks)
  const hosts = await change.tx
    .selectFrom('network_host as h')
    .innerJoin('network_agent as a', 'a.host', 'h.name')
    .select(['h.name', 'h.mappings'])
    .where('a.type', '=', agentTypes[role])
    .where('a.admin_state_up', '=', 1)
    .where('h.heartbeat_at', '>', change.now() - silentAfter)
    .orderBy('h.name')
    .execute()
  const able = hosts.filter(({ mappings }) => needed.every((name) => name in fromJson<Record<string, string>>(mappings)))
  const load = await loads(change, role)
  return able.map((host) => host.name).sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))
}

async function loads({ tx }: Change, role: Role): Promise<Map<string, number>> {
  const rows = await tx
    .selectFrom(role === 'router' ? 'network_router' : 'network_dhcp')
    .select((eb) => ['host', eb.fn.countAll<number>().as('count')])
    .groupBy('host')
    .execute()
  return new Map(rows.map((row) => [row.host, row.count]))
}

async function networksOfRouter({ tx }: Pick<Change, 'tx'>, routerId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('network_port')
    .select('network_id')
    .distinct()
    .where('device_id', '=', routerId)
    .where('device_owner', 'like', 'network:router%')
    .execute()
  return rows.map((row) => row.network_id)
}

/** Keeps the router where it is when that host can carry it, or else moves it to one that can. */
export async function homeRouter(change: Change, routerId: string): Promise<void> {
  const router = await routerRow(change, routerId)
  const homes = await homesFor(change, 'router', await networksOfRouter(change, routerId))
  await putRouter(change, router, homes.includes(router.host) ? router.host : (homes[0] ?? router.host))
}

/** Puts the router on this host, because somebody says so; undefined: on none, until it is looked after next. */
export async function placeRouter(change: Change, routerId: string, host: string | undefined): Promise<void> {
  const router = await routerRow(change, routerId)
  if (host !== undefined && !(await homesFor(change, 'router', await networksOfRouter(change, routerId))).includes(host))
    throw noHome(host, 'router', routerId)
  await putRouter(change, router, host ?? '')
}

const routerRow = ({ tx }: Change, id: string): Promise<RouterRow> =>
  tx.selectFrom('network_router').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

async function putRouter(change: Change, router: RouterRow, host: string): Promise<void> {
  change.hint(router.host, 'router', 'port')
  change.hint(host, 'router', 'port')
  if (host !== router.host)
    await change.tx.updateTable('network_router').set({ host, ready: 0, trouble: '' }).where('id', '=', router.id).execute()
  const moved = await change.tx
    .updateTable('network_port')
    .set({ host, wired: 0 })
    .where('device_id', '=', router.id)
    .where('device_owner', 'like', 'network:router%')
    .where('host', '<>', host)
    .returning('network_id')
    .execute()
  for (const network of new Set(moved.map((port) => port.network_id))) await networkRipple(change, network)
}

/** The same for the DHCP server of a network, whose row is there. */
export async function homeDhcp(change: Change, networkId: string): Promise<void> {
  const { host } = await dhcpRow(change, networkId)
  const homes = await homesFor(change, 'dhcp', [networkId])
  await putDhcp(change, networkId, homes.includes(host) ? host : (homes[0] ?? host))
}

export async function placeDhcp(change: Change, networkId: string, host: string | undefined): Promise<void> {
  if (host !== undefined && !(await homesFor(change, 'dhcp', [networkId])).includes(host))
    throw noHome(host, 'DHCP server of network', networkId)
  await putDhcp(change, networkId, host ?? '')
}

const dhcpRow = ({ tx }: Change, networkId: string) =>
  tx.selectFrom('network_dhcp').selectAll().where('network_id', '=', networkId).executeTakeFirstOrThrow()

async function putDhcp(change: Change, networkId: string, host: string): Promise<void> {
  const dhcp = await dhcpRow(change, networkId)
  change.hint(dhcp.host, 'dhcp', 'port')
  change.hint(host, 'dhcp', 'port')
  if (host !== dhcp.host)
    await change.tx
      .updateTable('network_dhcp')
      .set({ host, ready: 0, trouble: '', leases: '[]' })
      .where('network_id', '=', networkId)
      .execute()
  const moved = await change.tx
    .updateTable('network_port')
    .set({ host, wired: 0 })
    .where('id', '=', dhcp.port_id)
    .where('host', '<>', host)
    .returning('id')
    .execute()
  if (moved.length > 0) await networkRipple(change, networkId)
}

const noHome = (host: string, what: string, id: string) =>
  new Problem('conflict', `Host ${host} is silent or does not reach the networks of ${what} ${id}.`, { code: 'NoEligibleAgent' })
