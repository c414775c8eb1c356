import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables } from '../tables.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { type Extra, existing, merge, type Reader } from './names.ts'
import { removeService } from './removal.ts'
import type { Store } from './store.ts'

/** `extra` has its name. */
export type CatalogService = { id: string; type: string; enabled: boolean; extra: Extra }

export const serviceListing = listing<string>({
  filters: textFilters('type', 'type'),
  sorts: { id: 'id', type: 'type' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Services = {
  find(id: string): Promise<CatalogService | undefined>
  list(ask: PageAsk<string>, name?: string): Promise<Page<CatalogService>>
  create(service: Omit<CatalogService, 'id'>): Promise<CatalogService>
  update(id: string, change: Partial<Omit<CatalogService, 'id'>>): Promise<CatalogService>
  /** With its endpoints. */
  remove(id: string): Promise<void>
}

const serviceOf = (row: Selectable<IdentityTables['identity_service']>): CatalogService => ({
  id: row.id,
  type: row.type,
  enabled: fromBit(row.enabled),
  extra: fromJson(row.extra),
})

export async function findService(read: Reader, id: string): Promise<CatalogService | undefined> {
  const row = await read.selectFrom('identity_service').selectAll().where('id', '=', id).executeTakeFirst()
  return row && serviceOf(row)
}

export function openCatalogServices(store: Store, clock: Clock): Services {
  return {
    find: (id) => findService(store.read, id),
    async list(ask, name) {
      const found = mapPage(await page(store.read.selectFrom('identity_service').selectAll(), serviceListing, ask), serviceOf)
      return name === undefined ? found : { ...found, rows: found.rows.filter((one) => one.extra['name'] === name) }
    },
    create: (service) =>
      store.write(async (tx) => {
        const row = { ...rowOf(service), id: hexId(), created_at: clock.now() }
        await tx.insertInto('identity_service').values(row).execute()
        return serviceOf(row)
      }),
    update: (id, change) =>
      store.write(async (tx) => {
        const old = existing(await findService(tx, id), 'service', id)
        const next = { ...old, ...change, extra: merge(old.extra, change.extra ?? {}) }
        await tx.updateTable('identity_service').set(rowOf(next)).where('id', '=', id).execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        existing(await findService(tx, id), 'service', id)
        await removeService(tx, id)
      }),
  }
}

const rowOf = (service: Omit<CatalogService, 'id'>) => ({
  type: service.type,
  enabled: toBit(service.enabled),
  extra: toJson(service.extra),
})
