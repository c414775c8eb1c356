import { Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { existing } from '../domain/names.ts'
import { type CatalogService, type Services, serviceListing } from '../domain/services.ts'
import * as wire from './wire.ts'

const ServiceType = Type.String({ minLength: 1, maxLength: 255 })
const fields = {
  type: Type.Optional(ServiceType),
  enabled: Type.Optional(Type.Boolean()),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
}
const NewService = Type.Object({ ...fields, type: ServiceType })
const ServiceChange = Type.Object(fields, { minProperties: 1 })
/** Name and description are no columns of their own. */
const columns = Type.Object({ type: fields.type, enabled: fields.enabled })

const serviceView =
  (ask: Pick<Ask, 'origin'>) =>
  (service: CatalogService): object => ({
    name: '',
    ...service.extra,
    id: service.id,
    type: service.type,
    enabled: service.enabled,
    links: { self: wire.linkTo(ask, `services/${service.id}`) },
  })

export function serviceEndpoints(services: Services): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['service_id']!
  return [
    endpoint({
      on: 'GET /services',
      policy: 'identity:list_services',
      summary: 'List services',
      async handle(ask) {
        const found = await services.list(wire.listAsk(serviceListing, ask.query), ask.query['name']?.at(-1))
        return wire.collection(ask, 'services', found, serviceView(ask))
      },
    }),
    endpoint({
      on: 'POST /services',
      policy: 'identity:create_service',
      summary: 'Create a service',
      status: 201,
      body: wire.one('service', NewService),
      async handle(ask) {
        const { service } = ask.body
        const made = await services.create({
          type: service.type,
          enabled: service.enabled ?? true,
          extra: wire.extraOf(service, columns),
        })
        return { service: serviceView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /services/{service_id}',
      policy: 'identity:get_service',
      summary: 'Show a service',
      handle: async (ask) => ({ service: serviceView(ask)(existing(await services.find(idOf(ask)), 'service', idOf(ask))) }),
    }),
    endpoint({
      on: 'PATCH /services/{service_id}',
      policy: 'identity:update_service',
      summary: 'Change a service',
      body: wire.one('service', ServiceChange),
      async handle(ask) {
        const { service } = ask.body
        wire.assertSameId(service, idOf(ask))
        const changed = await services.update(idOf(ask), {
          ...wire.given('type', service.type),
          ...wire.given('enabled', service.enabled),
          extra: wire.extraOf(service, columns),
        })
        return { service: serviceView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /services/{service_id}',
      policy: 'identity:delete_service',
      summary: 'Delete a service with its endpoints',
      handle: (ask) => services.remove(idOf(ask)),
    }),
  ]
}
