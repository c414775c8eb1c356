import { type Static, Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type CatalogEndpoint, type EndpointChange, type Endpoints, endpointListing } from '../domain/endpoints.ts'
import { existing } from '../domain/names.ts'
import * as wire from './wire.ts'

const Face = Type.Union([Type.Literal('admin'), Type.Literal('internal'), Type.Literal('public')])
const Url = Type.String({ minLength: 1, maxLength: 225, pattern: '^[a-zA-Z0-9+.-]+:.+' })
const fields = {
  interface: Type.Optional(Face),
  service_id: Type.Optional(Type.String()),
  url: Type.Optional(Url),
  enabled: Type.Optional(Type.Boolean()),
  region: Type.Optional(wire.NullableText),
  region_id: Type.Optional(wire.NullableText),
}
const NewEndpoint = Type.Object({ ...fields, interface: Face, service_id: Type.String(), url: Url })
const Change = Type.Object(fields, { minProperties: 1 })

export const endpointView =
  (ask: Pick<Ask, 'origin'>) =>
  (one: CatalogEndpoint): object => ({
    ...one.extra,
    id: one.id,
    interface: one.face,
    region: one.regionId || null,
    region_id: one.regionId || null,
    service_id: one.serviceId,
    url: one.url,
    enabled: one.enabled,
    links: { self: wire.linkTo(ask, `endpoints/${one.id}`) },
  })

export function endpointEndpoints(endpoints: Endpoints): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['endpoint_id']!
  return [
    endpoint({
      on: 'GET /endpoints',
      policy: 'identity:list_endpoints',
      summary: 'List endpoints',
      handle: async (ask) =>
        wire.collection(ask, 'endpoints', await endpoints.list(wire.listAsk(endpointListing, ask.query)), endpointView(ask)),
    }),
    endpoint({
      on: 'POST /endpoints',
      policy: 'identity:create_endpoint',
      summary: 'Create an endpoint',
      status: 201,
      body: wire.one('endpoint', NewEndpoint),
      async handle(ask) {
        const { endpoint: body } = ask.body
        const made = await endpoints.create({
          serviceId: body.service_id,
          face: body.interface,
          url: body.url,
          enabled: true,
          regionId: '',
          ...changeOf(body),
        })
        return { endpoint: endpointView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /endpoints/{endpoint_id}',
      policy: 'identity:get_endpoint',
      summary: 'Show an endpoint',
      handle: async (ask) => ({
        endpoint: endpointView(ask)(existing(await endpoints.find(idOf(ask)), 'endpoint', idOf(ask))),
      }),
    }),
    endpoint({
      on: 'PATCH /endpoints/{endpoint_id}',
      policy: 'identity:update_endpoint',
      summary: 'Change an endpoint',
      body: wire.one('endpoint', Change),
      async handle(ask) {
        wire.assertSameId(ask.body.endpoint, idOf(ask))
        return { endpoint: endpointView(ask)(await endpoints.update(idOf(ask), changeOf(ask.body.endpoint))) }
      },
    }),
    endpoint({
      on: 'DELETE /endpoints/{endpoint_id}',
      policy: 'identity:delete_endpoint',
      summary: 'Delete an endpoint',
      handle: (ask) => endpoints.remove(idOf(ask)),
    }),
  ]
}

/** `region` is the older word for `region_id`, and makes a region that is missing. */
function changeOf(body: Static<typeof Change>): EndpointChange & { extra: Record<string, unknown> } {
  const byOldName = body.region_id === undefined || body.region_id === null
  const region = byOldName && body.region !== undefined ? body.region : body.region_id
  return {
    ...wire.given('face', body.interface),
    ...wire.given('serviceId', body.service_id),
    ...wire.given('url', body.url),
    ...wire.given('enabled', body.enabled),
    ...wire.given('regionId', region === null ? '' : region),
    ...(byOldName && typeof body.region === 'string' && { makeRegion: true }),
    extra: wire.extraOf(body, Change),
  }
}
