import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables } from '../tables.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { couldNotFind, existing, type Reader } from './names.ts'
import type { Store } from './store.ts'

/** All endpoints that have what `filters` say. */
export type EndpointGroup = { id: string; name: string; description: string; filters: EndpointFilters }
export type EndpointFilters = { service_id?: string; region_id?: string; interface?: string }

export const endpointGroupListing = listing<string>({
  filters: textFilters('name', 'name'),
  sorts: { id: 'id', name: 'name' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type EndpointGroups = {
  find(id: string): Promise<EndpointGroup | undefined>
  list(ask: PageAsk<string>): Promise<Page<EndpointGroup>>
  create(group: Omit<EndpointGroup, 'id'>): Promise<EndpointGroup>
  update(id: string, change: Partial<Omit<EndpointGroup, 'id'>>): Promise<EndpointGroup>
  remove(id: string): Promise<void>
}

export const endpointGroupOf = (row: Selectable<IdentityTables['identity_endpoint_group']>): EndpointGroup => ({
  id: row.id,
  name: row.name,
  description: row.description,
  filters: fromJson(row.filters),
})

export async function findEndpointGroup(read: Reader, id: string): Promise<EndpointGroup | undefined> {
  const row = await read.selectFrom('identity_endpoint_group').selectAll().where('id', '=', id).executeTakeFirst()
  return row && endpointGroupOf(row)
}

type Reached = { service_id: string; region_id: string; interface: string }

export const isInGroup = ({ filters }: EndpointGroup, endpoint: Reached): boolean =>
  Object.entries(filters).every(([name, value]) => endpoint[name as keyof Reached] === value)

export const openEndpointGroups = (store: Store, clock: Clock): EndpointGroups => ({
  find: (id) => findEndpointGroup(store.read, id),
  list: async (ask) =>
    mapPage(await page(store.read.selectFrom('identity_endpoint_group').selectAll(), endpointGroupListing, ask), endpointGroupOf),
  create: (group) =>
    store.write(async (tx) => {
      const row = { ...group, id: hexId(), filters: toJson(group.filters), created_at: clock.now() }
      await tx.insertInto('identity_endpoint_group').values(row).execute()
      return endpointGroupOf(row)
    }),
  update: (id, change) =>
    store.write(async (tx) => {
      const next = { ...existing(await findEndpointGroup(tx, id), 'Endpoint Group', id), ...change }
      const { name, description } = next
      await tx
        .updateTable('identity_endpoint_group')
        .set({ name, description, filters: toJson(next.filters) })
        .where('id', '=', id)
        .execute()
      return next
    }),
  remove: (id) =>
    store.write(async (tx) => {
      if (!(await findEndpointGroup(tx, id))) throw couldNotFind('Endpoint Group', id)
      await tx.deleteFrom('identity_project_endpoint_group').where('group_id', '=', id).execute()
      await tx.deleteFrom('identity_endpoint_group').where('id', '=', id).execute()
    }),
})
