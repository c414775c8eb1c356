import type { PortRow } from '../tables.ts'
import { segmentTypes, tunnelTypes } from './segments.ts'
import type { Change } from './store.ts'

/** Everybody who carries a part of this network looks again. */
export async function networkRipple(change: Change, networkId: string): Promise<void> {
  for (const host of await hostsOf(change, networkId)) change.hint(host, 'port', 'router', 'dhcp')
}

/** Hosts that have a port of the network, also those where one is only open. */
const hostsOf = async ({ tx }: Change, networkId: string, types = segmentTypes): Promise<string[]> => {
  const rows = await tx
    .selectFrom('network_port as p')
    .innerJoin('network_network as n', 'n.id', 'p.network_id')
    .select(['p.host', 'p.open_host'])
    .distinct()
    .where('p.network_id', '=', networkId)
    .where('p.host', '<>', '')
    .where('n.type', 'in', types)
    .execute()
  return [...new Set(rows.flatMap((row) => [row.host, row.open_host]))].filter((host) => host !== '')
}

type Touched = Pick<PortRow, 'id' | 'network_id' | 'host' | 'open_host' | 'device_owner'>

/** A port came, went or changed: its hosts, who serves it addresses, who knows of its card, and whose rules speak of its groups. */
export async function portRipple(change: Change, port: Touched, groups: string[] = []): Promise<void> {
  change.hint(port.host, 'port')
  change.hint(port.open_host, 'port')
  if (port.device_owner.startsWith('network:router')) change.hint(port.host, 'router')
  await serverRipple(change, [port.id])
  const dhcp = await change.tx
    .selectFrom('network_dhcp')
    .select('host')
    .where('network_id', '=', port.network_id)
    .executeTakeFirst()
  change.hint(dhcp?.host ?? '', 'dhcp')
  // On networks of tunnels each host knows where each card is.
  if (port.host !== '') for (const host of await hostsOf(change, port.network_id, tunnelTypes)) change.hint(host, 'port')
  await groupMembersRipple(change, groups)
}

/** Compute is told of the servers these ports are of; `device_id` is what users write there. */
export async function serverRipple(change: Change, ports: string[]): Promise<void> {
  if (ports.length === 0) return
  const rows = await change.tx.selectFrom('network_nic').select('owner').where('port_id', 'in', ports).execute()
  for (const { owner } of rows) change.server(owner)
}

/** The rules of a group changed: its members' hosts look again. */
export async function groupRipple(change: Change, groups: string[]): Promise<void> {
  if (groups.length === 0) return
  const rows = await change.tx
    .selectFrom('network_port_group as g')
    .innerJoin('network_port as p', 'p.id', 'g.port_id')
    .select(['p.host', 'p.open_host'])
    .distinct()
    .where('g.group_id', 'in', groups)
    .execute()
  for (const row of rows) for (const host of [row.host, row.open_host]) change.hint(host, 'port')
}

/** The members of a group changed: rules elsewhere may name it as remote. */
async function groupMembersRipple(change: Change, groups: string[]): Promise<void> {
  if (groups.length === 0) return
  const rows = await change.tx
    .selectFrom('network_rule')
    .select('group_id')
    .distinct()
    .where('remote_group_id', 'in', groups)
    .execute()
  await groupRipple(
    change,
    rows.map((row) => row.group_id),
  )
}
