import { fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { uuid } from '../../../kit/ids.ts'
import type { NetworkRow, SubnetRow } from '../tables.ts'
import { cidrOf, isAuto, subnetsOf, takeAuto } from './addresses.ts'
import { defaultGateway, defaultPools, inPool, type Pool, poolFault } from './allocation.ts'
import { keepDhcp } from './dhcp.ts'
import { badInput, fault, noSubnet } from './faults.ts'
import { type Cidr, holds, overlap, parseCidr, parseIp } from './ip.ts'
import { touched } from './networks.ts'
import { addressesOf } from './ports.ts'
import { networkRipple } from './ripples.ts'
import { given, newborn } from './standard.ts'
import type { Change, On } from './store.ts'

export type Route = { destination: string; nexthop: string }

export type SubnetAsk = {
  name?: string | undefined
  description?: string | undefined
  version: 4 | 6
  cidr: string
  /** Empty: none. Undefined: the subnet's first address. */
  gateway?: string | undefined
  dhcp?: boolean | undefined
  raMode?: string | undefined
  addressMode?: string | undefined
  dns?: string[] | undefined
  routes?: Route[] | undefined
  pools?: Pool[] | undefined
  serviceTypes?: string[] | undefined
}

export const findSubnet = (on: On, id: string): Promise<SubnetRow | undefined> =>
  on.selectFrom('network_subnet').selectAll().where('id', '=', id).executeTakeFirst()

/** Makes writers of one network's subnets queue up, and counts as a change of it. */
const turnOf = (change: Change, networkId: string) =>
  change.tx.updateTable('network_network').set(touched(change)).where('id', '=', networkId).execute()

export async function createSubnet(change: Change, projectId: string, network: NetworkRow, ask: SubnetAsk): Promise<SubnetRow> {
  await change.quota.allow(change.tx, projectId, { subnet: 1 })
  await turnOf(change, network.id)
  const cidr = checkedCidr(ask)
  await checkOverlap(change, network.id, cidr)
  checkModes(ask, cidr)
  const gateway = ask.gateway ?? defaultGateway(cidr)
  checkGateway(cidr, gateway)
  const pools = ask.pools ?? defaultPools(cidr, gateway)
  checkPools(cidr, pools, gateway)
  const { name = '', description = '', dns = [], routes = [] } = ask
  checkLists('new subnet', cidr, dns, routes)
  const row: SubnetRow = {
    ...newborn(change.now(), projectId, { name, description }, uuid()),
    network_id: network.id,
    ip_version: cidr.version,
    cidr: cidr.text,
    gateway_ip: gateway,
    enable_dhcp: toBit(ask.dhcp ?? true),
    ra_mode: ask.raMode ?? '',
    address_mode: ask.addressMode ?? '',
    dns: toJson(dns),
    routes: toJson(routes),
    pools: toJson(pools),
    service_types: toJson(ask.serviceTypes ?? []),
  }
  await change.tx.insertInto('network_subnet').values(row).execute()
  if (isAuto(row)) await addressOldPorts(change, row)
  await keepDhcp(change, network)
  await networkRipple(change, network.id)
  return row
}

function checkedCidr(ask: SubnetAsk): Cidr {
  const cidr = parseCidr(ask.cidr)
  if (!cidr) throw fault('invalid', 'InvalidCIDR', `Invalid CIDR ${ask.cidr} given as IP prefix.`)
  if (cidr.version !== ask.version) throw badInput(`IP version ${ask.version} does not match cidr '${ask.cidr}'`)
  if (cidr.prefix === 0) throw badInput('0 is not allowed as CIDR prefix length')
  if ((ask.dhcp ?? true) && (cidr.version === 4 ? cidr.prefix > 30 : cidr.prefix > 126))
    throw badInput('Subnet has a prefix length that is incompatible with DHCP service enabled')
  if ((ask.dhcp ?? true) && cidr.version === 4 && cidr.first >= 0xe0000000n && cidr.first <= 0xefffffffn)
    throw badInput('Multicast IP subnet is not supported if enable_dhcp is True')
  return cidr
}

async function checkOverlap({ tx }: Change, networkId: string, cidr: Cidr): Promise<void> {
  const other = (await subnetsOf(tx, networkId)).find((subnet) => overlap(cidrOf(subnet), cidr))
  if (other) throw badInput(`Requested subnet with cidr: ${cidr.text} for network: ${networkId} overlaps with another subnet`)
}

function checkModes({ version, dhcp = true, raMode, addressMode }: SubnetAsk, cidr: Cidr): void {
  if (raMode === undefined && addressMode === undefined) return
  if (version === 4) throw badInput('ipv6_ra_mode and ipv6_address_mode are for IPv6 subnets only')
  if (!dhcp) throw badInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (raMode !== undefined && addressMode !== undefined && raMode !== addressMode)
    throw badInput(
      `ipv6_ra_mode set to '${raMode}' with ipv6_address_mode set to '${addressMode}' is not valid. If both attributes are set, they must be the same value`,
    )
  if (
    (addressMode === 'slaac' || addressMode === 'dhcpv6-stateless' || raMode === 'slaac' || raMode === 'dhcpv6-stateless') &&
    cidr.prefix !== 64
  )
    throw badInput(
      `Invalid CIDR ${cidr.text} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    )
}

function checkGateway(cidr: Cidr, gateway: string): void {
  if (gateway === '') return
  const ip = parseIp(gateway)
  const linkLocal = ip?.version === 6 && ip.value >> 118n === 0x3fan
  if (!ip || ip.version !== cidr.version || (!holds(cidr, ip) && !linkLocal)) throw badInput('Gateway is not valid on subnet')
  if (cidr.version === 4 && cidr.prefix < 31 && (ip.value === cidr.first || ip.value === cidr.last))
    throw badInput('Gateway is not valid on subnet')
}

function checkPools(cidr: Cidr, pools: Pool[], gateway: string): void {
  const wrong = poolFault(cidr, pools)
  const shown = (pool: Pool) => `${pool.start}-${pool.end}`
  if (wrong?.fault === 'invalid')
    throw fault('invalid', 'InvalidAllocationPool', `The allocation pool ${shown(wrong.pool)} is not valid.`)
  if (wrong?.fault === 'out-of-bounds')
    throw fault(
      'invalid',
      'OutOfBoundsAllocationPool',
      `The allocation pool ${shown(wrong.pool)} spans beyond the subnet cidr ${cidr.text}.`,
    )
  if (wrong)
    throw fault(
      'conflict',
      'OverlappingAllocationPools',
      `Found overlapping allocation pools: ${shown(wrong.other)} ${shown(wrong.pool)} for subnet ${cidr.text}.`,
    )
  const holding = gateway === '' ? undefined : inPool(pools, parseIp(gateway)!)
  if (holding)
    throw fault(
      'conflict',
      'GatewayConflictWithAllocationPools',
      `Gateway ip ${gateway} conflicts with allocation pool ${shown(holding)}.`,
    )
}

const mostDns = 5
const mostRoutes = 20

function checkLists(id: string, cidr: Cidr, dns: string[], routes: Route[]): void {
  if (dns.length > mostDns)
    throw fault(
      'invalid',
      'DNSNameServersExhausted',
      `Unable to complete operation for ${id}. The number of DNS nameservers exceeds the limit ${mostDns}.`,
    )
  if (routes.length > mostRoutes)
    throw fault(
      'invalid',
      'HostRoutesExhausted',
      `Unable to complete operation for ${id}. The number of host routes exceeds the limit ${mostRoutes}.`,
    )
  if (dns.some((server) => parseIp(server)?.version !== cidr.version))
    throw badInput(`Error parsing dns address: all must be of version ${cidr.version}`)
  if (
    routes.some(
      ({ destination, nexthop }) =>
        parseCidr(destination)?.version !== cidr.version || parseIp(nexthop)?.version !== cidr.version,
    )
  )
    throw badInput('Invalid route: destination and nexthop must be of the version of the subnet')
}

/** Cards on the network make themselves an address as soon as they hear of the prefix. */
async function addressOldPorts(change: Change, subnet: SubnetRow): Promise<void> {
  const ports = await change.tx
    .selectFrom('network_port')
    .select(['id', 'mac', 'device_owner'])
    .where('network_id', '=', subnet.network_id)
    .where('device_owner', 'not like', 'network:%')
    .execute()
  for (const { id, mac, device_owner: deviceOwner } of ports) {
    const place = (await addressesOf(change.tx, id)).length
    await takeAuto(change, subnet, { id, mac, deviceOwner }, place)
  }
}

export type SubnetPatch = Omit<Partial<SubnetAsk>, 'version' | 'cidr' | 'raMode' | 'addressMode'>

export async function updateSubnet(
  change: Change,
  network: NetworkRow,
  subnet: SubnetRow,
  patch: SubnetPatch,
): Promise<SubnetRow> {
  await turnOf(change, network.id)
  const cidr = cidrOf(subnet)
  if (patch.dhcp === false && (subnet.ra_mode !== '' || subnet.address_mode !== ''))
    throw badInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (patch.gateway !== undefined && patch.gateway !== subnet.gateway_ip) {
    await checkGatewayFree(change, subnet)
    checkGateway(cidr, patch.gateway)
  }
  const pools = patch.pools ?? fromJson<Pool[]>(subnet.pools)
  if (patch.pools || patch.gateway) checkPools(cidr, pools, patch.gateway ?? subnet.gateway_ip)
  checkLists(subnet.id, cidr, patch.dns ?? [], patch.routes ?? [])
  const row = await change.tx
    .updateTable('network_subnet')
    .set({
      ...given<SubnetRow>({
        name: patch.name,
        description: patch.description,
        gateway_ip: patch.gateway,
        enable_dhcp: patch.dhcp === undefined ? undefined : toBit(patch.dhcp),
        dns: patch.dns && toJson(patch.dns),
        routes: patch.routes && toJson(patch.routes),
        pools: patch.pools && toJson(patch.pools),
        service_types: patch.serviceTypes && toJson(patch.serviceTypes),
      }),
      ...touched(change),
    })
    .where('id', '=', subnet.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noSubnet(subnet.id)
  await keepDhcp(change, network)
  await networkRipple(change, network.id)
  return row
}

/** A router that answers at the gateway's address keeps it. */
async function checkGatewayFree({ tx }: Change, subnet: SubnetRow): Promise<void> {
  if (subnet.gateway_ip === '') return
  const port = await tx
    .selectFrom('network_address as a')
    .innerJoin('network_port as p', 'p.id', 'a.port_id')
    .select('p.id')
    .where('a.subnet_id', '=', subnet.id)
    .where('a.ip', '=', subnet.gateway_ip)
    .where('p.device_owner', '=', 'network:router_interface')
    .executeTakeFirst()
  if (port)
    throw fault(
      'conflict',
      'GatewayIpInUse',
      `Current gateway ip ${subnet.gateway_ip} already in use by port ${port.id}. Unable to update.`,
    )
}

export async function deleteSubnet(change: Change, network: NetworkRow, subnet: SubnetRow): Promise<void> {
  const { tx } = change
  await turnOf(change, network.id)
  const holders = await tx
    .selectFrom('network_address as a')
    .innerJoin('network_port as p', 'p.id', 'a.port_id')
    .select(['p.id', 'p.device_owner'])
    .where('a.subnet_id', '=', subnet.id)
    .where('p.device_owner', '<>', 'network:dhcp')
    .execute()
  const using = isAuto(subnet) ? holders.filter((port) => port.device_owner.startsWith('network:')) : holders
  if (using.length > 0)
    throw fault(
      'conflict',
      'SubnetInUse',
      `Unable to complete operation on subnet ${subnet.id}: One or more ports have an IP allocation from this subnet.`,
    )
  await tx.deleteFrom('network_address').where('subnet_id', '=', subnet.id).execute()
  await tx.deleteFrom('network_tag').where('resource_id', '=', subnet.id).execute()
  await tx.deleteFrom('network_subnet').where('id', '=', subnet.id).execute()
  await keepDhcp(change, network)
  await networkRipple(change, network.id)
}
