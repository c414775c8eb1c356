import { uuid } from '../../../kit/ids.ts'
import type { FloatingIpRow, NetworkRow, PortRow } from '../tables.ts'
import { hasRoom, subnetsOf } from './addresses.ts'
import { badRequest, fault, noFloatingIp, noPort } from './faults.ts'
import { findNetwork, touched } from './networks.ts'
import { addressesOf, createPort, hintRouters, removePort } from './ports.ts'
import { serverRipple } from './ripples.ts'
import { given, newborn } from './standard.ts'
import type { Change } from './store.ts'

export type FloatingIpAsk = {
  networkId: string
  subnetId?: string | undefined
  ip?: string | undefined
  portId?: string | undefined
  fixedIp?: string | undefined
  description?: string | undefined
}

const wrong = (message: string) => badRequest('floatingip', message)

/** An address of an external network, kept by a port of its own. */
export async function createFloatingIp(change: Change, projectId: string, ask: FloatingIpAsk): Promise<FloatingIpRow> {
  await change.quota.allow(change.tx, projectId, { floatingip: 1 })
  const network = await findNetwork(change.tx, ask.networkId)
  if (!network || network.external === 0) throw wrong(`Network ${ask.networkId} is not a valid external network`)
  const id = uuid()
  const port = await createPort(change, {
    projectId: '',
    network,
    deviceId: id,
    deviceOwner: 'network:floatingip',
    fixedIps: [{ subnetId: ask.subnetId ?? (ask.ip === undefined ? await roomySubnet(change, network) : undefined), ip: ask.ip }],
    portSecurity: false,
  })
  const [address] = await addressesOf(change.tx, port.id)
  if (!address || address.ip.includes(':')) throw wrong('A floating IP must be an IPv4 address')
  const row: FloatingIpRow = {
    ...newborn(change.now(), projectId, { description: ask.description ?? '' }, id),
    network_id: network.id,
    own_port_id: port.id,
    ip: address.ip,
    port_id: '',
    fixed_ip: '',
    router_id: '',
    active: 0,
  }
  await change.tx.insertInto('network_floating_ip').values(row).execute()
  return ask.portId === undefined ? row : associate(change, row, ask.portId, ask.fixedIp)
}

async function roomySubnet(change: Change, network: NetworkRow): Promise<string> {
  for (const subnet of await subnetsOf(change.tx, network.id))
    if (subnet.ip_version === 4 && (await hasRoom(change, subnet))) return subnet.id
  throw fault('conflict', 'IpAddressGenerationFailure', `No more IP addresses available on network ${network.id}.`)
}

