import { sql } from 'kysely'
import type { SegmentType } from '../../../agents/document.ts'
import { fromJson } from '../../../kit/db/columns.ts'
import type { Target } from '../../../kit/http/endpoint.ts'
import { badInput, noNetwork } from '../domain/faults.ts'
import { createNetwork, deleteNetwork, findNetwork, type NetworkAsk, updateNetwork } from '../domain/networks.ts'
import { segmentTypes } from '../domain/segments.ts'
import type { On } from '../domain/store.ts'
import type { NetworkRow } from '../tables.ts'
import { creator, readers, remover, updater, type Wire } from './endpoints.ts'
import { whole } from './filters.ts'
import { bool, int, listOf, nullable, oneOf, text } from './kinds.ts'
import type { Resource, Values } from './resource.ts'
import { ownTarget } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf } from './standard.ts'

type NetworkItem = NetworkRow & Tagged & { subnets: { id: string; version: number }[]; served: boolean }

const flag = (column: keyof NetworkRow) => ({
  from: (item: NetworkItem) => item[column] === 1,
  take: bool,
  filter: { column, op: 'bit' as const },
  sort: column,
})

export const networkResource: Resource<NetworkRow, NetworkItem> = {
  name: 'network',
  plural: 'networks',
  path: '/networks',
  table: 'network_network',
  attributes: {
    ...identityAttributes,
    admin_state_up: { ...flag('admin_state_up'), usual: true },
    mtu: { from: (item) => item.mtu, take: int(0, 65_535), usual: 0, filter: { column: 'mtu', value: whole }, sort: 'mtu' },
    status: {
      from: (item) => (item.admin_state_up === 1 ? 'ACTIVE' : 'DOWN'),
      filter: {
        where: (values) =>
          sql`admin_state_up in (${sql.join(values.map((value) => (value === 'ACTIVE' ? 1 : value === 'DOWN' ? 0 : -1)))})`,
      },
    },
    subnets: { from: (item) => item.subnets.map((subnet) => subnet.id) },
    shared: { ...flag('shared'), usual: false },
    availability_zone_hints: {
      from: (item) => fromJson(item.zone_hints),
      take: listOf(text()),
      in: 'post',
      usual: [],
    },
    availability_zones: { from: (item) => (item.served ? ['nova'] : []) },
    ipv4_address_scope: { from: () => null },
    ipv6_address_scope: { from: () => null },
    'router:external': { ...flag('external'), usual: false },
    is_default: { ...flag('is_default'), usual: false },
    port_security_enabled: { ...flag('port_security'), usual: true },
    'provider:network_type': {
      from: (item) => item.type,
      take: nullable(oneOf(...segmentTypes)),
      usual: null,
      filter: { column: 'type' },
      sort: 'type',
    },
    'provider:physical_network': {
      from: (item) => (item.physical_network === '' ? null : item.physical_network),
      take: nullable(text()),
      usual: null,
      filter: { column: 'physical_network' },
      sort: 'physical_network',
    },
    'provider:segmentation_id': {
      from: (item) => (item.segmentation_id < 0 ? null : item.segmentation_id),
      take: nullable(int(0)),
      usual: null,
      filter: { column: 'segmentation_id', value: whole },
      sort: 'segmentation_id',
    },
    ...standardAttributes,
  },
  find: findNetwork,
  load: loadNetworks,
  target: networkTarget,
  visible: (projectId) => sql`(project_id = ${projectId} or shared = 1 or external = 1)`,
  missing: noNetwork,
}

export function networkTarget(network: NetworkRow): Target {
  return { ...ownTarget(network), shared: network.shared === 1, 'router:external': network.external === 1 }
}

async function loadNetworks(on: On, rows: NetworkRow[]): Promise<NetworkItem[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const subnets = await on
    .selectFrom('network_subnet')
    .select(['id', 'network_id', 'ip_version'])
    .where('network_id', 'in', ids)
    .orderBy('created_at')
    .execute()
  const served = await on
    .selectFrom('network_dhcp')
    .select('network_id')
    .where('network_id', 'in', ids)
    .where('host', '<>', '')
    .execute()
  const tags = await tagsOf(on, ids)
  const byNetwork = Map.groupBy(subnets, (row) => row.network_id)
  const withServer = new Set(served.map((row) => row.network_id))
  return rows.map((row) => ({
    ...row,
    subnets: (byNetwork.get(row.id) ?? []).map((subnet) => ({ id: subnet.id, version: subnet.ip_version })),
    served: withServer.has(row.id),
    tags: tags.get(row.id) ?? [],
  }))
}

function networkAsk(values: Values): NetworkAsk {
  return {
    name: values['name'] as string | undefined,
    description: values['description'] as string | undefined,
    adminUp: values['admin_state_up'] as boolean | undefined,
    shared: values['shared'] as boolean | undefined,
    external: values['router:external'] as boolean | undefined,
    isDefault: values['is_default'] as boolean | undefined,
    portSecurity: values['port_security_enabled'] as boolean | undefined,
    mtu: values['mtu'] as number | undefined,
    zoneHints: values['availability_zone_hints'] as string[] | undefined,
    segment: segmentAsk(values),
  }
}

function segmentAsk(values: Values): NetworkAsk['segment'] {
  const [type, physical, id] = ['network_type', 'physical_network', 'segmentation_id'].map(
    (name) => values[`provider:${name}`] ?? undefined,
  )
  if (type === undefined && physical === undefined && id === undefined) return undefined
  if (type === undefined) throw badInput('network_type required')
  return {
    type: type as SegmentType,
    physicalNetwork: (physical as string | undefined) ?? '',
    segmentationId: id as number | undefined,
  }
}

export const networkEndpoints = (wire: Wire) => [
  ...readers(wire, networkResource),
  creator(wire, networkResource, { make: (change, projectId, values) => createNetwork(change, projectId, networkAsk(values)) }),
  updater(wire, networkResource, { change: (change, row, values) => updateNetwork(change, row, networkAsk(values)) }),
  remover(wire, networkResource, deleteNetwork),
]
