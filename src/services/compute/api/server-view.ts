import { createHash } from 'node:crypto'
import { isoSeconds } from '../../../kit/clock.ts'
import type { Ask } from '../../../kit/http/endpoint.ts'
import { render, type ViewContext, view } from '../../../kit/http/view.ts'
import type { NetworkPort } from '../../network/contract.ts'
import { instanceName, type Server } from '../domain/server.ts'
import { status } from '../domain/states.ts'
import { bookmark, links } from './links.ts'
import { isoBare, isoOrNull } from './times.ts'

export type HostStatus = '' | 'UP' | 'DOWN' | 'UNKNOWN' | 'MAINTENANCE'

export type ShownServer = {
  server: Server
  where: Pick<Ask, 'origin' | 'params'>
  ports: NetworkPort[]
  tags: string[]
  hostStatus: HostStatus
  /** The answer to an update before 2.75 says less. */
  terse: boolean
}

export const hostId = (projectId: string, host: string): string =>
  host === '' ? '' : createHash('sha224').update(`${projectId}${host}`).digest('hex')

/** Addresses by network, fixed ones and the floating ones that lead to them. */
export function addresses(ports: NetworkPort[], terse = false): Record<string, Record<string, unknown>[]> {
  const found: Record<string, Record<string, unknown>[]> = {}
  for (const port of ports) {
    const list = found[port.networkName] ?? []
    found[port.networkName] = list
    for (const fixed of port.fixedIps) {
      const extra = (type: string) => (terse ? {} : { 'OS-EXT-IPS:type': type, 'OS-EXT-IPS-MAC:mac_addr': port.mac })
      list.push({ version: fixed.version, addr: fixed.ip, ...extra('fixed') })
      for (const floating of port.floatingIps.filter((one) => one.fixedIp === fixed.ip))
        list.push({ version: 4, addr: floating.ip, ...extra('floating') })
    }
  }
  return found
}

function securityGroups({ ports }: ShownServer) {
  const names = [...new Set(ports.flatMap((port) => port.securityGroups.map((group) => group.name)))]
  return names.length === 0 ? undefined : names.map((name) => ({ name }))
}

function flavorView({ server: { flavor }, where }: ShownServer, { version, can }: ViewContext) {
  if (version < 47) return { id: flavor.id, links: bookmark(where, 'flavors', flavor.id) }
  return {
    vcpus: flavor.vcpus,
    ram: flavor.memoryMb,
    disk: flavor.rootGb,
    ephemeral: flavor.ephemeralGb,
    swap: flavor.swapMb,
    original_name: flavor.name,
    ...(can('os_compute_api:servers:show:flavor-extra-specs') ? { extra_specs: flavor.extraSpecs } : {}),
  }
}

function faultView({ server: { fault, vmState } }: ShownServer, { can }: ViewContext) {
  if (!fault || (vmState !== 'error' && vmState !== 'deleted')) return undefined
  return {
    code: fault.code,
    created: isoSeconds(fault.created),
    message: fault.message,
    ...(fault.details !== '' && can('context_is_admin') ? { details: fault.details } : {}),
  }
}

const withProgress = ['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING']

function hostStatusView({ hostStatus }: ShownServer, { can }: ViewContext): string | undefined {
  if (can('os_compute_api:servers:show:host_status')) return hostStatus
  const isUnknown = hostStatus === 'UNKNOWN' && can('os_compute_api:servers:show:host_status:unknown-only')
  return isUnknown ? hostStatus : undefined
}

const attributes = 'os_compute_api:os-extended-server-attributes'
const full = <T>(from: (shown: ShownServer, context: ViewContext) => T) => ({
  from: (shown: ShownServer, context: ViewContext) => (shown.terse ? undefined : from(shown, context)),
})

const brief = view<ShownServer>({
  id: ({ server }) => server.id,
  name: ({ server }) => server.name,
  links: ({ server, where }) => links(where, 'servers', server.id),
})

