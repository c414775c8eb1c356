import type { Elsewhere, Segment } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { NetworkRow, PortRow } from '../../tables.ts'
import { holds, parseCidr, parseIp } from '../ip.ts'
import { type AddressPair, isOurs } from '../ports.ts'
import { isTunnelled } from '../segments.ts'
import type { On } from '../store.ts'
import { byKey } from './held.ts'

/** The segments of these networks, with what a host has to know of the other hosts on them. */
export async function segmentsOf(on: On, host: string, networks: NetworkRow[]): Promise<Record<string, Segment>> {
  const tunnelled = networks.filter((network) => isTunnelled(network.type)).map((network) => network.id)
  const ports = await portsIn(on, tunnelled)
  const ends = await tunnelEnds(on)
  const addresses = await addressesIn(on, host, tunnelled)
  const byNetwork = byKey(ports, (port) => port.network_id)
  return Object.fromEntries(
    networks.map((network) => [network.id, segmentOf(network, elsewhereOf(byNetwork.get(network.id) ?? []))]),
  )

  /** Where a port is, as tunnel addresses of other hosts. */
  function placesOf({ host: bound, open_host: open }: Placed): string[] {
    const others = [bound, open].filter((name) => name !== host && name !== '')
    return others.map((name) => ends.get(name) ?? '').filter((end) => end !== '' && end !== ends.get(host))
  }

  function elsewhereOf(all: Placed[]): { peers: string[]; elsewhere: Elsewhere[] } {
    const shared = all.flatMap((port) => fromJson<AddressPair[]>(port.allowed_pairs).map((pair) => pair.ip))
    const owned = new Set(all.map((port) => port.mac))
    const elsewhere = all
      .filter((port) => port.admin_state_up === 1)
      .flatMap((port) => placesOf(port).flatMap((at) => cardsOf(port, addresses.get(port.id) ?? [], shared, at)))
      // A pair that names the card of another port gets nothing of what is sent to that one.
      .filter((card) => card.own || !owned.has(card.mac))
      .map(({ own: _own, ...card }) => card)
    return { peers: [...new Set(all.flatMap(placesOf))].sort(), elsewhere }
  }
}

type Placed = Pick<
  PortRow,
  'id' | 'network_id' | 'mac' | 'host' | 'open_host' | 'admin_state_up' | 'allowed_pairs' | 'port_security' | 'device_owner'
>

/** The port's own card, and those its allowed pairs name. */
function cardsOf(port: Placed, ips: string[], shared: string[], at: string): (Elsewhere & { own: boolean })[] {
  const hides = port.port_security === 0 && !isOurs(port.device_owner)
  const pairs = fromJson<AddressPair[]>(port.allowed_pairs).flatMap(({ mac }) => mac ?? [])
  return [
    // An address that others may take too is not answered for: it may be anywhere.
    { mac: port.mac, ips: ips.filter((ip) => !shared.some((one) => covers(one, ip))), at, hides, own: true },
    ...[...new Set(pairs)].filter((mac) => mac !== port.mac).map((mac) => ({ mac, ips: [], at, hides: false, own: false })),
  ]
}

function covers(pair: string, ip: string): boolean {
  if (!pair.includes('/')) return pair === ip
  const [cidr, address] = [parseCidr(pair), parseIp(ip)]
  return cidr !== undefined && address !== undefined && holds(cidr, address)
}

function segmentOf(network: NetworkRow, others: { peers: string[]; elsewhere: Elsewhere[] }): Segment {
  return {
    networkId: network.id,
    type: network.type as Segment['type'],
    physicalNetwork: network.physical_network === '' ? undefined : network.physical_network,
    segmentationId: network.segmentation_id < 0 ? undefined : network.segmentation_id,
    mtu: network.mtu,
    ...others,
  }
}

const portsIn = async (on: On, networks: string[]): Promise<Placed[]> =>
  networks.length === 0
    ? []
    : on
        .selectFrom('network_port')
        .select([
          'id',
          'network_id',
          'mac',
          'host',
          'open_host',
          'admin_state_up',
          'allowed_pairs',
          'port_security',
          'device_owner',
        ])
        .where('network_id', 'in', networks)
        .where('host', '<>', '')
        .orderBy('created_at')
        .execute()

/** Tunnel addresses by host. */
async function tunnelEnds(on: On): Promise<Map<string, string>> {
  const rows = await on.selectFrom('network_host').select(['name', 'tunnel_ip']).execute()
  return new Map(rows.map((row) => [row.name, row.tunnel_ip]))
}

/** IPv4 addresses by port, of those that are on other hosts too. */
async function addressesIn(on: On, host: string, networks: string[]): Promise<Map<string, string[]>> {
  if (networks.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_port as p', 'p.id', 'a.port_id')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['a.port_id', 'a.ip'])
    .where('a.network_id', 'in', networks)
    .where('s.ip_version', '=', 4)
    .where('p.host', '<>', '')
    .where((port) => port.or([port('p.host', '<>', host), port('p.open_host', '<>', '')]))
    .orderBy('a.place')
    .execute()
  return new Map([...byKey(rows, (row) => row.port_id)].map(([id, all]) => [id, all.map((row) => row.ip)]))
}
