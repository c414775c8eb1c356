import { fromJson } from '../../../kit/db/columns.ts'
import type { PortRow, RouterRow } from '../tables.ts'
import { badRequest, fault, noPort, noSubnet } from './faults.ts'
import { checkOverlap } from './gateways.ts'
import { homeRouter } from './homes.ts'
import { holds, parseCidr, parseIp } from './ip.ts'
import { findNetwork } from './networks.ts'
import { addressesOf, createPort, putGroups, removePort } from './ports.ts'
import { turnOfRouter } from './routers.ts'
import type { Change } from './store.ts'
import { findSubnet, type Route } from './subnets.ts'

export type InterfaceAsk = { subnetId: string | undefined; portId: string | undefined }
export type Interface = { portId: string; networkId: string; subnetIds: string[] }

const wrong = (message: string) => badRequest('router', message)

export async function addInterface(change: Change, routerId: string, { subnetId, portId }: InterfaceAsk): Promise<Interface> {
  if (subnetId !== undefined && portId !== undefined) throw wrong('Cannot specify both subnet-id and port-id')
  const router = await turnOfRouter(change, routerId)
  const port =
    portId !== undefined
      ? await addPort(change, router, portId)
      : subnetId !== undefined
        ? await addSubnet(change, router, subnetId)
        : undefined
  if (!port) throw wrong('Either subnet_id or port_id must be specified')
  await homeRouter(change, routerId)
  const addresses = await addressesOf(change.tx, port.id)
  return { portId: port.id, networkId: port.network_id, subnetIds: [...new Set(addresses.map((one) => one.subnetId))] }
}

/** A port at the subnet's gateway address. */
async function addSubnet(change: Change, router: RouterRow, subnetId: string): Promise<PortRow> {
  const subnet = await findSubnet(change.tx, subnetId)
  if (!subnet) throw noSubnet(subnetId)
  if (subnet.gateway_ip === '') throw wrong('Subnet for router interface must have a gateway IP')
  await checkOverlap(change, router.id, subnet.network_id, subnet.id)
  return createPort(change, {
    projectId: router.project_id,
    network: (await findNetwork(change.tx, subnet.network_id))!,
    deviceId: router.id,
    deviceOwner: 'network:router_interface',
    fixedIps: [{ subnetId: subnet.id, ip: subnet.gateway_ip }],
    portSecurity: false,
  })
}

/** The user's port becomes the router's: the condition stands in the update, so nobody else gets it. */
async function addPort(change: Change, router: RouterRow, portId: string): Promise<PortRow> {
  const { tx } = change
  const port = await tx.selectFrom('network_port').selectAll().where('id', '=', portId).executeTakeFirst()
  if (!port) throw noPort(portId)
  const addresses = await addressesOf(tx, portId)
  if (addresses.length === 0) throw wrong(`Router port must have at least one fixed IP`)
  if (addresses.filter(({ ip }) => !ip.includes(':')).length > 1) throw wrong('Cannot have multiple IPv4 subnets on router port')
  for (const { subnetId } of addresses) await checkOverlap(change, router.id, port.network_id, subnetId)
  const taken = await tx
    .updateTable('network_port')
    .set({
      device_id: router.id,
      device_owner: 'network:router_interface',
      port_security: 0,
      allowed_pairs: '[]',
      updated_at: change.now(),
    })
    .where('id', '=', portId)
    .where('device_id', '=', '')
    .returningAll()
    .executeTakeFirst()
  if (!taken)
    throw fault(
      'conflict',
      'PortInUse',
      `Unable to complete operation on port ${portId} for network ${port.network_id}. Port already has an attached device ${port.device_id}.`,
    )
  await putGroups(change, portId, [])
  return taken
}

export async function removeInterface(change: Change, routerId: string, ask: InterfaceAsk): Promise<Interface> {
  const router = await turnOfRouter(change, routerId)
  const port = await findInterface(change, routerId, ask)
  const addresses = await addressesOf(change.tx, port.id)
  for (const { subnetId } of addresses) await checkUnused(change, router, subnetId)
  change.hint(router.host, 'router', 'port')
  await removePort(change, port)
  return { portId: port.id, networkId: port.network_id, subnetIds: [...new Set(addresses.map((one) => one.subnetId))] }
}

async function findInterface({ tx }: Change, routerId: string, { subnetId, portId }: InterfaceAsk): Promise<PortRow> {
  if (subnetId === undefined && portId === undefined) throw wrong('Either subnet_id or port_id must be specified')
  const own = tx
    .selectFrom('network_port as p')
    .selectAll('p')
    .where('p.device_id', '=', routerId)
    .where('p.device_owner', '=', 'network:router_interface')
  if (portId !== undefined) {
    const port = await own.where('p.id', '=', portId).executeTakeFirst()
    if (!port)
      throw fault('not-found', 'RouterInterfaceNotFound', `Router ${routerId} does not have an interface with id ${portId}`)
    const addresses = await addressesOf(tx, portId)
    if (subnetId !== undefined && !addresses.some((one) => one.subnetId === subnetId))
      throw fault('invalid', 'SubnetMismatchForPort', `Subnet on port ${portId} does not match the requested subnet ${subnetId}.`)
    return port
  }
  const port = await own
    .innerJoin('network_address as a', 'a.port_id', 'p.id')
    .where('a.subnet_id', '=', subnetId!)
    .executeTakeFirst()
  if (!port)
    throw fault('not-found', 'RouterInterfaceNotFoundForSubnet', `Router ${routerId} has no interface on subnet ${subnetId}`)
  return port
}

/** Floating addresses and routes lead through the interface. */
async function checkUnused(change: Change, router: RouterRow, subnetId: string): Promise<void> {
  const { tx } = change
  const floating = await tx
    .selectFrom('network_floating_ip as f')
    .innerJoin('network_address as a', (join) => join.onRef('a.port_id', '=', 'f.port_id').onRef('a.ip', '=', 'f.fixed_ip'))
    .select('f.id')
    .where('f.router_id', '=', router.id)
    .where('a.subnet_id', '=', subnetId)
    .limit(1)
    .executeTakeFirst()
  if (floating)
    throw fault(
      'conflict',
      'RouterInterfaceInUseByFloatingIP',
      `Router interface for subnet ${subnetId} on router ${router.id} cannot be deleted, as it is required by one or more floating IPs.`,
    )
  const subnet = await findSubnet(tx, subnetId)
  const range = parseCidr(subnet?.cidr ?? '')
  if (range && fromJson<Route[]>(router.routes).some(({ nexthop }) => holds(range, parseIp(nexthop)!)))
    throw fault(
      'conflict',
      'RouterInterfaceInUseByRoute',
      `Router interface for subnet ${subnetId} on router ${router.id} cannot be deleted, as it is required by one or more routes.`,
    )
}