/** Leads the address to a port, through the router that is on both networks. */
export async function associate(
  change: Change,
  floating: FloatingIpRow,
  portId: string,
  fixedIp: string | undefined,
): Promise<FloatingIpRow> {
  const { tx } = change
  const port = await tx.selectFrom('network_port').selectAll().where('id', '=', portId).executeTakeFirst()
  if (!port) throw noPort(portId)
  const address = await chooseFixed(change, port, fixedIp)
  const routerId = await routerBetween(change, floating, port, address.subnetId)
  if (floating.port_id === portId && floating.fixed_ip === address.ip && floating.router_id === routerId) return floating
  await checkNotTaken(change, floating, portId, address.ip)
  const row = await tx
    .updateTable('network_floating_ip')
    .set({ port_id: portId, fixed_ip: address.ip, router_id: routerId, active: 0, ...touched(change) })
    .where('id', '=', floating.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noFloatingIp(floating.id)
  await tellAll(change, [floating, row])
  return row
}

async function chooseFixed({ tx }: Change, port: PortRow, fixedIp: string | undefined) {
  const all = (await addressesOf(tx, port.id)).filter(({ ip }) => !ip.includes(':'))
  if (fixedIp !== undefined) {
    const found = all.find(({ ip }) => ip === fixedIp)
    if (!found) throw wrong(`Port ${port.id} does not have fixed ip ${fixedIp}`)
    return found
  }
  if (all.length === 0) throw wrong(`Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`)
  if (all.length > 1)
    throw wrong(
      `Port ${port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP`,
    )
  return all[0]!
}

/** Touches the router, so that nobody takes its gateway or interface away meanwhile. */
async function routerBetween(change: Change, floating: FloatingIpRow, port: PortRow, subnetId: string): Promise<string> {
  const { tx } = change
  const found = await tx
    .selectFrom('network_port as p')
    .innerJoin('network_address as a', 'a.port_id', 'p.id')
    .innerJoin('network_router as r', 'r.id', 'p.device_id')
    .select('r.id')
    .where('p.device_owner', '=', 'network:router_interface')
    .where('a.subnet_id', '=', subnetId)
    .where('r.gateway_network_id', '=', floating.network_id)
    .orderBy('p.created_at')
    .executeTakeFirst()
  const router =
    found &&
    (await tx
      .updateTable('network_router')
      .set({ updated_at: change.now() })
      .where('id', '=', found.id)
      .where('gateway_network_id', '=', floating.network_id)
      .returning('id')
      .executeTakeFirst())
  if (router) return router.id
  throw fault(
    'not-found',
    'ExternalGatewayForFloatingIPNotFound',
    `External network ${floating.network_id} is not reachable from subnet ${subnetId}. Therefore, cannot associate Port ${port.id} with a Floating IP.`,
  )
}

async function checkNotTaken({ tx }: Change, floating: FloatingIpRow, portId: string, fixedIp: string): Promise<void> {
  const other = await tx
    .selectFrom('network_floating_ip')
    .select('id')
    .where('port_id', '=', portId)
    .where('fixed_ip', '=', fixedIp)
    .where('network_id', '=', floating.network_id)
    .where('id', '<>', floating.id)
    .executeTakeFirst()
  if (other)
    throw fault(
      'conflict',
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${floating.ip} (${floating.id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${floating.network_id}.`,
    )
}

async function dissociate(change: Change, floating: FloatingIpRow): Promise<FloatingIpRow> {
  const row = await change.tx
    .updateTable('network_floating_ip')
    .set({ port_id: '', fixed_ip: '', router_id: '', active: 0, ...touched(change) })
    .where('id', '=', floating.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noFloatingIp(floating.id)
  await tellAll(change, [floating])
  return row
}

/** The routers that carry the address, and the servers it leads to. */
async function tellAll(change: Change, rows: FloatingIpRow[]): Promise<void> {
  await hintRouters(
    change,
    rows.map((row) => row.router_id),
  )
  await serverRipple(
    change,
    rows.map((row) => row.port_id),
  )
}

export type FloatingIpPatch = {
  description?: string | undefined
  /** Null: lead nowhere. Undefined: as it is. */
  portId?: string | null | undefined
  fixedIp?: string | null | undefined
}

export async function updateFloatingIp(change: Change, floating: FloatingIpRow, patch: FloatingIpPatch): Promise<FloatingIpRow> {
  if (patch.fixedIp && patch.portId === null) throw wrong('fixed_ip_address cannot be specified without a port_id')
  const described = given<FloatingIpRow>({ description: patch.description })
  if (Object.keys(described).length > 0)
    await change.tx
      .updateTable('network_floating_ip')
      .set({ ...described, ...touched(change) })
      .where('id', '=', floating.id)
      .execute()
  const now = { ...floating, ...described }
  if (patch.portId === null) return dissociate(change, now)
  const portId = patch.portId ?? (patch.fixedIp && floating.port_id !== '' ? floating.port_id : undefined)
  if (portId !== undefined) return associate(change, now, portId, patch.fixedIp ?? undefined)
  const row = await change.tx.selectFrom('network_floating_ip').selectAll().where('id', '=', floating.id).executeTakeFirst()
  if (!row) throw noFloatingIp(floating.id)
  return row
}

export async function deleteFloatingIp(change: Change, floating: FloatingIpRow): Promise<void> {
  const { tx } = change
  await tellAll(change, [floating])
  await tx.deleteFrom('network_tag').where('resource_id', '=', floating.id).execute()
  await tx.deleteFrom('network_floating_ip').where('id', '=', floating.id).execute()
  const port = await tx.selectFrom('network_port').selectAll().where('id', '=', floating.own_port_id).executeTakeFirst()
  if (port) await removePort(change, port)
}
