import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { ComputeHosts } from '../domain/hosts.ts'
import type { Servers } from '../domain/servers.ts'
import type { ComputeService, ComputeServices } from '../domain/services.ts'
import { isoBare } from './times.ts'
import { Bool, Fqdn, isTrue, loose, querySchema } from './types.ts'

const shown = (service: ComputeService, version: number) => ({
  binary: service.binary,
  host: service.host,
  id: version >= 53 ? service.id : service.number,
  zone: service.zone,
  status: service.enabled ? 'enabled' : 'disabled',
  state: service.up ? 'up' : 'down',
  updated_at: service.updatedAt === undefined ? null : isoBare(service.updatedAt),
  disabled_reason: service.disabledReason,
  ...(version >= 11 ? { forced_down: service.forcedDown } : {}),
})

const Short = Type.String({ minLength: 1, maxLength: 255 })
const byHost = (version: number): TSchema =>
  loose({ host: Fqdn, binary: Short, disabled_reason: Short, ...(version >= 11 ? { forced_down: Bool } : {}) }, [
    'host',
    'binary',
  ])
const byId = loose({
  status: Type.Unsafe({ type: 'string', enum: ['enabled', 'disabled'] }),
  disabled_reason: Short,
  forced_down: Bool,
})

type Change = { enabled?: boolean; disabledReason?: string | null; forcedDown?: boolean }

/** What the old form's path and body ask for, and its answer. Throws not-found for an action that is none. */
function oldChange(action: string, body: Record<string, string>, version: number): { set: Change; answer: object } {
  const named = { host: body['host'], binary: body['binary'] }
  const reason = body['disabled_reason']
  switch (action) {
    case 'enable':
      return { set: { enabled: true, disabledReason: null }, answer: { ...named, status: 'enabled' } }
    case 'disable':
      return { set: { enabled: false, disabledReason: null }, answer: { ...named, status: 'disabled' } }
    case 'disable-log-reason':
      if (reason === undefined) throw new Problem('invalid', 'Missing disabled reason field')
      return {
        set: { enabled: false, disabledReason: reason },
        answer: { ...named, status: 'disabled', disabled_reason: reason },
      }
    case 'force-down':
      if (version < 11) break
      if (body['forced_down'] === undefined) throw new Problem('invalid', 'Missing forced_down field')
      return {
        set: { forcedDown: isTrue(body['forced_down']) },
        answer: { ...named, forced_down: isTrue(body['forced_down']) },
      }
  }
  throw new Problem('not-found', 'Unknown action')
}

function newChange(body: Record<string, unknown>): Change {
  const reason = body['disabled_reason'] as string | undefined
  if (body['status'] === 'enabled' && reason !== undefined)
    throw new Problem('invalid', "Specifying 'disabled_reason' with status 'enabled' is invalid.")
  if (body['status'] === undefined && body['forced_down'] === undefined)
    throw new Problem('invalid', "No updates were requested. Fields 'status' or 'forced_down' should be specified.")
  return {
    ...(body['status'] === undefined
      ? {}
      : { enabled: body['status'] === 'enabled', disabledReason: body['status'] === 'enabled' ? null : (reason ?? null) }),
    ...(body['forced_down'] === undefined ? {} : { forcedDown: isTrue(body['forced_down']) }),
  }
}

const onlyCompute = (binary: string) =>
  new Problem('invalid', `Updating a ${binary} service is not supported. Only nova-compute services can be updated.`)

export function serviceEndpoints(services: ComputeServices, hosts: ComputeHosts, servers: Servers): Endpoint[] {
  const find = async (id: string, version: number) => {
    if (version >= 53 && !isUuid(id)) throw new Problem('invalid', `Invalid uuid ${id}`)
    const all = await services.list()
    return all.find((service) => (version >= 53 ? service.id === id : String(service.number) === id))
  }
  return [
    endpoint({
      on: 'GET /os-services',
      policy: 'os_compute_api:os-services:list',
      query: querySchema({ known: ['host', 'binary'] }),
      async handle({ query, version }) {
        const is = (name: 'host' | 'binary', service: ComputeService) =>
          query[name] === undefined || query[name].includes(service[name])
        const found = (await services.list()).filter((service) => is('host', service) && is('binary', service))
        return { services: found.map((service) => shown(service, version)) }
      },
    }),
    endpoint({
      on: 'PUT /os-services/{service_id}',
      policy: 'os_compute_api:os-services:update',
      until: '2.52',
      body: byHost,
      async handle({ params, body, version }) {
        const { set, answer } = oldChange(params['service_id']!, body as Record<string, string>, version)
        const { host, binary } = body as { host: string; binary: string }
        if (binary !== 'nova-compute') throw onlyCompute(binary)
        if (!(await hosts.find(host))) throw new Problem('not-found', `Could not find binary ${binary} on host ${host}.`)
        await hosts.update(host, set)
        return { service: answer }
      },
    }),
    endpoint({
      on: 'PUT /os-services/{service_id}',
      policy: 'os_compute_api:os-services:update',
      since: '2.53',
      body: byId,
      async handle({ params, body, version }) {
        const service = await find(params['service_id']!, version)
        if (!service) throw new Problem('not-found', `Service ${params['service_id']} could not be found.`)
        if (service.binary !== 'nova-compute') throw onlyCompute(service.binary)
        await hosts.update(service.host, newChange(body))
        return { service: shown((await find(service.id, version))!, version) }
      },
    }),
    endpoint({
      on: 'DELETE /os-services/{service_id}',
      policy: 'os_compute_api:os-services:delete',
      async handle({ params, version }) {
        const id = params['service_id']!
        if (version < 53 && !/^\d+$/.test(id)) throw new Problem('invalid', `id must be an integer: ${id}`)
        const service = await find(id, version)
        if (!service) throw new Problem('not-found', `Service ${id} not found.`)
        const host = await hosts.find(service.host)
        if (!host) throw new Problem('invalid', `The ${service.binary} service is part of every controller.`)
        if ((await servers.ofHosts([host.name])).length > 0)
          throw new Problem(
            'conflict',
            'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
          )
        await hosts.forget(host)
      },
    }),
  ]
}
