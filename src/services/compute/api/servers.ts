import { type TSchema, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import type { ViewContext } from '../../../kit/http/view.ts'
import type { Network } from '../../network/contract.ts'
import type { CreateServer } from '../domain/create-server.ts'
import type { ComputeHosts } from '../domain/hosts.ts'
import type { PowerActions } from '../domain/power.ts'
import type { Server } from '../domain/server.ts'
import { listServers, serverListing } from '../domain/server-list.ts'
import type { Servers } from '../domain/servers.ts'
import type { ComputeTables } from '../tables.ts'
import { links, nextLink } from './links.ts'
import { hostnameFor, newPassword, newServer, newServerBody, zoneAsked } from './new-server.ts'
import { selectionOf, serverQuery, sortsIn } from './server-query.ts'
import { briefServer, type HostStatus, type ShownServer, showServer } from './server-view.ts'
import { Description, isTrue, loose, Name, within } from './types.ts'

export type ServerApi = {
  db: Db<ComputeTables>
  servers: Servers
  power: PowerActions
  create: CreateServer
  computeHosts: ComputeHosts
  network: () => Network
}

type Looking = Pick<Ask, 'version' | 'can' | 'origin' | 'params' | 'caller'>

/** Rules are asked once a request and not once a server: `can` of a list speaks of the caller's own project. */
function context({ version, can, caller }: Looking, server?: Server): ViewContext {
  const known = new Map<string, boolean>()
  const target = { project_id: server?.projectId ?? caller.projectId, user_id: server?.userId ?? caller.userId }
  return {
    version,
    can(rule) {
      const answer = known.get(rule) ?? can(rule, target)
      known.set(rule, answer)
      return answer
    },
  }
}

/** Gathers what servers are shown with: ports, tags, hosts; one question each, however many servers. */
export async function gather(api: Pick<ServerApi, 'servers' | 'computeHosts' | 'network'>, ask: Looking, found: Server[]) {
  const ids = found.map((server) => server.id)
  const living = found.filter((server) => !server.deleted).map((server) => server.id)
  const ports = living.length === 0 ? {} : await api.network().portsOf({ owners: living })
  const tags = ask.version >= 26 ? await api.servers.tagsOf(ids) : new Map<string, string[]>()
  const hosts = new Map((ask.version >= 16 ? await api.computeHosts.list() : []).map((host) => [host.name, host]))
  const statusOf = (name: string): HostStatus => {
    const host = hosts.get(name)
    if (name === '') return ''
    if (!host) return 'UNKNOWN'
    if (host.forcedDown) return 'DOWN'
    if (!host.up) return 'UNKNOWN'
    return host.enabled ? 'UP' : 'MAINTENANCE'
  }
  return found.map(
    (server): ShownServer => ({
      server,
      where: ask,
      ports: ports[server.id] ?? [],
      tags: tags.get(server.id) ?? [],
      hostStatus: statusOf(server.host),
      terse: false,
    }),
  )
}

export const instanceMissing = ({ server_id }: Record<string, string>) => `Instance ${server_id} could not be found.`

/** Endpoints of one server: it is there, and who may not see it does not learn that. */
export const ofServer = (servers: Servers) => ({
  subject: ({ params }: { params: Record<string, string> }) => servers.living(params['server_id']!),
  visible: 'os_compute_api:servers:show',
  missing: instanceMissing,
})

export const actor = (ask: Pick<Ask, 'caller' | 'can'>) => ({ caller: ask.caller, isAdmin: ask.can('context_is_admin') })

const updateBody = (version: number): TSchema =>
  within(
    'server',
    loose({
      name: Name,
      'OS-DCF:diskConfig': Type.Unsafe({ type: 'string', enum: ['AUTO', 'MANUAL'] }),
      accessIPv4: Type.String({ format: 'ipv4' }),
      accessIPv6: Type.String({ format: 'ipv6' }),
      ...(version >= 19 ? { description: Description } : {}),
      ...(version >= 90 ? { hostname: hostnameFor(version) } : {}),
    }),
  )

const updateColumns: Record<string, 'name' | 'disk_config' | 'access_ip_v4' | 'access_ip_v6' | 'description' | 'hostname'> = {
  name: 'name',
  'OS-DCF:diskConfig': 'disk_config',
  accessIPv4: 'access_ip_v4',
  accessIPv6: 'access_ip_v6',
  description: 'description',
  hostname: 'hostname',
}

export function serverEndpoints(api: ServerApi): Endpoint[] {
  const { servers, network } = api
  const one = ofServer(servers)
  const show = async (server: Server, ask: Looking, terse = false) => {
    const [shown] = await gather(api, ask, [server])
    const groups = server.groupId === '' ? [] : [server.groupId]
    return { server: showServer({ ...shown!, terse }, context(ask, server), terse ? undefined : groups) }
  }
  const list = (path: string, rule: string, isDetailed: boolean) =>
    endpoint({
      on: `GET ${path}`,
      policy: rule,
      query: serverQuery,
      async handle(ask) {
        const asked = ask as Ask
        const selection = await selectionOf(asked, network(), rule)
        const { servers: found, more } = await listServers(api.db, selection, pageAsk(serverListing, sortsIn(asked)))
        const view = context(asked)
        const shown = isDetailed
          ? (await gather(api, asked, found)).map((server) => showServer(server, view))
          : found.map((server) => briefServer({ server, where: asked }, view))
        return { servers: shown, ...(more ? { servers_links: nextLink(ask, path, found.at(-1)!.id) } : {}) }
      },
    })
  return [
    list('/servers', 'os_compute_api:servers:index', false),
    list('/servers/detail', 'os_compute_api:servers:detail', true),
    endpoint({
      on: 'POST /servers',
      policy: 'os_compute_api:servers:create',
      status: 202,
      body: newServerBody,
      async handle(ask) {
        const body = ask.body as Record<string, Record<string, unknown>>
        const wanted = newServer(body, ask.version)
        await checkRules(ask as Ask, api.computeHosts)
        const may = {
          isAdmin: ask.can('context_is_admin'),
          beDiskless: ask.can('os_compute_api:servers:create:zero_disk_flavor'),
        }
        const made = await api.create(ask.caller, may, wanted)
        if (isTrue(body['server']!['return_reservation_id'] ?? false)) return { reservation_id: made.reservationId }
        const groups = made.securityGroups.length > 0 ? made.securityGroups : ['default']
        const server = {
          id: made.id,
          links: links(ask, 'servers', made.id),
          'OS-DCF:diskConfig': made.diskConfig,
          security_groups: groups.map((name) => ({ name })),
          adminPass: body['server']!['adminPass'] ?? newPassword(),
        }
        return reply({ status: 202, headers: { location: server.links[0]!.href }, body: { server } })
      },
    }),
    endpoint({
      on: 'GET /servers/{server_id}',
      policy: 'os_compute_api:servers:show',
      ...one,
      handle: async (ask) => show(ask.subject!, ask as Ask),
    }),
    endpoint({
      on: 'PUT /servers/{server_id}',
      policy: 'os_compute_api:servers:update',
      body: updateBody,
      ...one,
      async handle(ask) {
        const wire = (ask.body as { server: Record<string, string | null> }).server
        const set = Object.fromEntries(Object.entries(wire).map(([name, value]) => [updateColumns[name]!, value]))
        if (!(await servers.save(ask.subject!.id, set, { deleted: 0 })))
          throw new Problem('not-found', instanceMissing(ask.params))
        return show((await servers.find(ask.subject!.id))!, ask as unknown as Looking, ask.version < 75)
      },
    }),
    endpoint({
      on: 'DELETE /servers/{server_id}',
      policy: 'os_compute_api:servers:delete',
      ...one,
      handle: async (ask) => api.power.remove(ask.subject!, actor(ask)),
    }),
  ]
}

/** Rules of single things that may be asked for at creation. */
async function checkRules(ask: Ask, computeHosts: ComputeHosts): Promise<void> {
  const { server } = ask.body as { server: Record<string, unknown> }
  const must = (rule: string) => {
    if (!ask.can(rule))
      throw new Problem('forbidden', `Policy doesn't allow ${rule} to be performed.`, { code: 'PolicyNotAuthorized' })
  }
  const { host, node } = zoneAsked(server['availability_zone'] as string | undefined)
  const destination = (server['host'] ?? server['hypervisor_hostname']) as string | undefined
  if (host || node) must('os_compute_api:servers:create:forced_host')
  if (destination !== undefined) {
    must('compute:servers:create:requested_destination')
    if (host || node)
      throw new Problem(
        'invalid',
        'One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.',
      )
    if (!(await computeHosts.find(destination))) throw new Problem('invalid', `Compute host ${destination} could not be found.`)
  }
  if (Array.isArray(server['networks']) && server['networks'].length > 0) must('os_compute_api:servers:create:attach_network')
}
