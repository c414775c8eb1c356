import type { Clock } from '../../../kit/clock.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Inventory } from '../contract.ts'
import {
  addInventory,
  changeInventory,
  findInventory,
  inventoriesOf,
  noInventory,
  removeInventory,
  replaceInventories,
} from '../domain/inventories.ts'
import type { Provider } from '../domain/providers.ts'
import type { PlacementDb } from '../tables.ts'
import { AllBody, allFromBody, allShown, fromBody, NewBody, OneBody, shown } from './inventory-wire.ts'
import { providerPath } from './providers.ts'
import { fresh, newestOf, providerSubject } from './wire.ts'

type Versioned = Pick<Ask, 'version'>

export function inventoryEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const rules = ({ version }: Versioned, generation?: number) => ({
    mayBeFull: version >= 26,
    ...(generation === undefined ? {} : { generation }),
  })
  const all = async (ask: Versioned, { id, generation }: Provider) => {
    const found = await inventoriesOf(db.read, id)
    return fresh(ask, newestOf(found), { body: allShown(generation, found) })
  }
  const one = (ask: Versioned, inventory: Inventory, provider: Provider, more: { status?: number; location?: string } = {}) =>
    fresh(ask, provider.updatedAt, {
      ...(more.status === undefined ? {} : { status: more.status }),
      ...(more.location === undefined ? {} : { headers: { location: more.location } }),
      body: { ...shown(inventory), resource_provider_generation: provider.generation },
    })
  const place = { ...providerSubject(db) }
  return [
    endpoint({
      on: 'GET /resource_providers/{uuid}/inventories',
      policy: 'placement:resource_providers:inventories:list',
      summary: 'List inventories of a resource provider',
      ...place,
      handle: (ask) => all(ask, ask.subject!),
    }),
    endpoint({
      on: 'POST /resource_providers/{uuid}/inventories',
      policy: 'placement:resource_providers:inventories:create',
      summary: 'Add an inventory to a resource provider',
      body: NewBody,
      ...place,
      async handle(ask) {
        const { resource_class: resource, ...body } = ask.body
        const inventory = fromBody(body as Parameters<typeof fromBody>[0])
        const provider = await addInventory(db, clock, { provider: ask.subject!.id, resource, inventory }, rules(ask))
        return one(ask, inventory, provider, {
          status: 201,
          location: `${providerPath(provider.id)}/inventories/${resource}`,
        })
      },
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}/inventories',
      policy: 'placement:resource_providers:inventories:update',
      summary: 'Replace all inventories of a resource provider',
      body: AllBody,
      ...place,
      async handle(ask) {
        const { resource_provider_generation: generation, inventories } = ask.body
        const wanted = allFromBody(inventories)
        return all(ask, await replaceInventories(db, clock, ask.subject!.id, wanted, rules(ask, generation)))
      },
    }),
    endpoint({
      on: 'DELETE /resource_providers/{uuid}/inventories',
      policy: 'placement:resource_providers:inventories:delete',
      summary: 'Delete all inventories of a resource provider',
      since: '1.5',
      ...place,
      async handle(ask) {
        await replaceInventories(db, clock, ask.subject!.id, {}, rules(ask))
      },
    }),
    endpoint({
      on: 'GET /resource_providers/{uuid}/inventories/{resource_class}',
      policy: 'placement:resource_providers:inventories:show',
      summary: 'Show an inventory of a resource provider',
      ...place,
      async handle(ask) {
        const { id, generation } = ask.subject!
        const found = await findInventory(db.read, id, ask.params['resource_class']!)
        if (!found) throw noInventory(id, ask.params['resource_class']!)
        return fresh(ask, found.updatedAt, { body: { ...shown(found.inventory), resource_provider_generation: generation } })
      },
    }),
    endpoint({
      on: 'PUT /resource_providers/{uuid}/inventories/{resource_class}',
      policy: 'placement:resource_providers:inventories:update',
      summary: 'Change an inventory of a resource provider',
      body: OneBody,
      ...place,
      async handle(ask) {
        const { resource_provider_generation: generation, ...body } = ask.body
        const inventory = fromBody(body as Parameters<typeof fromBody>[0])
        const resource = ask.params['resource_class']!
        const changed = { provider: ask.subject!.id, resource, inventory }
        return one(ask, inventory, await changeInventory(db, clock, changed, rules(ask, generation)))
      },
    }),
    endpoint({
      on: 'DELETE /resource_providers/{uuid}/inventories/{resource_class}',
      policy: 'placement:resource_providers:inventories:delete',
      summary: 'Delete an inventory of a resource provider',
      ...place,
      async handle({ subject, params }) {
        await removeInventory(db, clock, subject!.id, params['resource_class']!)
      },
    }),
  ]
}
