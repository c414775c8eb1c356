import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { duplicate, existing, type Reader } from './names.ts'
import { expecting } from './refusals.ts'
import { findRegion } from './regions.ts'
import { findService } from './services.ts'
import type { Store } from './store.ts'

/** How much of a resource of a service everybody has who has no limit of the own; -1: any amount. `regionId` empty: none. */
export type RegisteredLimit = {
  id: string
  serviceId: string
  regionId: string
  resourceName: string
  defaultLimit: number
  description: string | null
}
export type RegisteredLimitChange = Partial<Omit<RegisteredLimit, 'id'>>

export const registeredLimitListing = listing<string>({
  filters: {
    service_id: { column: 'service_id' },
    region_id: { column: 'region_id' },
    resource_name: { column: 'resource_name' },
  },
  sorts: { id: 'id', service_id: 'service_id', region_id: 'region_id', resource_name: 'resource_name' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type RegisteredLimits = {
  find(id: string): Promise<RegisteredLimit | undefined>
  list(ask: PageAsk<string>): Promise<Page<RegisteredLimit>>
  /** All or none. */
  create(limits: Omit<RegisteredLimit, 'id'>[]): Promise<RegisteredLimit[]>
  /** Throws forbidden while limits go by it. */
  update(id: string, change: RegisteredLimitChange): Promise<RegisteredLimit>
  remove(id: string): Promise<void>
}

const limitOf = (row: Selectable<IdentityTables['identity_registered_limit']>): RegisteredLimit => ({
  id: row.id,
  serviceId: row.service_id,
  regionId: row.region_id,
  resourceName: row.resource_name,
  defaultLimit: row.default_limit,
  description: row.description,
})

const rowOf = (limit: Omit<RegisteredLimit, 'id'>) => ({
  service_id: limit.serviceId,
  region_id: limit.regionId,
  resource_name: limit.resourceName,
  default_limit: limit.defaultLimit,
  description: limit.description,
})

export const noLimitFor = (noun: string, id: string): Problem => new Problem('not-found', `Could not find ${noun} for ${id}.`)

export function openRegisteredLimits(store: Store, clock: Clock): RegisteredLimits {
  const find = async (read: Reader, id: string) => {
    const row = await read.selectFrom('identity_registered_limit').selectAll().where('id', '=', id).executeTakeFirst()
    return row && limitOf(row)
  }
  const present = async (tx: IdentityTx, id: string) => {
    const found = await find(tx, id)
    if (!found) throw noLimitFor('registered limit', id)
    const used = tx.selectFrom('identity_limit').select('id').where('registered_limit_id', '=', id).limit(1)
    if (await used.executeTakeFirst())
      throw new Problem(
        'forbidden',
        `Unable to update or delete registered limit ${id} because there are project limits associated with it.`,
      )
    return found
  }
  return {
    find: (id) => find(store.read, id),
    list: async (ask) =>
      mapPage(await page(store.read.selectFrom('identity_registered_limit').selectAll(), registeredLimitListing, ask), limitOf),
    create: (limits) =>
      store.write(async (tx) => {
        const made: RegisteredLimit[] = []
        for (const limit of limits) {
          const row = { ...rowOf(limit), id: hexId(), created_at: clock.now() }
          await assertFits(tx, limitOf(row))
          await tx.insertInto('identity_registered_limit').values(row).execute()
          made.push(limitOf(row))
        }
        return made
      }),
    update: (id, change) =>
      store.write(async (tx) => {
        const next = { ...existing(await present(tx, id), 'registered limit', id), ...change }
        await assertFits(tx, next)
        await tx.updateTable('identity_registered_limit').set(rowOf(next)).where('id', '=', id).execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        await present(tx, id)
        await tx.deleteFrom('identity_registered_limit').where('id', '=', id).execute()
      }),
  }
}

/** The one of a resource, if there is one. */
export async function findRegistered(
  read: Reader,
  { serviceId, regionId, resourceName }: Pick<RegisteredLimit, 'serviceId' | 'regionId' | 'resourceName'>,
): Promise<RegisteredLimit | undefined> {
  const row = await read
    .selectFrom('identity_registered_limit')
    .selectAll()
    .where('service_id', '=', serviceId)
    .where('region_id', '=', regionId)
    .where('resource_name', '=', resourceName)
    .executeTakeFirst()
  return row && limitOf(row)
}

async function assertFits(tx: IdentityTx, limit: RegisteredLimit): Promise<void> {
  if (!(await findService(tx, limit.serviceId))) throw expecting('service_id', 'registered_limit')
  if (limit.regionId !== '' && !(await findRegion(tx, limit.regionId))) throw expecting('region_id', 'registered_limit')
  const other = await findRegistered(tx, limit)
  if (other && other.id !== limit.id) throw duplicate('registered_limit', `resource name ${limit.resourceName}`)
}
