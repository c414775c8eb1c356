import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { duplicate, type Extra, existing, merge, type Reader } from './names.ts'
import { removeRegions } from './removal.ts'
import type { Store } from './store.ts'

/** `parentId` empty: none. */
export type Region = { id: string; description: string; parentId: string; extra: Extra }

export const regionListing = listing<string>({
  filters: { parent_region_id: { column: 'parent_id' } },
  sorts: { id: 'id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Regions = {
  find(id: string): Promise<Region | undefined>
  list(ask: PageAsk<string>): Promise<Page<Region>>
  create(region: Region): Promise<Region>
  update(id: string, change: Partial<Omit<Region, 'id'>>): Promise<Region>
  /** With the regions below; throws forbidden while endpoints are in any of them. */
  remove(id: string): Promise<void>
}

const regionOf = (row: Selectable<IdentityTables['identity_region']>): Region => ({
  id: row.id,
  description: row.description,
  parentId: row.parent_id,
  extra: fromJson(row.extra),
})

export async function findRegion(read: Reader, id: string): Promise<Region | undefined> {
  const row = await read.selectFrom('identity_region').selectAll().where('id', '=', id).executeTakeFirst()
  return row && regionOf(row)
}

export function openRegions(store: Store, clock: Clock): Regions {
  return {
    find: (id) => findRegion(store.read, id),
    list: async (ask) => mapPage(await page(store.read.selectFrom('identity_region').selectAll(), regionListing, ask), regionOf),
    create: (region) => store.write((tx) => insertRegion(tx, region, clock)),
    update: (id, change) =>
      store.write(async (tx) => {
        const old = existing(await findRegion(tx, id), 'region', id)
        const next = { ...old, ...change, extra: merge(old.extra, change.extra ?? {}) }
        await assertParent(tx, next)
        await tx.updateTable('identity_region').set(rowOf(next)).where('id', '=', id).execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        existing(await findRegion(tx, id), 'region', id)
        const ids = await withBelow(tx, id)
        const used = await tx
          .selectFrom('identity_endpoint')
          .select('id')
          .where('region_id', 'in', ids)
          .limit(1)
          .executeTakeFirst()
        if (used)
          throw new Problem(
            'forbidden',
            `Unable to delete region ${id} because it or its child regions have associated endpoints.`,
          )
        await removeRegions(tx, ids)
      }),
  }
}

export async function insertRegion(tx: IdentityTx, region: Region, clock: Clock): Promise<Region> {
  if (await findRegion(tx, region.id)) throw duplicate('region', `ID, ${region.id}`)
  await assertParent(tx, region)
  await tx
    .insertInto('identity_region')
    .values({ ...rowOf(region), id: region.id, created_at: clock.now() })
    .execute()
  return region
}

async function withBelow(tx: IdentityTx, id: string): Promise<string[]> {
  const ids: string[] = []
  for (let level = [id]; level.length > 0; ) {
    ids.push(...level)
    const rows = await tx.selectFrom('identity_region').select('id').where('parent_id', 'in', level).execute()
    level = rows.map((row) => row.id)
  }
  return ids
}

async function assertParent(tx: IdentityTx, { id, parentId }: Region): Promise<void> {
  if (parentId === '') return
  existing(await findRegion(tx, parentId), 'region', parentId)
  if ((await withBelow(tx, id)).includes(parentId))
    throw new Problem('invalid', `The specified parent region ${parentId} would create a circular region hierarchy.`)
}

const rowOf = (region: Omit<Region, 'id'>) => ({
  description: region.description,
  parent_id: region.parentId,
  extra: toJson(region.extra),
})
