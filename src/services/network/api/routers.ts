import { sql } from 'kysely'
import { Type } from 'typebox'
import { fromJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import { noRouter } from '../domain/faults.ts'
import type { GatewayAsk } from '../domain/gateways.ts'
import { addInterface, type Interface, type InterfaceAsk, removeInterface } from '../domain/router-interfaces.ts'
import { changeRoutes, createRouter, deleteRouter, findRouter, type RouterAsk, updateRouter } from '../domain/routers.ts'
import type { On } from '../domain/store.ts'
import type { Route } from '../domain/subnets.ts'
import type { RouterRow } from '../tables.ts'
import { itemsOf } from './bodies.ts'
import { creator, lookup, readers, remover, renderer, subjectOf, updater, type Wire } from './endpoints.ts'
import { badBody, bool, cidr, dict, id, ip, listOf, nullable, read, setOf, text } from './kinds.ts'
import { portResource } from './ports.ts'
import { ownTarget, type Resource, type Values } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf } from './standard.ts'
import { networkFor, subnetResource } from './subnets.ts'

type RouterItem = RouterRow & Tagged & { outside: { subnet_id: string; ip_address: string }[] }

const routeKind = dict({ destination: cidr, nexthop: ip }, ['destination', 'nexthop'])
const gatewayKind = dict(
  {
    network_id: id,
    enable_snat: bool,
    external_fixed_ips: setOf(dict({ subnet_id: id, ip_address: ip }), 'external fixed IP', 10),
  },
  ['network_id'],
)
/** `{}` is none, as clients say it. */
const gatewayOrNone = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
    ? null
    : nullable(gatewayKind)(value)

export const routerResource: Resource<RouterRow, RouterItem> = {
  name: 'router',
  plural: 'routers',
  path: '/routers',
  table: 'network_router',
  attributes: {
    ...identityAttributes,
    admin_state_up: {
      from: (item) => item.admin_state_up === 1,
      take: bool,
      usual: true,
      filter: { column: 'admin_state_up', op: 'bit' },
      sort: 'admin_state_up',
    },
    // Neutron's routers are ACTIVE as soon as they are; whether a host carries it says `explain`.
    status: { from: () => 'ACTIVE', filter: { where: (values) => (values.includes('ACTIVE') ? sql`1 = 1` : sql`1 = 0`) } },
    external_gateway_info: {
      from: (item) =>
        item.gateway_network_id === ''
          ? null
          : { network_id: item.gateway_network_id, external_fixed_ips: item.outside, enable_snat: item.snat === 1 },
      take: gatewayOrNone,
      usual: null,
    },
    availability_zone_hints: { from: (item) => fromJson(item.zone_hints), take: listOf(text()), in: 'post', usual: [] },
    availability_zones: { from: (item) => (item.host === '' ? [] : ['nova']) },
    routes: { from: (item) => fromJson(item.routes), take: setOf(routeKind, 'route'), in: 'put' },
    ...standardAttributes,
  },
  find: findRouter,
  load: loadRouters,
  target: ownTarget,
  visible: (projectId) => sql`project_id = ${projectId}`,
  missing: noRouter,
}

async function loadRouters(on: On, rows: RouterRow[]): Promise<RouterItem[]> {
  if (rows.length === 0) return []
  const ports = rows.map((row) => row.gateway_port_id).filter((port) => port !== '')
  const addresses =
    ports.length === 0
      ? []
      : await on.selectFrom('network_address').selectAll().where('port_id', 'in', ports).orderBy('place').execute()
  const byPort = Map.groupBy(addresses, (row) => row.port_id)
  const tags = await tagsOf(
    on,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({
    ...row,
    outside: (byPort.get(row.gateway_port_id) ?? []).map((one) => ({ subnet_id: one.subnet_id, ip_address: one.ip })),
    tags: tags.get(row.id) ?? [],
  }))
}

type WireGateway = {
  network_id: string
  enable_snat?: boolean
  external_fixed_ips?: { subnet_id?: string; ip_address?: string }[]
}

function gatewayAsk(value: unknown): GatewayAsk | null | undefined {
  if (value === null || value === undefined) return value
  const { network_id: networkId, enable_snat: snat, external_fixed_ips: fixed } = value as WireGateway
  return { networkId, snat, fixedIps: fixed?.map((one) => ({ subnetId: one.subnet_id, ip: one.ip_address })) }
}

