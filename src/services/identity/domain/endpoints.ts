import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { isCatalogUrl } from './catalog.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { type Extra, existing, merge } from './names.ts'
import { expecting } from './refusals.ts'
import { findRegion, insertRegion } from './regions.ts'
import { removeEndpoints } from './removal.ts'
import { findService } from './services.ts'
import type { Store } from './store.ts'

export type Face = 'public' | 'internal' | 'admin'

/** Where a service is reached. `regionId` empty: none. */
export type CatalogEndpoint = {
  id: string
  serviceId: string
  face: Face
  regionId: string
  url: string
  enabled: boolean
  extra: Extra
}

export type EndpointChange = Partial<Omit<CatalogEndpoint, 'id'>> & {
  /** The region is made when there is none of this id yet: an old habit of clients. */
  makeRegion?: boolean
}

export const endpointListing = listing<string>({
  filters: { interface: { column: 'interface' }, service_id: { column: 'service_id' }, region_id: { column: 'region_id' } },
  sorts: { id: 'id', interface: 'interface', service_id: 'service_id', region_id: 'region_id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Endpoints = {
  find(id: string): Promise<CatalogEndpoint | undefined>
  list(ask: PageAsk<string>): Promise<Page<CatalogEndpoint>>
  create(endpoint: Omit<CatalogEndpoint, 'id'> & EndpointChange): Promise<CatalogEndpoint>
  update(id: string, change: EndpointChange): Promise<CatalogEndpoint>
  remove(id: string): Promise<void>
}

export const endpointOf = (row: Selectable<IdentityTables['identity_endpoint']>): CatalogEndpoint => ({
  id: row.id,
  serviceId: row.service_id,
  face: row.interface,
  regionId: row.region_id,
  url: row.url,
  enabled: fromBit(row.enabled),
  extra: fromJson(row.extra),
})

export function openCatalogEndpoints(store: Store, clock: Clock): Endpoints {
  const findIn = async (read: Store['read'] | IdentityTx, id: string) => {
    const row = await read.selectFrom('identity_endpoint').selectAll().where('id', '=', id).executeTakeFirst()
    return row && endpointOf(row)
  }
  const assertWhole = async (tx: IdentityTx, endpoint: Omit<CatalogEndpoint, 'id'>, makeRegion: boolean | undefined) => {
    const { regionId, serviceId, url } = endpoint
    if (!isCatalogUrl(url)) throw new Problem('invalid', `Cannot create an endpoint with an invalid URL: ${url}.`)
    if (!(await findService(tx, serviceId))) throw expecting('endpoint service_id', 'service table')
    if (regionId === '' || (await findRegion(tx, regionId))) return
    if (!makeRegion) throw expecting('endpoint region_id', 'region table')
    await insertRegion(tx, { id: regionId, description: '', parentId: '', extra: {} }, clock)
  }
  return {
    find: (id) => findIn(store.read, id),
    list: async (ask) =>
      mapPage(await page(store.read.selectFrom('identity_endpoint').selectAll(), endpointListing, ask), endpointOf),
    create: ({ makeRegion, ...endpoint }) =>
      store.write(async (tx) => {
        await assertWhole(tx, endpoint, makeRegion)
        const row = { ...rowOf(endpoint), id: hexId(), created_at: clock.now() }
        await tx.insertInto('identity_endpoint').values(row).execute()
        return endpointOf(row)
      }),
    update: (id, { makeRegion, ...change }) =>
      store.write(async (tx) => {
        const old = existing(await findIn(tx, id), 'endpoint', id)
        const next = { ...old, ...change, extra: merge(old.extra, change.extra ?? {}) }
        await assertWhole(tx, next, makeRegion)
        await tx.updateTable('identity_endpoint').set(rowOf(next)).where('id', '=', id).execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        existing(await findIn(tx, id), 'endpoint', id)
        await removeEndpoints(tx, [id])
      }),
  }
}

const rowOf = (endpoint: Omit<CatalogEndpoint, 'id'>) => ({
  service_id: endpoint.serviceId,
  interface: endpoint.face,
  region_id: endpoint.regionId,
  url: endpoint.url,
  enabled: toBit(endpoint.enabled),
  extra: toJson(endpoint.extra),
})
