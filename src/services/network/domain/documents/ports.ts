import type { Desired, HostPort, SecurityRule, Segment } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { NetworkRow, RuleRow } from '../../tables.ts'
import { deviceOf } from '../devices.ts'
import type { AddressPair } from '../ports.ts'
import { protocolNumber } from '../security-rules.ts'
import type { On } from '../store.ts'
import { byKey, heldBy, networksBy } from './held.ts'

/** What the switch of a host should have. A handful of queries, however many ports. */
export async function desiredPorts(on: On, host: string): Promise<Desired<HostPort>> {
  const ports = await on
    .selectFrom('network_port')
    .selectAll()
    .where((port) => port.or([port('host', '=', host), port('open_host', '=', host)]))
    .orderBy('created_at')
    .execute()
  const ids = ports.map((port) => port.id)
  const networks = await networksBy(
    on,
    ports.map((port) => port.network_id),
  )
  const peers = await peersOf(on, host, [...networks.keys()])
  const held = await heldBy(on, ids)
  const servers = await serversPorts(on, ids)
  const rules = await rulesOf(on, ids)
  const items = ports.map((port): HostPort => {
    const network = networks.get(port.network_id)!
    return {
      id: port.id,
      // A server's port stays one, whatever its user calls it (OSSA-2015-018, CVE-2026-50266).
      kind: port.device_owner.startsWith('network:') && !servers.has(port.id) ? 'internal' : 'vm',
      device: deviceOf(port),
      mac: port.mac,
      addresses: (held.get(port.id) ?? []).map((one) => one.ip),
      allowedPairs: fromJson<AddressPair[]>(port.allowed_pairs).map(({ ip, mac }) => ({ ip, mac: mac ?? port.mac })),
      adminUp: port.admin_state_up === 1 && network.admin_state_up === 1,
      guarded: port.port_security === 1,
      rules: port.port_security === 1 ? (rules.get(port.id) ?? []) : [],
      segment: segmentOf(network, peers.get(network.id) ?? []),
    }
  })
  return { complete: true, items }
}

async function serversPorts(on: On, ports: string[]): Promise<Set<string>> {
  if (ports.length === 0) return new Set()
  const rows = await on.selectFrom('network_nic').select('port_id').where('port_id', 'in', ports).execute()
  return new Set(rows.map((row) => row.port_id))
}

const segmentOf = (network: NetworkRow, peers: string[]): Segment => ({
  networkId: network.id,
  type: network.type as Segment['type'],
  physicalNetwork: network.physical_network === '' ? undefined : network.physical_network,
  segmentationId: network.segmentation_id < 0 ? undefined : network.segmentation_id,
  mtu: network.mtu,
  peers,
})

/** Tunnel addresses of the other hosts on these networks. */
async function peersOf(on: On, host: string, networks: string[]): Promise<Map<string, string[]>> {
  if (networks.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_port as p')
    .innerJoin('network_host as h', (join) =>
      join.on((on) => on.or([on('h.name', '=', on.ref('p.host')), on('h.name', '=', on.ref('p.open_host'))])),
    )
    .select(['p.network_id', 'h.tunnel_ip'])
    .distinct()
    .where('p.network_id', 'in', networks)
    .where('h.name', '<>', host)
    .orderBy('h.tunnel_ip')
    .execute()
  return new Map([...byKey(rows, (row) => row.network_id)].map(([id, all]) => [id, all.map((row) => row.tunnel_ip)]))
}

async function rulesOf(on: On, ports: string[]): Promise<Map<string, SecurityRule[]>> {
  if (ports.length === 0) return new Map()
  const memberships = await on.selectFrom('network_port_group').selectAll().where('port_id', 'in', ports).execute()
  const groups = [...new Set(memberships.map((row) => row.group_id))]
  if (groups.length === 0) return new Map()
  const rules = await on.selectFrom('network_rule').selectAll().where('group_id', 'in', groups).orderBy('created_at').execute()
  const members = await membersOf(on, [...new Set(rules.map((rule) => rule.remote_group_id).filter((id) => id !== ''))])
  const byGroup = byKey(rules, (rule) => rule.group_id)
  const all = [...byKey(memberships, (row) => row.port_id)].map(([port, rows]): [string, SecurityRule[]] => [
    port,
    rows.flatMap((row) => (byGroup.get(row.group_id) ?? []).map((rule) => ruleOf(rule, members))),
  ])
  return new Map(all)
}

/** Addresses of a group's members, and those they are allowed beside their own. */
async function membersOf(on: On, groups: string[]): Promise<Map<string, string[]>> {
  if (groups.length === 0) return new Map()
  const fixed = await on
    .selectFrom('network_port_group as g')
    .innerJoin('network_address as a', 'a.port_id', 'g.port_id')
    .select(['g.group_id', 'a.ip'])
    .where('g.group_id', 'in', groups)
    .orderBy('a.ip')
    .execute()
  const paired = await on
    .selectFrom('network_port_group as g')
    .innerJoin('network_port as p', 'p.id', 'g.port_id')
    .select(['g.group_id', 'p.allowed_pairs'])
    .where('g.group_id', 'in', groups)
    .where('p.allowed_pairs', '<>', '[]')
    .execute()
  const pairs = paired.flatMap((row) =>
    fromJson<AddressPair[]>(row.allowed_pairs).map(({ ip }) => ({ group_id: row.group_id, ip })),
  )
  const whole = [...fixed, ...pairs].map((row) => ({ group: memberKey(row.group_id, row.ip.includes(':')), ip: wholeOf(row.ip) }))
  return new Map([...byKey(whole, (row) => row.group)].map(([key, rows]) => [key, [...new Set(rows.map((row) => row.ip))]]))
}

/** Rules speak of one version: members are kept by group and version. */
const memberKey = (group: string, v6: boolean) => `${group} ${v6 ? 6 : 4}`

const wholeOf = (ip: string) => (ip.includes('/') ? ip : `${ip}/${ip.includes(':') ? 128 : 32}`)

/** Hosts know the common names; all others are told as numbers. */
const protocolOf = (name: string): string | undefined => {
  if (name === '') return undefined
  return ['tcp', 'udp', 'icmp'].includes(name) ? name : String(protocolNumber(name) ?? name)
}

function ruleOf(rule: RuleRow, members: Map<string, string[]>): SecurityRule {
  const v6 = rule.ethertype === 'IPv6'
  const remotes =
    rule.remote_group_id !== ''
      ? (members.get(memberKey(rule.remote_group_id, v6)) ?? [])
      : rule.remote_prefix === ''
        ? undefined
        : [rule.remote_prefix]
  return {
    direction: rule.direction as SecurityRule['direction'],
    ethertype: rule.ethertype as SecurityRule['ethertype'],
    protocol: protocolOf(rule.protocol),
    portMin: rule.port_min < 0 ? undefined : rule.port_min,
    portMax: rule.port_max < 0 ? undefined : rule.port_max,
    remotes,
  }
}
