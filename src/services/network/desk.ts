import type { DhcpSeen, MetadataReply, MetadataRequest, PortSeen, RouterSeen } from '../../agents/document.ts'
import type { Compute } from '../compute/contract.ts'
import type { HostDesk } from '../service.ts'
import { desiredDhcp } from './domain/documents/dhcp.ts'
import { desiredPorts } from './domain/documents/ports.ts'
import { desiredRouters } from './domain/documents/routers.ts'
import { hearFacts } from './domain/hosts.ts'
import { reportDhcp, reportPorts, reportRouters } from './domain/reports.ts'
import type { On, Store } from './domain/store.ts'

export const networkDesk = (store: Store, compute: () => Compute): HostDesk => ({
  agents: {
    port: {
      desired: (host) => desiredPorts(store.read, host),
      report: (host, seen) => reportPorts(store, host, seen as PortSeen[]),
    },
    router: {
      desired: (host) => desiredRouters(store.read, host),
      report: (host, seen) => reportRouters(store, host, seen as RouterSeen[]),
    },
    dhcp: {
      desired: (host) => desiredDhcp(store.read, host),
      report: (host, seen) => reportDhcp(store, host, seen as DhcpSeen[]),
    },
  },
  facts: hearFacts(store),
  async metadata(request) {
    const server = await serverAt(store.read, request)
    if (server === undefined) return notFound
    return compute().metadata({ server, path: request.path, method: request.method })
  },
})

const notFound: MetadataReply = { status: 404, contentType: 'text/plain; charset=UTF-8', body: '404 Not Found' }

/** Whose guest asks: the one server that has this address where the request arrived (OSSA-2013-033: nothing the guest says counts). */
async function serverAt(on: On, { networkId, routerId, ip }: MetadataRequest): Promise<string | undefined> {
  const networks = networkId === undefined ? await networksBehind(on, routerId ?? '') : [networkId]
  if (networks.length === 0) return undefined
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_nic as n', 'n.port_id', 'a.port_id')
    .select('n.owner')
    .distinct()
    .where('a.network_id', 'in', networks)
    .where('a.ip', '=', ip)
    .execute()
  return rows.length === 1 ? rows[0]!.owner : undefined
}

async function networksBehind(on: On, routerId: string): Promise<string[]> {
  const rows = await on
    .selectFrom('network_port')
    .select('network_id')
    .distinct()
    .where('device_id', '=', routerId)
    .where('device_owner', '=', 'network:router_interface')
    .execute()
  return rows.map((row) => row.network_id)
}
