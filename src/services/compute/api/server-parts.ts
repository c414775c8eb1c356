import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import type { Quota } from '../../../kit/quota/quota.ts'
import type { Network } from '../../network/contract.ts'
import { refuseLocked, refuseState } from '../domain/power.ts'
import type { Server } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import type { VmState } from '../domain/states.ts'
import type { ComputeTables } from '../tables.ts'
import { addresses } from './server-view.ts'
import { actor, ofServer } from './servers.ts'
import { Metadata, strict, Tag } from './types.ts'

const resting: VmState[] = ['active', 'paused', 'suspended', 'stopped']
const maxTags = 50

export function serverMetadataEndpoints(servers: Servers, quota: Quota<ComputeTables>): Endpoint[] {
  const one = ofServer(servers)
  const rule = (verb: string) => `os_compute_api:server-metadata:${verb}`
  const path = '/servers/{server_id}/metadata'
  const change = async (
    ask: { subject: Server | undefined; caller: Parameters<typeof actor>[0]['caller']; can: Parameters<typeof actor>[0]['can'] },
    next: (old: Record<string, string>) => Record<string, string>,
    verb = 'update metadata',
  ) => {
    const server = ask.subject!
    refuseLocked(server, actor(ask))
    refuseState(server, verb, resting, 'any')
    const limit = (await quota.limits(server.projectId))['metadata_items'] ?? -1
    return servers.setMetadata(server.id, (old) => {
      const metadata = next(old)
      if (limit >= 0 && Object.keys(metadata).length > limit)
        throw new Problem('over-quota', `Maximum number of metadata items exceeds ${limit}`)
      return metadata
    })
  }
  const held = (server: Server, key: string) => {
    if (!Object.hasOwn(server.metadata, key)) throw new Problem('not-found', 'Metadata item was not found')
    return server.metadata[key]!
  }
  return [
    endpoint({
      on: `GET ${path}`,
      policy: rule('index'),
      ...one,
      handle: async ({ subject }) => ({ metadata: subject!.metadata }),
    }),
    endpoint({
      on: `POST ${path}`,
      policy: rule('create'),
      body: strict({ metadata: Metadata }),
      ...one,
      handle: async (ask) => ({ metadata: await change(ask, (old) => ({ ...old, ...ask.body.metadata })) }),
    }),
    endpoint({
      on: `PUT ${path}`,
      policy: rule('update_all'),
      body: strict({ metadata: Metadata }),
      ...one,
      handle: async (ask) => ({ metadata: await change(ask, () => ask.body.metadata) }),
    }),
    endpoint({
      on: `GET ${path}/{key}`,
      policy: rule('show'),
      ...one,
      handle: async ({ subject, params }) => ({ meta: { [params['key']!]: held(subject!, params['key']!) } }),
    }),
    endpoint({
      on: `PUT ${path}/{key}`,
      policy: rule('update'),
      body: strict({ meta: Type.Unsafe<Record<string, string>>({ ...Metadata, minProperties: 1, maxProperties: 1 }) }),
      ...one,
      async handle(ask) {
        if (!Object.hasOwn(ask.body.meta, ask.params['key']!)) throw new Problem('invalid', 'Request body and URI mismatch')
        await change(ask, (old) => ({ ...old, ...ask.body.meta }))
        return { meta: ask.body.meta }
      },
    }),
    endpoint({
      on: `DELETE ${path}/{key}`,
      policy: rule('delete'),
      ...one,
      async handle(ask) {
        held(ask.subject!, ask.params['key']!)
        await change(ask, ({ [ask.params['key']!]: _, ...rest }) => rest, 'delete metadata')
      },
    }),
  ]
}