const routerAsk = (values: Values): RouterAsk => ({
  name: values['name'] as string | undefined,
  description: values['description'] as string | undefined,
  adminUp: values['admin_state_up'] as boolean | undefined,
  zoneHints: values['availability_zone_hints'] as string[] | undefined,
  gateway: gatewayAsk(values['external_gateway_info']),
  routes: values['routes'] as Route[] | undefined,
})

/** An external network that the caller may not know of is none. */
async function checkGateway(wire: Wire, ask: Pick<Ask, 'can'>, values: Values): Promise<void> {
  const gateway = gatewayAsk(values['external_gateway_info'])
  if (gateway) await networkFor(wire.store.read, ask, gateway.networkId)
}

const interfaceKind = dict({ subnet_id: nullable(id), port_id: nullable(id) })

function interfaceAsk(body: unknown): InterfaceAsk {
  if (typeof body !== 'object' || body === null) throw badBody('Resource body required')
  const { subnet_id: subnetId, port_id: portId } = read('router interface', interfaceKind, body)
  return { subnetId: subnetId ?? undefined, portId: portId ?? undefined }
}

/** Of what others own only what they share may be joined, and a router at another's gateway address would take their traffic. */
async function checkReach(wire: Wire, ask: Ask, router: RouterRow, { subnetId, portId }: InterfaceAsk): Promise<void> {
  if (portId !== undefined) {
    const port = await lookup(wire, portResource)(ask, portId)
    if (!ask.can('context_is_admin') && port.project_id !== router.project_id)
      throw new Problem('forbidden', 'The port belongs to another project.', { code: 'AdminRequired' })
  }
  if (subnetId !== undefined) {
    const subnet = await lookup(wire, subnetResource)(ask, subnetId)
    if (!ask.can('create_port:fixed_ips:ip_address', subnetResource.target(subnet)))
      throw new Problem('forbidden', 'Only the owner of a network may put a router at its gateway address.', {
        code: 'AdminRequired',
      })
  }
}

const joined = (router: RouterRow, { portId, networkId, subnetIds }: Interface) => ({
  id: router.id,
  tenant_id: router.project_id,
  project_id: router.project_id,
  port_id: portId,
  network_id: networkId,
  subnet_id: subnetIds[0],
  subnet_ids: subnetIds,
})

export function routerEndpoints(wire: Wire) {
  const { store } = wire
  const render = renderer(wire, routerResource)
  const action = (name: string, act: (ask: Ask<unknown, RouterItem>) => Promise<unknown>) =>
    endpoint({
      on: `PUT /routers/{id}/${name}`,
      policy: name,
      visible: 'get_router',
      body: Type.Unknown(),
      ...subjectOf(wire, routerResource),
      handle: act,
    })
  const routes = (verb: 'add' | 'remove') =>
    action(`${verb}_extraroutes`, async (ask) => {
      const item = itemsOf(routerResource, ask.body).items[0]!
      const wanted = read('routes', setOf(routeKind, 'route'), item['routes'] ?? []) as Route[]
      const row = await store.change((change) => changeRoutes(change, ask.subject.id, wanted, verb))
      return { router: render((await loadRouters(store.read, [row]))[0]!, ask) }
    })
  return [
    ...readers(wire, routerResource),
    creator(wire, routerResource, {
      check: (ask, values) => checkGateway(wire, ask, values),
      make: (change, projectId, values) => createRouter(change, projectId, routerAsk(values)),
    }),
    updater(wire, routerResource, {
      check: (ask, values) => checkGateway(wire, ask, values),
      change: (change, row, values) => updateRouter(change, row, routerAsk(values)),
    }),
    remover(wire, routerResource, deleteRouter),
    action('add_router_interface', async (ask) => {
      const wanted = interfaceAsk(ask.body)
      await checkReach(wire, ask, ask.subject, wanted)
      return joined(ask.subject, await store.change((change) => addInterface(change, ask.subject.id, wanted)))
    }),
    action('remove_router_interface', async (ask) =>
      joined(ask.subject, await store.change((change) => removeInterface(change, ask.subject.id, interfaceAsk(ask.body)))),
    ),
    routes('add'),
    routes('remove'),
  ]
}
