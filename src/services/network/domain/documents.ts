import type { Desired, HostDhcp, HostPort, HostRouter, RouterInterface, SecurityRule, Segment } from '../../../agents/document.ts'
import { fromJson } from '../../../kit/db/columns.ts'
import type { NetworkRow, PortRow, RouterRow, RuleRow } from '../tables.ts'
import { parseCidr } from './ip.ts'
import { deviceOf } from './nics.ts'
import type { AddressPair } from './ports.ts'
import type { On } from './store.ts'

type Held = { portId: string; ip: string; prefix: number; subnetId: string; version: number }

const byKey = <Row>(rows: Row[], key: (row: Row) => string): Map<string, Row[]> => Map.groupBy(rows, key)

async function heldBy(on: On, ports: string[]): Promise<Map<string, Held[]>> {
  if (ports.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['a.port_id', 'a.ip', 'a.subnet_id', 's.cidr', 's.ip_version'])
    .where('a.port_id', 'in', ports)
    .orderBy('a.place')
    .execute()
  const held = rows.map((row) => ({
    portId: row.port_id,
    ip: row.ip,
    prefix: parseCidr(row.cidr)!.prefix,
    subnetId: row.subnet_id,
    version: row.ip_version,
  }))
  return byKey(held, (one) => one.portId)
}

async function networksBy(on: On, ids: string[]): Promise<Map<string, NetworkRow>> {
  if (ids.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_network')
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

// ---- ports -------------------------------------------------------------------------------------

/** What the switch of a host should have. A handful of queries, however many ports. */
export async function desiredPorts(on: On, host: string): Promise<Desired<HostPort>> {
  const ports = await on.selectFrom('network_port').selectAll().where('host', '=', host).orderBy('created_at').execute()
  const ids = ports.map((port) => port.id)
  const networks = await networksBy(
    on,
    ports.map((port) => port.network_id),
  )
  const peers = await peersOf(on, host, [...networks.keys()])
  const held = await heldBy(on, ids)
  const rules = await rulesOf(on, ids)
  const items = ports.map((port): HostPort => {
    const network = networks.get(port.network_id)!
    return {
      id: port.id,
      kind: port.device_owner.startsWith('network:') ? 'internal' : 'vm',
      device: deviceOf(port),
      mac: port.mac,
      addresses: (held.get(port.id) ?? []).map((one) => one.ip),
      allowedPairs: fromJson<AddressPair[]>(port.allowed_pairs).map(({ ip, mac }) => ({ ip, mac: mac ?? port.mac })),
      adminUp: port.admin_state_up === 1 && network.admin_state_up === 1,
      guarded: isGuarded(port),
      rules: isGuarded(port) ? (rules.get(port.id) ?? []) : [],
      segment: segmentOf(network, peers.get(network.id) ?? []),
    }
  })
  return { complete: true, items }
}

/** What a tenant says of a guest's port never makes it one of ours (OSSA-2015-018, CVE-2026-50266): the API refuses such owners. */
const isGuarded = (port: PortRow): boolean => port.port_security === 1 && !port.device_owner.startsWith('network:')

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
    .innerJoin('network_host as h', 'h.name', 'p.host')
    .select(['p.network_id', 'h.tunnel_ip'])
    .distinct()
    .where('p.network_id', 'in', networks)
    .where('p.host', '<>', host)
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
  return new Map(
    [...byKey([...fixed, ...pairs], (row) => row.group_id)].map(([id, rows]) => [id, [...new Set(rows.map((row) => row.ip))]]),
  )
}

const wholeOf = (ip: string) => (ip.includes('/') ? ip : `${ip}/${ip.includes(':') ? 128 : 32}`)

function ruleOf(rule: RuleRow, members: Map<string, string[]>): SecurityRule {
  const v6 = rule.ethertype === 'IPv6'
  const remotes =
    rule.remote_group_id !== ''
      ? (members.get(rule.remote_group_id) ?? []).filter((ip) => ip.includes(':') === v6).map(wholeOf)
      : rule.remote_prefix === ''
        ? undefined
        : [rule.remote_prefix]
  return {
    direction: rule.direction as SecurityRule['direction'],
    ethertype: rule.ethertype as SecurityRule['ethertype'],
    protocol: rule.protocol === '' ? undefined : rule.protocol,
    portMin: rule.port_min < 0 ? undefined : rule.port_min,
    portMax: rule.port_max < 0 ? undefined : rule.port_max,
    remotes,
  }
}

// ---- routers -----------------------------------------------------------------------------------

export async function desiredRouters(on: On, host: string): Promise<Desired<HostRouter>> {
  const routers = await on
    .selectFrom('network_router')
    .selectAll()
    .where('host', '=', host)
    .where('admin_state_up', '=', 1)
    .orderBy('created_at')
    .execute()
  const ids = routers.map((router) => router.id)
  if (ids.length === 0) return { complete: true, items: [] }
  const ports = await on
    .selectFrom('network_port')
    .selectAll()
    .where('device_id', 'in', ids)
    .where('device_owner', 'like', 'network:router%')
    .orderBy('created_at')
    .execute()
  const held = await heldBy(
    on,
    ports.map((port) => port.id),
  )
  const networks = await networksBy(
    on,
    ports.map((port) => port.network_id),
  )
  const gateways = await gatewaysOf(on, [...held.values()].flat())
  const floating = await on
    .selectFrom('network_floating_ip')
    .select(['id', 'ip', 'fixed_ip', 'router_id'])
    .where('router_id', 'in', ids)
    .orderBy('created_at')
    .execute()
  const byRouter = byKey(ports, (port) => port.device_id)
  const floatingBy = byKey(floating, (one) => one.router_id)
  const face = (port: PortRow): RouterInterface => ({
    portId: port.id,
    device: deviceOf(port),
    mac: port.mac,
    mtu: networks.get(port.network_id)!.mtu,
    addresses: (held.get(port.id) ?? []).map(({ ip, prefix }) => ({ ip, prefix })),
  })
  return { complete: true, items: routers.map((router) => routerOf(router, byRouter.get(router.id) ?? [])) }

  function routerOf(router: RouterRow, own: PortRow[]): HostRouter {
    const outer = own.find((port) => port.id === router.gateway_port_id)
    const subnets = [...new Set((held.get(outer?.id ?? '') ?? []).map((one) => one.subnetId))]
    return {
      id: router.id,
      external: outer && {
        ...face(outer),
        gatewayIps: subnets.map((id) => gateways.get(id) ?? '').filter((ip) => ip !== ''),
        snat: router.snat === 1,
      },
      internal: own.filter((port) => port !== outer).map(face),
      floatingIps: (floatingBy.get(router.id) ?? []).map((one) => ({ id: one.id, floatingIp: one.ip, fixedIp: one.fixed_ip })),
      routes: fromJson(router.routes),
    }
  }
}

async function gatewaysOf(on: On, held: Held[]): Promise<Map<string, string>> {
  if (held.length === 0) return new Map()
  const ids = [...new Set(held.map((one) => one.subnetId))]
  const rows = await on.selectFrom('network_subnet').select(['id', 'gateway_ip']).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, row.gateway_ip]))
}

// ---- dhcp --------------------------------------------------------------------------------------

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
