import { type TSchema, Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { render, view } from '../../../kit/http/view.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { ComputeHost, ComputeHosts } from '../domain/hosts.ts'
import { instanceName, type Server } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import { nextLink } from './links.ts'
import { isTrue, noQuery } from './types.ts'

type Shown = ComputeHost & { servers: Server[]; isDetailed: boolean; withServers: boolean; now: number }

const detailed = <T>(from: (host: Shown) => T) => ({ from: (host: Shown) => (host.isDetailed ? from(host) : undefined) })
/** Capacity is placement's to tell from 2.88 on. */
const capacity = <T>(from: (host: Shown) => T) => ({ ...detailed(from), until: '2.87' })
const sum = (host: Shown, of: (server: Server) => number) => host.servers.reduce((total, server) => total + of(server), 0)
const ramUsed = (host: Shown) => 512 + sum(host, ({ flavor }) => flavor.memoryMb)
const diskUsed = (host: Shown) => sum(host, ({ flavor }) => flavor.rootGb)

/** `10:20:30 up 2 days,  3:04,  0 users`: the form of the program whose output this field has always carried. */
function uptime({ facts, up, now }: Shown): string | null {
  if (!up) return null
  const minutes = Math.max(0, Math.floor((now - facts.bootedAt) / 60e6))
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  const clock = new Date(now / 1000).toISOString().slice(11, 19)
  const part = `${days > 0 ? `${days} day${days > 1 ? 's' : ''}, ` : ''}${hours}:${String(minutes % 60).padStart(2, '0')}`
  return ` ${clock} up ${part},  0 users,  load average: 0.00, 0.00, 0.00`
}

const cpuInfo = ({ facts }: Shown) => ({
  arch: 'x86_64',
  model: facts.cpuModel,
  vendor: '',
  features: [],
  topology: { cores: facts.cpus, threads: 1, sockets: 1 },
})

const shape = view<Shown>({
  id: (host, { version }) => (version >= 53 ? host.nodeId : host.number),
  hypervisor_hostname: (host) => host.name,
  state: (host) => (host.up ? 'up' : 'down'),
  status: (host) => (host.enabled ? 'enabled' : 'disabled'),
  hypervisor_type: detailed(() => 'QEMU'),
  hypervisor_version: detailed((host) => host.facts.hypervisorVersion),
  host_ip: detailed((host) => host.facts.address),
  service: {
    from: (host, { version }) =>
      host.isDetailed
        ? { id: version >= 53 ? host.serviceId : host.number, host: host.name, disabled_reason: host.disabledReason }
        : undefined,
  },
  vcpus: capacity((host) => host.facts.cpus),
  memory_mb: capacity((host) => host.facts.memoryMb),
  local_gb: capacity((host) => host.facts.diskGb),
  vcpus_used: capacity((host) => sum(host, ({ flavor }) => flavor.vcpus)),
  memory_mb_used: capacity(ramUsed),
  local_gb_used: capacity(diskUsed),
  free_ram_mb: capacity((host) => host.facts.memoryMb - ramUsed(host)),
  free_disk_gb: capacity((host) => host.facts.diskGb - diskUsed(host)),
  current_workload: capacity((host) => host.servers.filter((server) => server.taskState !== '').length),
  running_vms: capacity((host) => host.servers.length),
  disk_available_least: capacity((host) => host.facts.diskGb - diskUsed(host)),
  cpu_info: {
    from: (host, { version }) => (host.isDetailed ? (version <= 27 ? JSON.stringify(cpuInfo(host)) : cpuInfo(host)) : undefined),
    until: '2.87',
  },
  uptime: { ...detailed(uptime), since: '2.88' },
  servers: {
    from: (host, { version }) => {
      if (!host.withServers || (host.servers.length === 0 && version < 75)) return undefined
      return host.servers.map((server) => ({ name: instanceName(server), uuid: server.id }))
    },
  },
})

const listQuery = (version: number): TSchema => {
  const array = (items: object) => ({ type: 'array', maxItems: version >= 53 ? 1 : 100, items })
  const text = array({ type: 'string' })
  return Type.Unsafe({
    type: 'object',
    properties: {
      ...(version >= 33 ? { limit: array({ type: 'string', pattern: '^[0-9]+$' }), marker: text } : {}),
      ...(version >= 53
        ? {
            hypervisor_hostname_pattern: array({ type: 'string', pattern: '^[a-zA-Z0-9\\-._]+$' }),
            with_servers: array({ type: 'string', pattern: '^([Tt]rue|TRUE|1|on|yes|[Ff]alse|FALSE|0|off|no)$' }),
          }
        : {}),
    },
    additionalProperties: version < 53,
  })
}

export function hypervisorEndpoints(hosts: ComputeHosts, servers: Servers, clock: Clock): Endpoint[] {
  const rule = (verb: string) => `os_compute_api:os-hypervisors:${verb}`
  const noSuch = (id: string) => new Problem('not-found', `Hypervisor with ID '${id}' could not be found.`)
  const show = async (found: ComputeHost[], isDetailed: boolean, withServers: boolean, version: number) => {
    const all = isDetailed || withServers ? await servers.ofHosts(found.map((host) => host.name)) : []
    return found.map((host) => {
      const own = all.filter((server) => server.host === host.name)
      return render(shape, { ...host, servers: own, isDetailed, withServers, now: clock.now() }, { version, can: () => true })
    })
  }
  const matching = async (pattern: string) => {
    const found = (await hosts.list()).filter((host) => host.name.includes(pattern))
    if (found.length === 0) throw new Problem('not-found', `No hypervisor matching '${pattern}' could be found.`)
    return found
  }
  const one = async ({ params, version }: Pick<Ask, 'params' | 'version'>): Promise<ComputeHost> => {
    const id = params['hypervisor_id']!
    if (version >= 53 && !isUuid(id)) throw new Problem('invalid', `Invalid uuid ${id}`)
    const found = (await hosts.list()).find((host) => (version >= 53 ? host.nodeId === id : String(host.number) === id))
    if (!found) throw noSuch(id)
    return found
  }
  /** By limit and marker; hosts are few enough to be cut here. */
  const pageOf = (all: ComputeHost[], { query, version }: Ask) => {
    const idOf = (host: ComputeHost) => (version >= 53 ? host.nodeId : String(host.number))
    const marker = query['marker']?.[0]
    const from = marker === undefined ? 0 : all.findIndex((host) => idOf(host) === marker) + 1
    if (marker !== undefined && from === 0) throw new Problem('invalid', `marker [${marker}] not found`)
    const limit = Math.min(1000, Number(query['limit']?.[0] ?? 1000))
    const found = all.slice(from, from + limit)
    return { found, last: from + limit < all.length && found.length > 0 ? idOf(found.at(-1)!) : undefined }
  }
  const list = (path: string, verb: string, isDetailed: boolean) =>
    endpoint({
      on: `GET ${path}`,
      policy: rule(verb),
      query: listQuery,
      async handle(ask) {
        const { query, version } = ask
        const pattern = version >= 53 ? query['hypervisor_hostname_pattern']?.[0] : undefined
        const withServers = version >= 53 && isTrue(query['with_servers']?.[0] ?? false)
        if (pattern !== undefined) {
          if (query['limit'] || query['marker'])
            throw new Problem(
              'invalid',
              'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
            )
          return { hypervisors: await show(await matching(pattern), isDetailed, withServers, version) }
        }
        const { found, last } = pageOf(await hosts.list(), version >= 33 ? (ask as Ask) : { ...(ask as Ask), query: {} })
        const hypervisors = await show(found, isDetailed, withServers, version)
        return { hypervisors, ...(last === undefined || version < 33 ? {} : { hypervisors_links: nextLink(ask, path, last) }) }
      },
    })
  return [
    list('/os-hypervisors', 'list', false),
    list('/os-hypervisors/detail', 'list-detail', true),
    endpoint({
      on: 'GET /os-hypervisors/statistics',
      policy: rule('statistics'),
      until: '2.87',
      query: noQuery,
      async handle() {
        const up = (await hosts.list()).filter((host) => host.enabled)
        const all = await show(up, true, false, 87)
        const total = (name: string) => all.reduce((sum, one) => sum + Number(one[name]), 0)
        const names = ['current_workload', 'disk_available_least', 'free_disk_gb', 'free_ram_mb', 'local_gb', 'local_gb_used']
        const more = ['memory_mb', 'memory_mb_used', 'running_vms', 'vcpus', 'vcpus_used']
        return {
          hypervisor_statistics: {
            count: all.length,
            ...Object.fromEntries([...names, ...more].map((name) => [name, total(name)])),
          },
        }
      },
    }),
    endpoint({
      on: 'GET /os-hypervisors/{hypervisor_id}',
      policy: rule('show'),
      query: listQuery,
      async handle(ask) {
        const withServers = ask.version >= 53 && isTrue(ask.query['with_servers']?.[0] ?? false)
        const [shown] = await show([await one(ask)], true, withServers, ask.version)
        return { hypervisor: shown }
      },
    }),
    endpoint({
      on: 'GET /os-hypervisors/{hypervisor_id}/uptime',
      policy: rule('uptime'),
      until: '2.87',
      async handle(ask) {
        const host = await one(ask)
        if (!host.up) throw new Problem('invalid', `Service is unavailable at this time: host ${host.name} is down.`)
        const [shown] = await show([host], false, false, ask.version)
        const now = clock.now()
        return {
          hypervisor: {
            ...shown,
            uptime: uptime({ ...host, servers: [], isDetailed: false, withServers: false, now }),
          },
        }
      },
    }),
    endpoint({
      on: 'GET /os-hypervisors/{hypervisor_id}/search',
      policy: rule('search'),
      until: '2.52',
      handle: async ({ params, version }) => ({
        hypervisors: await show(await matching(params['hypervisor_id']!), false, false, version),
      }),
    }),
    endpoint({
      on: 'GET /os-hypervisors/{hypervisor_id}/servers',
      policy: rule('servers'),
      until: '2.52',
      handle: async ({ params, version }) => ({
        hypervisors: await show(await matching(params['hypervisor_id']!), false, true, version),
      }),
    }),
  ]
}
