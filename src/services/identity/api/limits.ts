import { type Static, Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import { type Limit, type LimitPlace, type Limits, limitListing } from '../domain/limits.ts'
import type { Projects } from '../domain/projects.ts'
import { noLimitFor, type RegisteredLimit, type RegisteredLimits, registeredLimitListing } from '../domain/registered-limits.ts'
import * as wire from './wire.ts'

const Amount = Type.Integer({ minimum: -1, maximum: 0x7fffffff })
const ResourceName = Type.String({ minLength: 1, maxLength: 255 })

const registered = {
  service_id: Type.Optional(wire.Id),
  region_id: Type.Optional(wire.NullableText),
  resource_name: Type.Optional(ResourceName),
  default_limit: Type.Optional(Amount),
  description: Type.Optional(wire.NullableText),
}
const strict = { additionalProperties: false }
const NewRegistered = Type.Array(
  Type.Object({ ...registered, service_id: wire.Id, resource_name: ResourceName, default_limit: Amount }, strict),
  { minItems: 1, maxItems: 1000 },
)
const RegisteredChange = Type.Object(registered, strict)

const common = {
  service_id: wire.Id,
  region_id: Type.Optional(wire.NullableText),
  resource_name: ResourceName,
  resource_limit: Amount,
  description: Type.Optional(wire.NullableText),
}
const NewLimit = Type.Union([
  Type.Object({ ...common, project_id: wire.Id }, strict),
  Type.Object({ ...common, domain_id: wire.Id }, strict),
])
const NewLimits = Type.Array(NewLimit, { minItems: 1, maxItems: 1000 })
const LimitChange = Type.Object({ resource_limit: Type.Optional(Amount), description: Type.Optional(wire.NullableText) }, strict)

const registeredView =
  (ask: Pick<Ask, 'origin'>) =>
  (limit: RegisteredLimit): object => ({
    id: limit.id,
    service_id: limit.serviceId,
    region_id: limit.regionId || null,
    resource_name: limit.resourceName,
    default_limit: limit.defaultLimit,
    description: limit.description,
    links: { self: wire.linkTo(ask, `registered_limits/${limit.id}`) },
  })

const limitView =
  (ask: Pick<Ask, 'origin'>) =>
  (limit: Limit): object => ({
    id: limit.id,
    project_id: limit.projectId || null,
    domain_id: limit.domainId || null,
    service_id: limit.serviceId,
    region_id: limit.regionId || null,
    resource_name: limit.resourceName,
    resource_limit: limit.resourceLimit,
    description: limit.description,
    links: { self: wire.linkTo(ask, `limits/${limit.id}`) },
  })

export function registeredLimitEndpoints(limits: RegisteredLimits): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['registered_limit_id']!
  return [
    endpoint({
      on: 'GET /registered_limits',
      policy: 'identity:list_registered_limits',
      summary: 'List registered limits',
      async handle(ask) {
        const found = await limits.list(wire.listAsk(registeredLimitListing, ask.query))
        return wire.collection(ask, 'registered_limits', found, registeredView(ask))
      },
    }),
    endpoint({
      on: 'POST /registered_limits',
      policy: 'identity:create_registered_limits',
      summary: 'Register limits, all or none',
      status: 201,
      body: wire.one('registered_limits', NewRegistered),
      async handle(ask) {
        const made = await limits.create(
          ask.body.registered_limits.map((limit) => ({
            serviceId: limit.service_id,
            regionId: limit.region_id ?? '',
            resourceName: limit.resource_name,
            defaultLimit: limit.default_limit,
            description: limit.description ?? null,
          })),
        )
        return { registered_limits: made.map(registeredView(ask)) }
      },
    }),
    endpoint({
      on: 'GET /registered_limits/{registered_limit_id}',
      policy: 'identity:get_registered_limit',
      summary: 'Show a registered limit',
      async handle(ask) {
        const found = await limits.find(idOf(ask))
        if (!found) throw noLimitFor('registered limit', idOf(ask))
        return { registered_limit: registeredView(ask)(found) }
      },
    }),
    endpoint({
      on: 'PATCH /registered_limits/{registered_limit_id}',
      policy: 'identity:update_registered_limit',
      summary: 'Change a registered limit that nothing goes by yet',
      body: wire.one('registered_limit', RegisteredChange),
      async handle(ask) {
        const { registered_limit: limit } = ask.body
        const changed = await limits.update(idOf(ask), {
          ...wire.given('serviceId', limit.service_id),
          ...wire.given('regionId', limit.region_id === null ? '' : limit.region_id),
          ...wire.given('resourceName', limit.resource_name),
          ...wire.given('defaultLimit', limit.default_limit),
          ...wire.given('description', limit.description),
        })
        return { registered_limit: registeredView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /registered_limits/{registered_limit_id}',
      policy: 'identity:delete_registered_limit',
      summary: 'Delete a registered limit that nothing goes by',
      handle: (ask) => limits.remove(idOf(ask)),
    }),
  ]
}

type Found = { limit: Limit | undefined; domainId: string | undefined }

export function limitEndpoints(limits: Limits, projects: Projects): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['limit_id']!
  return [
    endpoint({
      on: 'GET /limits/model',
      policy: 'identity:get_limit_model',
      summary: 'Show how limits of domains and projects go together',
      handle: async () => ({ model: { name: limits.model.name, description: limits.model.description } }),
    }),
    endpoint({
      on: 'GET /limits',
      policy: 'identity:list_limits',
      summary: 'List limits: those of the token’s project or domain, or all',
      async handle(ask) {
        const list = wire.listAsk(limitListing, ask.query)
        const seesAll = ask.caller.system || ask.can('admin_required')
        const found = await limits.list(list, seesAll ? undefined : placeOf(ask.caller))
        return wire.collection(ask, 'limits', found, limitView(ask))
      },
    }),
    endpoint({
      on: 'POST /limits',
      policy: 'identity:create_limits',
      summary: 'Create limits, all or none',
      status: 201,
      body: wire.one('limits', NewLimits),
      handle: async (ask) => ({ limits: (await limits.create(ask.body.limits.map(newLimit))).map(limitView(ask)) }),
    }),
    endpoint({
      on: 'GET /limits/{limit_id}',
      policy: 'identity:get_limit',
      summary: 'Show a limit',
      async subject(ask): Promise<Found> {
        const limit = await limits.find(idOf(ask))
        const project = limit?.projectId ? await projects.find(limit.projectId) : undefined
        return { limit, domainId: project?.domainId }
      },
      target: ({ subject: { limit, domainId } }) => ({
        target: limit
          ? {
              limit: {
                project_id: limit.projectId || null,
                ...(limit.domainId ? { domain: { id: limit.domainId } } : { project: { domain_id: domainId } }),
              },
            }
          : {},
      }),
      async handle(ask) {
        const { limit } = ask.subject
        if (!limit) throw noLimitFor('limit', idOf(ask))
        return { limit: limitView(ask)(limit) }
      },
    }),
    endpoint({
      on: 'PATCH /limits/{limit_id}',
      policy: 'identity:update_limit',
      summary: 'Change a limit',
      body: wire.one('limit', LimitChange),
      async handle(ask) {
        const { limit } = ask.body
        const changed = await limits.update(idOf(ask), {
          ...wire.given('resourceLimit', limit.resource_limit),
          ...wire.given('description', limit.description),
        })
        return { limit: limitView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /limits/{limit_id}',
      policy: 'identity:delete_limit',
      summary: 'Delete a limit: the registered one holds again',
      handle: (ask) => limits.remove(idOf(ask)),
    }),
  ]
}

/** Who is nowhere sees nothing: no limit is of the project ''. */
const placeOf = ({ projectId, domainId }: Caller): LimitPlace =>
  domainId === undefined ? { projectId: projectId ?? 'none' } : { domainId }

const newLimit = (limit: Static<typeof NewLimit>): Omit<Limit, 'id'> => ({
  projectId: 'project_id' in limit ? limit.project_id : '',
  domainId: 'domain_id' in limit ? limit.domain_id : '',
  serviceId: limit.service_id,
  regionId: limit.region_id ?? '',
  resourceName: limit.resource_name,
  resourceLimit: limit.resource_limit,
  description: limit.description ?? null,
})
