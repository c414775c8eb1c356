import type { PortRow, RouterRow } from '../tables.ts'
import type { FixedAsk } from './addresses.ts'
import { subnetsOf } from './addresses.ts'
import { badRequest, fault } from './faults.ts'
import { overlap, parseCidr } from './ip.ts'
import { findNetwork } from './networks.ts'
import { createPort, removePort, setAddresses } from './ports.ts'
import type { Change } from './store.ts'

export type GatewayAsk = { networkId: string; snat?: boolean | undefined; fixedIps?: FixedAsk[] | undefined }

/** The router gets a foot on an external network, or keeps the one it has there. Its port belongs to no project. */
export async function setGateway(change: Change, router: RouterRow, ask: GatewayAsk): Promise<void> {
  const { tx } = change
  const network = await findNetwork(tx, ask.networkId)
  if (!network || network.external === 0) throw badRequest('router', `Network ${ask.networkId} is not an external network`)
  if (router.gateway_network_id === network.id) {
    const port = await portOf(change, router)
    if (port && ask.fixedIps) await setAddresses(change, network, port, ask.fixedIps)
    await tx
      .updateTable('network_router')
      .set({ snat: (ask.snat ?? true) ? 1 : 0 })
      .where('id', '=', router.id)
      .execute()
    return
  }
  await clearGateway(change, router)
  await checkOverlap(change, router.id, network.id)
  const port = await createPort(change, {
    projectId: '',
    network,
    deviceId: router.id,
    deviceOwner: 'network:router_gateway',
    fixedIps: ask.fixedIps,
    portSecurity: false,
  })
  await tx
    .updateTable('network_router')
    .set({ gateway_port_id: port.id, gateway_network_id: network.id, snat: (ask.snat ?? true) ? 1 : 0 })
    .where('id', '=', router.id)
    .execute()
}

const portOf = ({ tx }: Change, router: RouterRow): Promise<PortRow | undefined> =>
  tx.selectFrom('network_port').selectAll().where('id', '=', router.gateway_port_id).executeTakeFirst()

/** Throws when floating addresses need it. */
export async function clearGateway(change: Change, router: RouterRow): Promise<void> {
  if (router.gateway_port_id === '') return
  const { tx } = change
  const used = await tx
    .selectFrom('network_floating_ip')
    .select('id')
    .where('router_id', '=', router.id)
    .limit(1)
    .executeTakeFirst()
  if (used)
    throw fault(
      'conflict',
      'RouterExternalGatewayInUseByFloatingIp',
      `Gateway cannot be updated for router ${router.id}, since a gateway to external network ${router.gateway_network_id} is required by one or more floating IPs.`,
    )
  const port = await portOf(change, router)
  await tx
    .updateTable('network_router')
    .set({ gateway_port_id: '', gateway_network_id: '', snat: 1 })
    .where('id', '=', router.id)
    .execute()
  if (port) await removePort(change, port)
  change.hint(router.host, 'router', 'port')
}

/** A router on two nets that overlap would not know where to send anything. */
export async function checkOverlap(change: Change, routerId: string, networkId: string, only?: string): Promise<void> {
  const own = await change.tx
    .selectFrom('network_port as p')
    .innerJoin('network_address as a', 'a.port_id', 'p.id')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['s.id', 's.cidr'])
    .where('p.device_id', '=', routerId)
    .where('p.device_owner', 'like', 'network:router%')
    .execute()
  for (const subnet of await subnetsOf(change.tx, networkId)) {
    if (only !== undefined && subnet.id !== only) continue
    if (own.some((one) => one.id === subnet.id)) throw badRequest('router', `Router already has a port on subnet ${subnet.id}`)
    const other = own.find((one) => overlap(parseCidr(one.cidr)!, parseCidr(subnet.cidr)!))
    if (other)
      throw badRequest(
        'router',
        `Cidr ${subnet.cidr} of subnet ${subnet.id} overlaps with cidr ${other.cidr} of subnet ${other.id}`,
      )
  }
}