export function serverTagEndpoints(servers: Servers): Endpoint[] {
  const one = { ...ofServer(servers), since: '2.26' }
  const rule = (verb: string) => `os_compute_api:os-server-tags:${verb}`
  const path = '/servers/{server_id}/tags'
  const tags = async (id: string) => (await servers.tagsOf([id])).get(id)!
  const missing = (id: string, tag: string) => new Problem('not-found', `Server ${id} has no tag '${tag}'`)
  return [
    endpoint({
      on: `GET ${path}`,
      policy: rule('index'),
      ...one,
      handle: async ({ subject }) => ({ tags: await tags(subject!.id) }),
    }),
    endpoint({
      on: `PUT ${path}`,
      policy: rule('update_all'),
      body: strict({ tags: Type.Array(Tag, { maxItems: maxTags }) }),
      ...one,
      async handle({ subject, body }) {
        refuseState(subject!, 'update tags', resting, 'any')
        return { tags: await servers.setTags(subject!.id, body.tags) }
      },
    }),
    endpoint({
      on: `DELETE ${path}`,
      policy: rule('delete_all'),
      ...one,
      async handle({ subject }) {
        refuseState(subject!, 'delete tags', resting, 'any')
        await servers.setTags(subject!.id, [])
      },
    }),
    endpoint({
      on: `GET ${path}/{tag}`,
      policy: rule('show'),
      ...one,
      async handle({ subject, params }) {
        if (!(await tags(subject!.id)).includes(params['tag']!)) throw missing(subject!.id, params['tag']!)
      },
    }),
    endpoint({
      on: `PUT ${path}/{tag}`,
      policy: rule('update'),
      ...one,
      async handle({ subject, params, origin, url }) {
        const { id } = subject!
        const tag = params['tag']!
        refuseState(subject!, 'update tag', resting, 'any')
        if (tag.length > 60 || /[,/]/.test(tag))
          throw new Problem(
            'invalid',
            `Tag '${tag}' is invalid. It must be a non empty string without characters '/' and ',', of 60 characters at most.`,
          )
        const held = await tags(id)
        if (held.length >= maxTags) throw new Problem('invalid', `The number of tags exceeded the per-server limit ${maxTags}`)
        if (!(await servers.addTag(id, tag))) return undefined
        return reply({ status: 201, headers: { location: `${origin}${url}` } })
      },
    }),
    endpoint({
      on: `DELETE ${path}/{tag}`,
      policy: rule('delete'),
      ...one,
      async handle({ subject, params }) {
        refuseState(subject!, 'delete tag', resting, 'any')
        if (!(await servers.removeTag(subject!.id, params['tag']!))) throw missing(subject!.id, params['tag']!)
      },
    }),
  ]
}

/** Small things one may know of a server. */
export function serverFactEndpoints(servers: Servers, network: () => Network): Endpoint[] {
  const one = ofServer(servers)
  const ports = async (id: string) => (await network().portsOf({ owners: [id] }))[id] ?? []
  return [
    endpoint({
      on: 'GET /servers/{server_id}/ips',
      policy: 'os_compute_api:ips:index',
      ...one,
      handle: async ({ subject }) => ({ addresses: addresses(await ports(subject!.id), true) }),
    }),
    endpoint({
      on: 'GET /servers/{server_id}/ips/{network_label}',
      policy: 'os_compute_api:ips:show',
      ...one,
      async handle({ subject, params }) {
        const name = params['network_label']!
        const found = addresses(await ports(subject!.id), true)
        if (!Object.hasOwn(found, name)) throw new Problem('not-found', 'Instance is not a member of specified network')
        return { [name]: found[name] }
      },
    }),
    endpoint({
      on: 'GET /servers/{server_id}/os-security-groups',
      policy: 'os_compute_api:os-security-groups:list',
      ...one,
      async handle({ subject }) {
        const { id, projectId } = subject!
        const groups = new Map((await ports(id)).flatMap((port) => port.securityGroups.map((group) => [group.id, group.name])))
        return {
          security_groups: [...groups].map(([groupId, name]) => ({
            id: groupId,
            name,
            tenant_id: projectId,
            description: '',
            rules: [],
          })),
        }
      },
    }),
    endpoint({
      on: 'GET /servers/{server_id}/os-server-password',
      policy: 'os_compute_api:os-server-password:show',
      ...one,
      handle: async () => ({ password: '' }),
    }),
    endpoint({
      on: 'DELETE /servers/{server_id}/os-server-password',
      policy: 'os_compute_api:os-server-password:clear',
      ...one,
      handle: async () => undefined,
    }),
    endpoint({
      on: 'GET /servers/{server_id}/topology',
      policy: 'compute:server:topology:index',
      since: '2.78',
      ...one,
      handle: async () => ({ nodes: [], pagesize_kb: null }),
    }),
    endpoint({
      on: 'GET /servers/{server_id}/os-volume_attachments',
      policy: 'os_compute_api:os-volumes-attachments:index',
      ...one,
      handle: async () => ({ volumeAttachments: [] }),
    }),
  ]
}
