import { sql } from 'kysely'
import { fromJson } from '../../../kit/db/columns.ts'
import type { Ask, Target } from '../../../kit/http/endpoint.ts'
import type { FixedAsk } from '../domain/addresses.ts'
import { keepDhcp } from '../domain/dhcp.ts'
import { badInput, fault, noGroup, noNetwork, noPort } from '../domain/faults.ts'
import { findNetwork } from '../domain/networks.ts'
import { type AddressPair, createPort, type PortPatch, removePort, updatePort } from '../domain/ports.ts'
import { portStatus } from '../domain/status.ts'
import type { On, Store } from '../domain/store.ts'
import type { NetworkRow, PortRow } from '../tables.ts'
import { creator, readers, remover, updater, type Wire } from './endpoints.ts'
import { badBody, bool, dict, filled, id, ip, ipOrCidr, listOf, mac, nullable, object, oneOf, setOf, text } from './kinds.ts'
import { forbidden, ownTarget, type Resource, type Values } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf } from './standard.ts'
import { networkFor, parentTarget } from './subnets.ts'

type PortItem = PortRow &
  Tagged & { network: NetworkRow; addresses: { subnet_id: string; ip_address: string }[]; groups: string[] }

const vnicTypes = [
  'normal',
  'direct',
  'direct-physical',
  'macvtap',
  'baremetal',
  'virtio-forwarder',
  'smart-nic',
  'vdpa',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
] as const
const column = (name: keyof PortRow & string) => ({ filter: { column: name }, sort: name })

/** Neutron's own default (max_allowed_address_pair): no list may grow without end (OSSA-2014-025). */
const mostPairs = 10

const inAddresses = (name: 'ip' | 'subnet_id', values: string[]) =>
  sql<boolean>`id in (select port_id from network_address where ${sql.ref(name)} in (${sql.join(values)}))`

