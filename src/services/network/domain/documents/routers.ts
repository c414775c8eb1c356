import type { Desired, HostRouter, RouterInterface } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { PortRow, RouterRow } from '../../tables.ts'
import { deviceOf } from '../devices.ts'
import type { On } from '../store.ts'
import { byKey, type Held, heldBy, networksBy } from './held.ts'

export async function desiredRouters(on: On, host: string): Promise<Desired<HostRouter>> {
  const routers = await on
    .selectFrom('network_router')
    .selectAll()
    .where('host', '=', host)
    .where('admin_state_up', '=', 1)
    .orderBy('created_at')
    .execute()
  const ids = routers.map((router) => router.id)
  if (ids.length === 0) return { complete: true, items: [] }
  const ports = await on
    .selectFrom('network_port')
    .selectAll()
    .where('device_id', 'in', ids)
    .where('device_owner', 'like', 'network:router%')
    .orderBy('created_at')
    .execute()
  const held = await heldBy(
    on,
    ports.map((port) => port.id),
  )
  const networks = await networksBy(
    on,
    ports.map((port) => port.network_id),
  )
  const gateways = await gatewaysOf(on, [...held.values()].flat())
  const floating = await on
    .selectFrom('network_floating_ip')
    .select(['id', 'ip', 'fixed_ip', 'router_id'])
    .where('router_id', 'in', ids)
    .orderBy('created_at')
    .execute()
  const byRouter = byKey(ports, (port) => port.device_id)
  const floatingBy = byKey(floating, (one) => one.router_id)
  const face = (port: PortRow): RouterInterface => ({
    portId: port.id,
    device: deviceOf(port),
    mac: port.mac,
    mtu: networks.get(port.network_id)!.mtu,
    addresses: (held.get(port.id) ?? []).map(({ ip, prefix }) => ({ ip, prefix })),
  })
  return { complete: true, items: routers.map((router) => routerOf(router, byRouter.get(router.id) ?? [])) }

  function routerOf(router: RouterRow, own: PortRow[]): HostRouter {
    const outer = own.find((port) => port.id === router.gateway_port_id)
    const subnets = [...new Set((held.get(outer?.id ?? '') ?? []).map((one) => one.subnetId))]
    return {
      id: router.id,
      external: outer && {
        ...face(outer),
        gatewayIps: subnets.map((id) => gateways.get(id) ?? '').filter((ip) => ip !== ''),
        snat: router.snat === 1,
      },
      internal: own.filter((port) => port !== outer).map(face),
      floatingIps: (floatingBy.get(router.id) ?? []).map((one) => ({ id: one.id, floatingIp: one.ip, fixedIp: one.fixed_ip })),
      routes: fromJson(router.routes),
    }
  }
}

async function gatewaysOf(on: On, held: Held[]): Promise<Map<string, string>> {
  if (held.length === 0) return new Map()
  const ids = [...new Set(held.map((one) => one.subnetId))]
  const rows = await on.selectFrom('network_subnet').select(['id', 'gateway_ip']).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, row.gateway_ip]))
}
