import { sql } from 'kysely'
import { fromJson } from '../../../kit/db/columns.ts'
import type { Ask, Target } from '../../../kit/http/endpoint.ts'
import type { Pool } from '../domain/allocation.ts'
import { noNetwork, noSubnet } from '../domain/faults.ts'
import { findNetwork } from '../domain/networks.ts'
import type { On } from '../domain/store.ts'
import {
  createSubnet,
  deleteSubnet,
  findSubnet,
  type Route,
  type SubnetAsk,
  type SubnetPatch,
  updateSubnet,
} from '../domain/subnets.ts'
import type { NetworkRow, SubnetRow } from '../tables.ts'
import { creator, readers, remover, updater, type Wire } from './endpoints.ts'
import { whole } from './filters.ts'
import { badBody, bool, cidr, dict, id, ip, listOf, nullable, oneOf, setOf, text } from './kinds.ts'
import { networkTarget } from './networks.ts'
import { ownTarget, type Resource, type Values } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf } from './standard.ts'

type SubnetItem = SubnetRow & Tagged & { network: NetworkRow }

const modes = ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const
const route = dict({ destination: cidr, nexthop: ip }, ['destination', 'nexthop'])
const orNull = (value: string) => (value === '' ? null : value)

export const subnetResource: Resource<SubnetRow, SubnetItem> = {
  name: 'subnet',
  plural: 'subnets',
  path: '/subnets',
  table: 'network_subnet',
  attributes: {
    ...identityAttributes,
    network_id: {
      from: (item) => item.network_id,
      take: id,
      in: 'post',
      required: true,
      filter: { column: 'network_id' },
      sort: 'network_id',
    },
    ip_version: {
      from: (item) => item.ip_version,
      take: (value) => oneOf('4', '6')(String(value)),
      in: 'post',
      filter: { column: 'ip_version', value: whole },
      sort: 'ip_version',
    },
    subnetpool_id: {
      from: () => null,
      take: nullable(id),
      in: 'post',
      usual: null,
      filter: { where: () => sql`1 = 0` },
    },
    enable_dhcp: {
      from: (item) => item.enable_dhcp === 1,
      take: bool,
      usual: true,
      filter: { column: 'enable_dhcp', op: 'bit' },
      sort: 'enable_dhcp',
    },
    ipv6_ra_mode: {
      from: (item) => orNull(item.ra_mode),
      take: nullable(oneOf(...modes)),
      in: 'post',
      usual: null,
      filter: { column: 'ra_mode' },
      sort: 'ra_mode',
    },
    ipv6_address_mode: {
      from: (item) => orNull(item.address_mode),
      take: nullable(oneOf(...modes)),
      in: 'post',
      usual: null,
      filter: { column: 'address_mode' },
      sort: 'address_mode',
    },
    gateway_ip: {
      from: (item) => orNull(item.gateway_ip),
      take: nullable(ip),
      filter: { column: 'gateway_ip' },
      sort: 'gateway_ip',
    },
    cidr: { from: (item) => item.cidr, take: cidr, in: 'post', filter: { column: 'cidr' }, sort: 'cidr' },
    allocation_pools: {
      from: (item) => fromJson(item.pools),
      take: listOf(dict({ start: ip, end: ip }, ['start', 'end'])),
    },
    host_routes: { from: (item) => fromJson(item.routes), take: setOf(route, 'hostroute'), usual: [] },
    dns_nameservers: { from: (item) => fromJson(item.dns), take: setOf(ip, 'nameserver'), usual: [] },
    service_types: { from: (item) => fromJson(item.service_types), take: setOf(text()), usual: [] },
    // Whether the network is: a subnet has no more to share than it.
    shared: { filter: { where: (values) => networkIs('shared', values) } },
    'router:external': { filter: { where: (values) => networkIs('external', values) } },
    ...standardAttributes,
  },
  find: findSubnet,
  load: loadSubnets,
  target: (item) => ({ ...parentTarget(item.network), ...ownTarget(item) }),
  visible: (projectId) =>
    sql`(project_id = ${projectId} or network_id in
      (select id from network_network n where n.project_id = ${projectId} or n.shared = 1 or n.external = 1))`,
  missing: noSubnet,
}