/** `ip_address=10.0.0.5`, `subnet_id=…`, `ip_address_substr=10.0`. */
function fixedIpsFilter(values: string[]) {
  const pairs = values.map((value) => value.split('='))
  const of = (name: string) => pairs.filter(([key]) => key === name).map(([, value = '']) => value)
  const unknown = pairs.find(([key]) => key !== 'ip_address' && key !== 'subnet_id' && key !== 'ip_address_substr')
  if (unknown) throw badBody(`Invalid value for fixed_ips filter: ${unknown.join('=')}`)
  const parts = of('ip_address_substr').map((part) => sql`ip like ${`%${part.replace(/[%_]/g, '')}%`}`)
  const conditions = [
    ...(of('ip_address').length > 0 ? [inAddresses('ip', of('ip_address'))] : []),
    ...(of('subnet_id').length > 0 ? [inAddresses('subnet_id', of('subnet_id'))] : []),
    ...(parts.length > 0 ? [sql<boolean>`id in (select port_id from network_address where ${sql.join(parts, sql` or `)})`] : []),
  ]
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`
}

export const portResource: Resource<PortRow, PortItem> = {
  name: 'port',
  plural: 'ports',
  path: '/ports',
  table: 'network_port',
  attributes: {
    ...identityAttributes,
    network_id: { from: (item) => item.network_id, take: id, in: 'post', required: true, ...column('network_id') },
    admin_state_up: {
      from: (item) => item.admin_state_up === 1,
      take: bool,
      usual: true,
      filter: { column: 'admin_state_up', op: 'bit' },
      sort: 'admin_state_up',
    },
    mac_address: {
      from: (item) => item.mac,
      take: mac,
      filter: { column: 'mac', value: (value) => value.toLowerCase() },
      sort: 'mac',
    },
    status: { from: portStatus, filter: { where: statusIs } },
    device_id: { from: (item) => item.device_id, take: text(), usual: '', ...column('device_id') },
    device_owner: { from: (item) => item.device_owner, take: text(), usual: '', ...column('device_owner') },
    fixed_ips: {
      from: (item) => item.addresses,
      take: listOf(dict({ subnet_id: id, ip_address: ip }), 50),
      filter: { where: fixedIpsFilter },
    },
    allowed_address_pairs: {
      from: (item) =>
        fromJson<AddressPair[]>(item.allowed_pairs).map((pair) => ({ mac_address: pair.mac ?? item.mac, ip_address: pair.ip })),
      take: setOf(dict({ ip_address: ipOrCidr, mac_address: mac }, ['ip_address']), 'address pair'),
      usual: [],
    },
    security_groups: {
      from: (item) => item.groups,
      take: setOf(id, 'security group', 50),
      filter: { where: (values) => sql`id in (select port_id from network_port_group where group_id in (${sql.join(values)}))` },
    },
    'binding:vnic_type': { from: (item) => item.vnic_type, take: oneOf(...vnicTypes), usual: 'normal', ...column('vnic_type') },
    'binding:profile': { from: (item) => fromJson(item.profile), take: nullable(object), usual: {} },
    'binding:host_id': { from: (item) => item.host, take: nullable(text()), usual: '', ...column('host') },
    'binding:vif_type': { from: (item) => (item.host === '' ? 'unbound' : 'ovs') },
    'binding:vif_details': { from: vifDetails },
    port_security_enabled: {
      from: (item) => item.port_security === 1,
      take: bool,
      filter: { column: 'port_security', op: 'bit' },
      sort: 'port_security',
    },
    ...standardAttributes,
    tags: { from: (item) => item.tags, take: setOf(filled(255), 'tag', 50), in: 'post', usual: [] },
  },
  find: (on, portId) => on.selectFrom('network_port').selectAll().where('id', '=', portId).executeTakeFirst(),
  load: loadPorts,
  target: (item) => ({ ...parentTarget(item.network), ...ownTarget(item), device_owner: item.device_owner }),
  visible: (projectId) =>
    sql`(project_id = ${projectId} or network_id in (select id from network_network n where n.project_id = ${projectId}))`,
  missing: noPort,
}

function statusIs(values: string[]) {
  const active = sql`(wired = 1 and admin_state_up = 1)`
  const floating = sql`device_owner = 'network:floatingip'`
  const conditions = values.map((value) => {
    if (value === 'ACTIVE') return sql`(${active} and not ${floating})`
    if (value === 'DOWN') return sql`(not ${active} and not ${floating})`
    return value === 'N/A' ? floating : sql`1 = 0`
  })
  return sql<boolean>`(${sql.join(conditions, sql` or `)})`
}

function vifDetails(item: PortItem): Record<string, unknown> {
  if (item.host === '') return {}
  return { port_filter: true, connectivity: 'l2', bridge_name: 'br-int', datapath_type: 'system', ovs_hybrid_plug: false }
}

async function loadPorts(on: On, rows: PortRow[]): Promise<PortItem[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const networks = await on
    .selectFrom('network_network')
    .selectAll()
    .where('id', 'in', [...new Set(rows.map((row) => row.network_id))])
    .execute()
  const addresses = await on.selectFrom('network_address').selectAll().where('port_id', 'in', ids).orderBy('place').execute()
  const groups = await on.selectFrom('network_port_group').selectAll().where('port_id', 'in', ids).orderBy('group_id').execute()
  const tags = await tagsOf(on, ids)
  const byId = new Map(networks.map((network) => [network.id, network]))
  const addressesBy = Map.groupBy(addresses, (row) => row.port_id)
  const groupsBy = Map.groupBy(groups, (row) => row.port_id)
  return rows.flatMap((row) => {
    const network = byId.get(row.network_id)
    if (!network) return []
    return [
      {
        ...row,
        network,
        addresses: (addressesBy.get(row.id) ?? []).map((one) => ({ subnet_id: one.subnet_id, ip_address: one.ip })),
        groups: (groupsBy.get(row.id) ?? []).map((one) => one.group_id),
        tags: tags.get(row.id) ?? [],
      },
    ]
  })
}

function portPatch(values: Values): PortPatch {
  const fixed = values['fixed_ips'] as { subnet_id?: string; ip_address?: string }[] | undefined
  const pairs = values['allowed_address_pairs'] as { ip_address: string; mac_address?: string }[] | undefined
  return {
    name: values['name'] as string | undefined,
    description: values['description'] as string | undefined,
    adminUp: values['admin_state_up'] as boolean | undefined,
    mac: values['mac_address'] as string | undefined,
    fixedIps: fixed?.map((one): FixedAsk => ({ subnetId: one.subnet_id, ip: one.ip_address })),
    deviceId: values['device_id'] as string | undefined,
    deviceOwner: values['device_owner'] as string | undefined,
    host: values['binding:host_id'] === null ? '' : (values['binding:host_id'] as string | undefined),
    vnicType: values['binding:vnic_type'] as string | undefined,
    profile: values['binding:profile'] === null ? {} : (values['binding:profile'] as Record<string, unknown> | undefined),
    portSecurity: values['port_security_enabled'] as boolean | undefined,
    pairs: pairs?.map((pair): AddressPair => ({ ip: pair.ip_address, mac: pair.mac_address })),
    groups: values['security_groups'] as string[] | undefined,
  }
}

/** Owners by which our routers, DHCP servers and floating addresses know their ports: only administrators may pose as those. */
const reserved = /^network:(router|dhcp|floatingip)/

async function checkPort(
  store: Store,
  ask: Pick<Ask, 'can' | 'caller'>,
  values: Values,
  rule: string,
  projectId: string,
): Promise<void> {
  const owner = values['device_owner'] as string | undefined
  const isAdmin = ask.can('context_is_admin')
  if (owner !== undefined && reserved.test(owner) && !isAdmin) throw forbidden(`${rule}:device_owner`)
  const pairs = (values['allowed_address_pairs'] as unknown[] | undefined) ?? []
  if (pairs.length > mostPairs)
    throw fault('invalid', 'AllowedAddressPairExhausted', `The number of allowed address pair exceeds the maximum ${mostPairs}.`)
  if (!isAdmin) await checkDevice(store.read, values['device_id'] as string | undefined, projectId)
  await checkGroups(store.read, values['security_groups'] as string[] | undefined, isAdmin ? undefined : projectId)
}

/** Another tenant's router must not be joined by naming it as one's device (OSSA-2014-008). */
async function checkDevice(on: On, device: string | undefined, projectId: string): Promise<void> {
  if (device === undefined || device === '') return
  const router = await on.selectFrom('network_router').select('project_id').where('id', '=', device).executeTakeFirst()
  if (router && router.project_id !== projectId)
    throw fault(
      'conflict',
      'DeviceIDNotOwnedByTenant',
      `The following device_id ${device} is not owned by your tenant or matches another tenants router.`,
    )
}

async function checkGroups(on: On, groups: string[] | undefined, projectId: string | undefined): Promise<void> {
  if (groups === undefined || groups.length === 0) return
  const rows = await on.selectFrom('network_group').select(['id', 'project_id']).where('id', 'in', groups).execute()
  const known = new Set(rows.filter((row) => projectId === undefined || row.project_id === projectId).map((row) => row.id))
  const missing = groups.find((group) => !known.has(group))
  if (missing !== undefined) throw noGroup(missing)
}

export const portEndpoints = (wire: Wire) => [
  ...readers(wire, portResource),
  creator(wire, portResource, {
    target: async (on, ask, projectId, values): Promise<Target> =>
      values['network_id'] === undefined
        ? { 'network:project_id': projectId }
        : {
            ...parentTarget(await networkFor(on, ask, values['network_id'])),
            device_owner: values['device_owner'] ?? '',
          },
    check: (ask, values, target) => checkPort(wire.store, ask, values, 'create_port', String(target['project_id'])),
    async make(change, projectId, values) {
      const network = await findNetwork(change.tx, values['network_id'] as string)
      if (!network) throw noNetwork(values['network_id'] as string)
      const patch = portPatch(values)
      // Whatever owner a user names, only our own ports go unguarded by themselves (OSSA-2015-018, CVE-2026-50266).
      const port = await createPort(change, {
        ...patch,
        projectId,
        network,
        portSecurity: patch.portSecurity ?? network.port_security === 1,
      })
      const tags = (values['tags'] as string[] | undefined) ?? []
      if (tags.length > 0)
        await change.tx
          .insertInto('network_tag')
          .values(tags.map((tag) => ({ resource_id: port.id, tag })))
          .execute()
      return port
    },
  }),
  updater(wire, portResource, {
    check: (ask, values, item) => checkPort(wire.store, ask, values, 'update_port', item.project_id),
    async change(change, row, values) {
      const network = (await findNetwork(change.tx, row.network_id))!
      const nic = await change.tx.selectFrom('network_nic').select('owner').where('port_id', '=', row.id).executeTakeFirst()
      const owner = values['device_owner'] as string | undefined
      if (nic && owner?.startsWith('network:'))
        throw fault('conflict', 'PortInUse', `Port ${row.id} is a server's and cannot become a network device.`)
      if (values['mac_address'] !== undefined && values['mac_address'] !== row.mac && row.host !== '')
        throw fault(
          'conflict',
          'PortBound',
          `Unable to complete operation on port ${row.id}, port is already bound, port type: ovs, old_mac ${row.mac}, new_mac ${String(values['mac_address'])}.`,
        )
      if (values['fixed_ips'] !== undefined && row.device_owner === 'network:router_interface')
        await checkRouterPort(row, change.tx, values)
      return updatePort(change, network, row, portPatch(values))
    },
  }),
  remover(wire, portResource, async (change, row) => {
    if (/^network:(router|floatingip)/.test(row.device_owner) && row.device_id !== '')
      throw fault(
        'conflict',
        'ServicePortInUse',
        `Port ${row.id} cannot be deleted directly via the port API: has device owner ${row.device_owner}.`,
      )
    await removePort(change, row)
    if (row.device_owner === 'network:dhcp') await keepDhcp(change, (await findNetwork(change.tx, row.network_id))!)
  }),
]

/** Extension l3-port-ip-change-not-allowed: a router's interface keeps the addresses it has. */
async function checkRouterPort(row: PortRow, on: On, values: Values): Promise<void> {
  const held = await on.selectFrom('network_address').select('ip').where('port_id', '=', row.id).execute()
  const asked = (values['fixed_ips'] as { ip_address?: string }[]).map((one) => one.ip_address)
  if (held.some(({ ip: address }) => !asked.includes(address)))
    throw badInput(`Cannot change the addresses of router interface ${row.id}`)
}
