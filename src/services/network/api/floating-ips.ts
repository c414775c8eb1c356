import { sql } from 'kysely'
import type { Ask } from '../../../kit/http/endpoint.ts'
import { noFloatingIp } from '../domain/faults.ts'
import { createFloatingIp, deleteFloatingIp, type FloatingIpPatch, updateFloatingIp } from '../domain/floating-ips.ts'
import { portStatus } from '../domain/status.ts'
import type { On } from '../domain/store.ts'
import type { FloatingIpRow, PortRow } from '../tables.ts'
import { creator, lookup, readers, remover, updater, type Wire } from './endpoints.ts'
import { id, ip, nullable } from './kinds.ts'
import { portResource } from './ports.ts'
import { forbidden, ownTarget, type Resource, type Values } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf } from './standard.ts'
import { networkFor } from './subnets.ts'

type FloatingIpItem = FloatingIpRow & Tagged & { port: PortRow | undefined }

const orNull = (value: string) => (value === '' ? null : value)
const column = (name: keyof FloatingIpRow & string) => ({ filter: { column: name }, sort: name })
const { name: _, ...unnamed } = identityAttributes

export const floatingIpResource: Resource<FloatingIpRow, FloatingIpItem> = {
  name: 'floatingip',
  plural: 'floatingips',
  path: '/floatingips',
  table: 'network_floating_ip',
  attributes: {
    ...unnamed,
    floating_ip_address: { from: (item) => item.ip, take: nullable(ip), in: 'post', usual: null, ...column('ip') },
    floating_network_id: { from: (item) => item.network_id, take: id, in: 'post', required: true, ...column('network_id') },
    subnet_id: { take: nullable(id), in: 'post', usual: null },
    router_id: { from: (item) => orNull(item.router_id), ...column('router_id') },
    port_id: { from: (item) => orNull(item.port_id), take: nullable(id), usual: null, ...column('port_id') },
    fixed_ip_address: { from: (item) => orNull(item.fixed_ip), take: nullable(ip), usual: null, ...column('fixed_ip') },
    status: {
      from: (item) => (item.active === 1 ? 'ACTIVE' : 'DOWN'),
      filter: {
        where: (values) =>
          sql`active in (${sql.join(values.map((value) => (value === 'ACTIVE' ? 1 : value === 'DOWN' ? 0 : -1)))})`,
      },
    },
    port_details: { from: (item) => (item.port ? detailsOf(item.port) : null) },
    ...standardAttributes,
  },
  find: (on, floatingId) => on.selectFrom('network_floating_ip').selectAll().where('id', '=', floatingId).executeTakeFirst(),
  load: loadFloatingIps,
  target: ownTarget,
  visible: (projectId) => sql`project_id = ${projectId}`,
  missing: noFloatingIp,
}

const detailsOf = (port: PortRow) => ({
  name: port.name,
  network_id: port.network_id,
  mac_address: port.mac,
  admin_state_up: port.admin_state_up === 1,
  status: portStatus(port),
  device_id: port.device_id,
  device_owner: port.device_owner,
})

async function loadFloatingIps(on: On, rows: FloatingIpRow[]): Promise<FloatingIpItem[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.port_id).filter((port) => port !== '')
  const ports = ids.length === 0 ? [] : await on.selectFrom('network_port').selectAll().where('id', 'in', ids).execute()
  const byId = new Map(ports.map((port) => [port.id, port]))
  const tags = await tagsOf(
    on,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({ ...row, port: byId.get(row.port_id), tags: tags.get(row.id) ?? [] }))
}

/** A floating address leads only to ports one may change. */
async function checkPort(wire: Wire, ask: Pick<Ask, 'can'>, values: Values): Promise<void> {
  const portId = values['port_id']
  if (typeof portId !== 'string') return
  const port = await lookup(wire, portResource)(ask, portId)
  if (!ask.can('update_port', portResource.target(port))) throw forbidden('update_port')
}

const optional = (value: unknown) => (value ?? undefined) as string | undefined

export const floatingIpEndpoints = (wire: Wire) => [
  ...readers(wire, floatingIpResource),
  creator(wire, floatingIpResource, {
    async check(ask, values) {
      await networkFor(wire.store.read, ask, values['floating_network_id'])
      await checkPort(wire, ask, values)
    },
    make: (change, projectId, values) =>
      createFloatingIp(change, projectId, {
        networkId: values['floating_network_id'] as string,
        subnetId: optional(values['subnet_id']),
        ip: optional(values['floating_ip_address']),
        portId: optional(values['port_id']),
        fixedIp: optional(values['fixed_ip_address']),
        description: optional(values['description']),
      }),
  }),
  updater(wire, floatingIpResource, {
    check: (ask, values) => checkPort(wire, ask, values),
    change: (change, row, values) =>
      updateFloatingIp(change, row, {
        description: values['description'] as string | undefined,
        portId: values['port_id'] as FloatingIpPatch['portId'],
        fixedIp: values['fixed_ip_address'] as FloatingIpPatch['fixedIp'],
      }),
  }),
  remover(wire, floatingIpResource, deleteFloatingIp),
]