const whole = view<ShownServer>({
  id: ({ server }) => server.id,
  name: ({ server }) => server.name,
  status: ({ server }) => status(server.vmState, server.taskState),
  tenant_id: ({ server }) => server.projectId,
  user_id: ({ server }) => server.userId,
  metadata: ({ server }) => server.metadata,
  hostId: ({ server }) => hostId(server.projectId, server.host),
  image: ({ server, where }) => ({ id: server.image.id, links: bookmark(where, 'images', server.image.id) }),
  flavor: flavorView,
  created: ({ server }) => isoSeconds(server.createdAt),
  updated: ({ server }) => isoSeconds(server.updatedAt),
  addresses: ({ ports, terse }) => addresses(ports, terse),
  accessIPv4: ({ server }) => server.accessIpV4,
  accessIPv6: ({ server }) => server.accessIpV6,
  links: ({ server, where }) => links(where, 'servers', server.id),
  'OS-DCF:diskConfig': ({ server }) => server.diskConfig,
  fault: faultView,
  progress: ({ server }) => (withProgress.includes(status(server.vmState, server.taskState)) ? server.progress : undefined),
  'OS-EXT-AZ:availability_zone': full(({ server }) => server.zone || server.pinnedZone),
  config_drive: full(({ server }) => (server.configDrive ? 'True' : '')),
  key_name: full(({ server }) => server.keyName),
  'OS-SRV-USG:launched_at': full(({ server }) => isoOrNull(server.launchedAt, isoBare)),
  'OS-SRV-USG:terminated_at': full(({ server }) => isoOrNull(server.terminatedAt, isoBare)),
  security_groups: full((shown) => securityGroups(shown)),
  'OS-EXT-SRV-ATTR:host': { ...full(({ server }) => server.host || null), rule: attributes },
  'OS-EXT-SRV-ATTR:instance_name': { ...full(({ server }) => instanceName(server)), rule: attributes },
  'OS-EXT-SRV-ATTR:hypervisor_hostname': { ...full(({ server }) => server.host || null), rule: attributes },
  'OS-EXT-SRV-ATTR:reservation_id': { ...full(({ server }) => server.reservationId), since: '2.3', rule: attributes },
  'OS-EXT-SRV-ATTR:launch_index': { ...full(({ server }) => server.launchIndex), since: '2.3', rule: attributes },
  'OS-EXT-SRV-ATTR:hostname': {
    // Everybody's from 2.90 on.
    from: ({ server, terse }, { version, can }) => ((version >= 90 || can(attributes)) && !terse ? server.hostname : undefined),
    since: '2.3',
  },
  'OS-EXT-SRV-ATTR:kernel_id': { ...full(() => ''), since: '2.3', rule: attributes },
  'OS-EXT-SRV-ATTR:ramdisk_id': { ...full(() => ''), since: '2.3', rule: attributes },
  'OS-EXT-SRV-ATTR:root_device_name': {
    ...full(({ server }) => (server.host === '' ? null : '/dev/vda')),
    since: '2.3',
    rule: attributes,
  },
  'OS-EXT-SRV-ATTR:user_data': { ...full(({ server }) => server.userData), since: '2.3', rule: attributes },
  'OS-EXT-STS:task_state': full(({ server }) => server.taskState || null),
  'OS-EXT-STS:vm_state': full(({ server }) => server.vmState),
  'OS-EXT-STS:power_state': full(({ server }) => server.powerState),
  'os-extended-volumes:volumes_attached': full(() => []),
  host_status: { ...full(hostStatusView), since: '2.16' },
  locked: { from: ({ server }) => server.locked, since: '2.9' },
  locked_reason: { from: ({ server }) => server.lockedReason, since: '2.73' },
  description: { from: ({ server }) => server.description, since: '2.19' },
  tags: { from: ({ tags }) => tags, since: '2.26' },
  trusted_image_certificates: { from: () => null, since: '2.63' },
  pinned_availability_zone: { from: ({ server }) => server.pinnedZone || null, since: '2.96' },
})

/** `groups`: ids of the groups the server is in; only where one server is shown (2.71). */
export function showServer(shown: ShownServer, context: ViewContext, groups?: string[]) {
  const body = render(whole, shown, context)
  return groups && context.version >= 71 ? { ...body, server_groups: groups } : body
}

export const briefServer = (shown: Pick<ShownServer, 'server' | 'where'>, context: ViewContext) =>
  render(brief, shown as ShownServer, context)
