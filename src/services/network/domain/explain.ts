import type { DhcpSeen } from '../../../agents/document.ts'
import { isoSeconds } from '../../../kit/clock.ts'
import { fromJson } from '../../../kit/db/columns.ts'
import type { NetworkRow, PortRow } from '../tables.ts'
import { silentAfter } from './homes.ts'
import { findNetwork } from './networks.ts'
import { addressesOf } from './ports.ts'
import { portStatus } from './status.ts'
import type { Store } from './store.ts'

export async function explain(store: Store, { kind, id }: { kind: 'port' | 'network'; id: string }): Promise<string[]> {
  if (kind === 'network') {
    const network = await findNetwork(store.read, id)
    return network ? explainNetwork(store, network) : []
  }
  const port = await store.read.selectFrom('network_port').selectAll().where('id', '=', id).executeTakeFirst()
  return port ? explainPort(store, port) : []
}

async function explainPort(store: Store, port: PortRow): Promise<string[]> {
  const addresses = (await addressesOf(store.read, port.id)).map((one) => one.ip)
  const floating = await store.read
    .selectFrom('network_floating_ip as f')
    .innerJoin('network_router as r', 'r.id', 'f.router_id')
    .select(['f.ip', 'f.fixed_ip', 'f.active', 'r.id as router', 'r.host', 'r.trouble'])
    .where('f.port_id', '=', port.id)
    .execute()
  return [
    `Port ${port.name} is ${portStatus(port)}: ${port.mac} with ${addresses.join(', ') || 'no address'} on network ${port.network_id}.`,
    port.device_id === '' ? 'Nothing uses it.' : `It is of ${port.device_owner} ${port.device_id}.`,
    ...(await whereabouts(store, port)),
    ...floating.map((one) =>
      one.active === 1
        ? `${one.ip} leads to ${one.fixed_ip} through router ${one.router} on host ${one.host}.`
        : `${one.ip} should lead to ${one.fixed_ip} and does not yet: router ${one.router} is ${one.host === '' ? 'on no host' : `on host ${one.host}`}${one.trouble === '' ? '' : `, which says: ${one.trouble}`}.`,
    ),
    ...(await served(store, port)),
  ]
}

async function whereabouts(store: Store, port: PortRow): Promise<string[]> {
  if (port.device_owner === 'network:floatingip') return ['It lives on no host: it keeps the address.']
  if (port.host === '') return ['It is bound to no host.']
  const host = await store.read.selectFrom('network_host').selectAll().where('name', '=', port.host).executeTakeFirst()
  if (!host) return [`It is bound to ${port.host}, a host that never spoke to us.`]
  const alive = host.heartbeat_at > store.now() - silentAfter
  return [
    `It is bound to host ${port.host}, ${alive ? 'which is alive' : `not heard of since ${isoSeconds(host.heartbeat_at)}`}.`,
    port.wired === 1 ? 'The host says that traffic can flow.' : 'The host has not said yet that traffic can flow.',
    ...(port.trouble === '' ? [] : [`The host says: ${port.trouble}`]),
    ...(port.open_host === ''
      ? []
      : [
          `It is made on host ${port.open_host} too, where its guest may go: traffic can ${port.open_wired === 1 ? '' : 'not yet '}flow there.`,
          ...(port.open_trouble === '' ? [] : [`That host says: ${port.open_trouble}`]),
        ]),
  ]
}

/** What its DHCP server saw of this card: explains a guest without address. */
async function served(store: Store, port: PortRow): Promise<string[]> {
  const dhcp = await store.read
    .selectFrom('network_dhcp')
    .selectAll()
    .where('network_id', '=', port.network_id)
    .executeTakeFirst()
  if (!dhcp) return ['Its network has no DHCP server.']
  if (dhcp.port_id === port.id) return []
  const where = dhcp.host === '' ? 'on no host' : `on host ${dhcp.host}`
  const leases = fromJson<DhcpSeen['leases']>(dhcp.leases).filter((lease) => lease.mac === port.mac)
  return [
    `Its network's DHCP server is ${where}, ${dhcp.ready === 1 ? 'ready' : 'not ready'}${dhcp.trouble === '' ? '' : `: ${dhcp.trouble}`}.`,
    ...(leases.length === 0
      ? ['The server has not seen this card ask.']
      : leases.map((lease) => `${isoSeconds(lease.at)} the server said ${lease.last} for ${lease.ip}.`)),
  ]
}

async function explainNetwork(store: Store, network: NetworkRow): Promise<string[]> {
  const subnets = await store.read.selectFrom('network_subnet').select(['cidr']).where('network_id', '=', network.id).execute()
  const ports = await store.read
    .selectFrom('network_port')
    .select((eb) => ['host', eb.fn.countAll<number>().as('count'), eb.fn.sum<number>('wired').as('wired')])
    .where('network_id', '=', network.id)
    .groupBy('host')
    .orderBy('host')
    .execute()
  const dhcp = await store.read.selectFrom('network_dhcp').selectAll().where('network_id', '=', network.id).executeTakeFirst()
  const segment = [network.type, network.physical_network, network.segmentation_id < 0 ? '' : String(network.segmentation_id)]
  return [
    `Network ${network.name} is ${network.admin_state_up === 1 ? 'ACTIVE' : 'DOWN'}: ${segment.filter((part) => part !== '').join(' ')}, MTU ${network.mtu}.`,
    subnets.length === 0 ? 'It has no subnet.' : `Its subnets are ${subnets.map((subnet) => subnet.cidr).join(', ')}.`,
    ...ports.map(
      (row) =>
        `${row.count} of its ports on ${row.host === '' ? 'no host' : `host ${row.host}`}, ${Number(row.wired)} of them wired.`,
    ),
    dhcp
      ? `Its DHCP server is ${dhcp.host === '' ? 'on no host' : `on host ${dhcp.host}`}, ${dhcp.ready === 1 ? 'ready' : 'not ready'}${dhcp.trouble === '' ? '' : `: ${dhcp.trouble}`}.`
      : 'It has no DHCP server.',
  ]
}
