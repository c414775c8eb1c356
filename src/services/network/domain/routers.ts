import { fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import type { RouterRow } from '../tables.ts'
import { fault, noRouter } from './faults.ts'
import { clearGateway, type GatewayAsk, setGateway } from './gateways.ts'
import { homeRouter } from './homes.ts'
import { holds, parseCidr, parseIp } from './ip.ts'
import { touched } from './networks.ts'
import { given, newborn } from './standard.ts'
import type { Change, On } from './store.ts'
import type { Route } from './subnets.ts'
import { checkZones } from './zones.ts'

export type RouterAsk = {
  name?: string | undefined
  description?: string | undefined
  adminUp?: boolean | undefined
  zoneHints?: string[] | undefined
  /** Null: none. */
  gateway?: GatewayAsk | null | undefined
  routes?: Route[] | undefined
}

export const findRouter = (on: On, id: string): Promise<RouterRow | undefined> =>
  on.selectFrom('network_router').selectAll().where('id', '=', id).executeTakeFirst()

/** Makes those who change what hangs on a router queue up. Gives the row as it is now; throws when it is gone. */
export async function turnOfRouter(change: Change, id: string): Promise<RouterRow> {
  const row = await change.tx
    .updateTable('network_router')
    .set(touched(change))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noRouter(id)
  return row
}

export async function createRouter(change: Change, projectId: string, ask: RouterAsk): Promise<RouterRow> {
  await change.quota.allow(change.tx, projectId, { router: 1 })
  checkZones(ask.zoneHints ?? [])
  const { name = '', description = '' } = ask
  const row: RouterRow = {
    ...newborn(change.now(), projectId, { name, description }),
    admin_state_up: toBit(ask.adminUp ?? true),
    routes: toJson([]),
    zone_hints: toJson(ask.zoneHints ?? []),
    gateway_port_id: '',
    gateway_network_id: '',
    snat: 1,
    host: '',
    ready: 0,
    trouble: '',
  }
  await change.tx.insertInto('network_router').values(row).execute()
  if (ask.gateway) await setGateway(change, row, ask.gateway)
  await homeRouter(change, row.id)
  return (await findRouter(change.tx, row.id))!
}

export async function updateRouter(change: Change, router: RouterRow, patch: RouterAsk): Promise<RouterRow> {
  const now = await turnOfRouter(change, router.id)
  if (patch.gateway === null) await clearGateway(change, now)
  else if (patch.gateway) await setGateway(change, now, patch.gateway)
  if (patch.routes) await checkRoutes(change, router.id, patch.routes)
  const columns = given<RouterRow>({
    name: patch.name,
    description: patch.description,
    admin_state_up: patch.adminUp === undefined ? undefined : toBit(patch.adminUp),
    routes: patch.routes && toJson(patch.routes),
  })
  if (Object.keys(columns).length > 0)
    await change.tx.updateTable('network_router').set(columns).where('id', '=', router.id).execute()
  await homeRouter(change, router.id)
  return (await findRouter(change.tx, router.id))!
}

const mostRoutes = 30

/** A next hop must be on a network that the router is on. */
async function checkRoutes(change: Change, routerId: string, routes: Route[]): Promise<void> {
  if (routes.length > mostRoutes)
    throw fault(
      'invalid',
      'RoutesExhausted',
      `Unable to complete operation for ${routerId}. The number of routes exceeds the maximum ${mostRoutes}.`,
    )
  const nets = (await subnetsOfRouter(change, routerId)).map((subnet) => parseCidr(subnet.cidr)!)
  const own = new Set((await addressesOfRouter(change, routerId)).map((row) => row.ip))
  for (const { destination, nexthop } of routes) {
    const hop = parseIp(nexthop)!
    if (!nets.some((net) => holds(net, hop)) || parseCidr(destination)?.version !== hop.version)
      throw invalidRoutes(routes, 'the nexthop is not connected with router')
    if (own.has(nexthop)) throw invalidRoutes(routes, 'the nexthop is used by router')
  }
}

const invalidRoutes = (routes: Route[], reason: string) =>
  fault('invalid', 'InvalidRoutes', `Invalid format for routes: ${JSON.stringify(routes)}, ${reason}`)

const addressesOfRouter = ({ tx }: Pick<Change, 'tx'>, routerId: string) =>
  tx
    .selectFrom('network_port as p')
    .innerJoin('network_address as a', 'a.port_id', 'p.id')
    .select(['p.id as port_id', 'p.device_owner', 'p.network_id', 'a.subnet_id', 'a.ip'])
    .where('p.device_id', '=', routerId)
    .where('p.device_owner', 'like', 'network:router%')
    .execute()

/** Subnets the router is on, its gateway's among them. */
const subnetsOfRouter = ({ tx }: Pick<Change, 'tx'>, routerId: string) =>
  tx
    .selectFrom('network_port as p')
    .innerJoin('network_address as a', 'a.port_id', 'p.id')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['s.id', 's.cidr', 'p.id as port_id', 'p.device_owner', 'a.ip'])
    .where('p.device_id', '=', routerId)
    .where('p.device_owner', 'like', 'network:router%')
    .execute()

/** Routes as a set: those named are added, or taken away, whatever others do at the same time. */
export async function changeRoutes(change: Change, id: string, routes: Route[], verb: 'add' | 'remove'): Promise<RouterRow> {
  const router = await turnOfRouter(change, id)
  const key = (route: Route) => `${route.destination} ${route.nexthop}`
  const named = new Set(routes.map(key))
  const others = fromJson<Route[]>(router.routes).filter((route) => !named.has(key(route)))
  const wanted = verb === 'add' ? [...others, ...routes] : others
  if (verb === 'add') await checkRoutes(change, id, wanted)
  await change.tx
    .updateTable('network_router')
    .set({ routes: toJson(wanted) })
    .where('id', '=', id)
    .execute()
  await homeRouter(change, id)
  return (await findRouter(change.tx, id))!
}

export async function deleteRouter(change: Change, { id }: RouterRow): Promise<void> {
  const router = await turnOfRouter(change, id)
  const inside = (await subnetsOfRouter(change, id)).some((row) => row.port_id !== router.gateway_port_id)
  if (inside) throw fault('conflict', 'RouterInUse', `Router ${id} still has ports`)
  await clearGateway(change, router)
  change.hint(router.host, 'router', 'port')
  await change.tx.deleteFrom('network_tag').where('resource_id', '=', id).execute()
  await change.tx.deleteFrom('network_router').where('id', '=', id).execute()
}
