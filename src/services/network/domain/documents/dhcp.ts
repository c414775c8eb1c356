import type { Desired, HostDhcp } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import { deviceOf } from '../devices.ts'
import type { On } from '../store.ts'
import { byKey, heldBy } from './held.ts'

/** The domain guests are told, neutron's default. */
const domain = 'openstacklocal'

export async function desiredDhcp(on: On, host: string): Promise<Desired<HostDhcp>> {
  const served = await on
    .selectFrom('network_dhcp as d')
    .innerJoin('network_port as p', 'p.id', 'd.port_id')
    .innerJoin('network_network as n', 'n.id', 'd.network_id')
    .selectAll('p')
    .select('n.mtu')
    .where('d.host', '=', host)
    .where('n.admin_state_up', '=', 1)
    .orderBy('n.created_at')
    .execute()
  const networks = served.map((port) => port.network_id)
  if (networks.length === 0) return { complete: true, items: [] }
  const subnets = await on
    .selectFrom('network_subnet')
    .selectAll()
    .where('network_id', 'in', networks)
    .where('enable_dhcp', '=', 1)
    // The agents' server speaks DHCPv4; cards address themselves on automatic IPv6 subnets.
    .where('ip_version', '=', 4)
    .orderBy('created_at')
    .execute()
  const hosts = await guestsOf(on, networks)
  const held = await heldBy(
    on,
    served.map((port) => port.id),
  )
  const bySubnet = byKey(hosts, (guest) => guest.subnetId)
  const byNetwork = byKey(subnets, (subnet) => subnet.network_id)
  const items = served.map((port): HostDhcp => {
    const used = new Set<string>()
    return {
      networkId: port.network_id,
      portId: port.id,
      device: deviceOf(port),
      mac: port.mac,
      mtu: port.mtu,
      addresses: (held.get(port.id) ?? []).map(({ ip, prefix }) => ({ ip, prefix })),
      domain,
      subnets: (byNetwork.get(port.network_id) ?? []).map((subnet) => ({
        id: subnet.id,
        cidr: subnet.cidr,
        gatewayIp: subnet.gateway_ip === '' ? undefined : subnet.gateway_ip,
        dns: fromJson(subnet.dns),
        routes: fromJson(subnet.routes),
        hosts: (bySubnet.get(subnet.id) ?? []).map(({ mac, ip, hostname }) => ({
          mac,
          ip,
          hostname: nameOf(ip, hostname, used),
        })),
      })),
      metadata: true,
    }
  })
  return { complete: true, items }
}

type Guest = { subnetId: string; mac: string; ip: string; hostname: string }

async function guestsOf(on: On, networks: string[]): Promise<Guest[]> {
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_port as p', 'p.id', 'a.port_id')
    .leftJoin('network_nic as n', 'n.port_id', 'p.id')
    .select(['a.subnet_id', 'a.ip', 'p.mac', 'n.hostname'])
    .where('a.network_id', 'in', networks)
    .where('p.device_owner', '<>', 'network:dhcp')
    .orderBy('p.created_at')
    .orderBy('a.place')
    .execute()
  return rows.map((row) => ({ subnetId: row.subnet_id, mac: row.mac, ip: row.ip, hostname: row.hostname ?? '' }))
}

/** A server's own name where it is a label (RFC 1123) and the first of its network, or else one made of the address, as neutron does. */
function nameOf(ip: string, hostname: string, used: Set<string>): string {
  const label = hostname.toLowerCase()
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label) && !used.has(label)) {
    used.add(label)
    return label
  }
  return `host-${ip.replace(/[.:]+/g, '-')}`
}