const networkIs = (column: 'shared' | 'external', values: string[]) =>
  sql<boolean>`network_id in (select id from network_network where ${sql.ref(column)} in
    (${sql.join(values.map((value) => (/^(true|1)$/i.test(value) ? 1 : 0)))}))`

/** What rules about a thing on a network compare. */
export const parentTarget = (network: NetworkRow): Target => {
  const { project_id: owner, ...rest } = networkTarget(network)
  return { ...rest, 'network:project_id': owner, 'network:tenant_id': owner, 'ext_parent:project_id': owner }
}

async function loadSubnets(on: On, rows: SubnetRow[]): Promise<SubnetItem[]> {
  if (rows.length === 0) return []
  const networks = await on
    .selectFrom('network_network')
    .selectAll()
    .where('id', 'in', [...new Set(rows.map((row) => row.network_id))])
    .execute()
  const byId = new Map(networks.map((network) => [network.id, network]))
  const tags = await tagsOf(
    on,
    rows.map((row) => row.id),
  )
  return rows.flatMap((row) => {
    const network = byId.get(row.network_id)
    return network ? [{ ...row, network, tags: tags.get(row.id) ?? [] }] : []
  })
}

const noneAs = <Value>(value: Value | null | undefined, none: Value): Value | undefined => (value === null ? none : value)

const patchOf = (values: Values): SubnetPatch => ({
  name: values['name'] as string | undefined,
  description: values['description'] as string | undefined,
  gateway: noneAs(values['gateway_ip'] as string | null | undefined, ''),
  dhcp: values['enable_dhcp'] as boolean | undefined,
  dns: values['dns_nameservers'] as string[] | undefined,
  routes: values['host_routes'] as Route[] | undefined,
  pools: values['allocation_pools'] as Pool[] | undefined,
  serviceTypes: values['service_types'] as string[] | undefined,
})

function subnetAsk(values: Values): SubnetAsk {
  if (typeof values['cidr'] !== 'string') throw badBody('a subnetpool must be specified in the absence of a cidr')
  if (values['ip_version'] === undefined) throw badBody("Failed to parse request. Required attribute 'ip_version' not specified")
  if (values['subnetpool_id']) throw badBody('Subnet pools are not offered here: give a cidr')
  return {
    ...patchOf(values),
    version: Number(values['ip_version']) as 4 | 6,
    cidr: values['cidr'],
    raMode: (values['ipv6_ra_mode'] ?? undefined) as string | undefined,
    addressMode: (values['ipv6_address_mode'] ?? undefined) as string | undefined,
  }
}

/** The network a request speaks of, which must be one the caller may know of. */
export async function networkFor(on: On, { can }: Pick<Ask, 'can'>, value: unknown): Promise<NetworkRow> {
  const network = typeof value === 'string' ? await findNetwork(on, value) : undefined
  if (!network || !can('get_network', networkTarget(network))) throw noNetwork(String(value))
  return network
}

export const subnetEndpoints = (wire: Wire) => [
  ...readers(wire, subnetResource),
  creator(wire, subnetResource, {
    target: async (on, ask, projectId, values) =>
      values['network_id'] === undefined
        ? { 'network:project_id': projectId }
        : parentTarget(await networkFor(on, ask, values['network_id'])),
    async make(change, projectId, values) {
      const network = await findNetwork(change.tx, values['network_id'] as string)
      if (!network) throw noNetwork(values['network_id'] as string)
      return createSubnet(change, projectId, network, subnetAsk(values))
    },
  }),
  updater(wire, subnetResource, {
    change: async (change, row, values) =>
      updateSubnet(change, (await findNetwork(change.tx, row.network_id))!, row, patchOf(values)),
  }),
  remover(wire, subnetResource, async (change, row) =>
    deleteSubnet(change, (await findNetwork(change.tx, row.network_id))!, row),
  ),
]
