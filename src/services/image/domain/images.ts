import type { SelectQueryBuilder } from 'kysely'
import { type Clock, type Micros, second } from '../../../kit/clock.ts'
import { type Listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ImageRow, ImageTables } from '../tables.ts'
import { cacheWork } from './cache.ts'
import { type Changeable, fromRow, type MemberStatus, type Parts, type StoredImage } from './image.ts'
import type { ImageQuota } from './quota.ts'

/** Who looks: an administrator sees all, everybody else what is theirs, public, community, or shared with them. */
export type Viewer = { projectId: string | undefined; isAdmin: boolean }

export type ListFilter = {
  visibility?: string
  /** `all`, or of images shared with the viewer only those with this answer. Default accepted. */
  memberStatus: MemberStatus | 'all'
  owner?: string
  hidden: boolean
  tags: string[]
  properties: Record<string, string>
  /** Times, from the one up to but not the other, that are not meant. */
  notWithin: { column: 'created_at' | 'updated_at'; from: Micros; until: Micros }[]
}

export type NewImage = { id: string; row: Changeable; properties: Record<string, string>; tags: string[] }
export type Change = { row: Changeable; properties: Record<string, string>; tags: string[] }

export const bytesWork = 'image.bytes'

/** Seen by nobody any more. */
export const goneStatuses = ['deleted', 'pending_delete']

export type ImageStore = ReturnType<typeof openImageStore>

type Query = SelectQueryBuilder<ImageTables, 'image_image', ImageRow>

type Deps = { db: Db<ImageTables>; clock: Clock; work: Work; quota: ImageQuota; delayedDeleteSeconds: number }

export function openImageStore({ db, clock, work, quota, delayedDeleteSeconds }: Deps) {
  const rows = () => db.read.selectFrom('image_image').selectAll('image_image').where('status', 'not in', goneStatuses)

  const dress = async (found: ImageRow[]): Promise<StoredImage[]> => {
    const ids = found.map((row) => row.id)
    if (ids.length === 0) return []
    const properties = await db.read.selectFrom('image_property').selectAll().where('image_id', 'in', ids).execute()
    const tags = await db.read.selectFrom('image_tag').selectAll().where('image_id', 'in', ids).orderBy('tag').execute()
    const copies = await db.read.selectFrom('image_copy').selectAll().where('image_id', 'in', ids).orderBy('added_at').execute()
    const own = new Map(ids.map((id): [string, Parts] => [id, { properties: {}, tags: [], stores: [] }]))
    for (const { image_id, name, value } of properties) own.get(image_id)!.properties[name] = value
    for (const { image_id, tag } of tags) own.get(image_id)!.tags.push(tag)
    for (const { image_id, store_id } of copies) own.get(image_id)!.stores.push(store_id)
    return found.map((row) => fromRow(row, own.get(row.id)!))
  }
  const find = async (id: string): Promise<StoredImage | undefined> =>
    (await dress(await rows().where('id', '=', id).execute()))[0]

  const setStatus = async (id: string, from: string[], to: string): Promise<boolean> => {
    const changed = await db.transaction((tx) =>
      tx
        .updateTable('image_image')
        .set({ status: to, updated_at: clock.now() })
        .where('id', '=', id)
        .where('status', 'in', from)
        .returning('id')
        .executeTakeFirst(),
    )
    return changed !== undefined
  }

  const isMember = async (imageId: string, projectId: string): Promise<boolean> => {
    const query = db.read.selectFrom('image_member').select('member_id').where('image_id', '=', imageId)
    return (await query.where('member_id', '=', projectId).executeTakeFirst()) !== undefined
  }

  const putParts = async (tx: Tx<ImageTables>, id: string, { properties, tags }: Pick<Change, 'properties' | 'tags'>) => {
    await tx.deleteFrom('image_property').where('image_id', '=', id).execute()
    await tx.deleteFrom('image_tag').where('image_id', '=', id).execute()
    const pairs = Object.entries(properties).map(([name, value]) => ({ image_id: id, name, value }))
    if (pairs.length > 0) await tx.insertInto('image_property').values(pairs).execute()
    if (tags.length > 0)
      await tx
        .insertInto('image_tag')
        .values([...new Set(tags)].map((tag) => ({ image_id: id, tag })))
        .execute()
  }

  return {
    find,
    isMember,

    /** Undefined when the viewer may not know of it. */
    async visible(id: string, { projectId, isAdmin }: Viewer): Promise<StoredImage | undefined> {
      const image = await find(id)
      if (!image || isAdmin || image.ownerId === projectId) return image
      if (image.visibility === 'public' || image.visibility === 'community') return image
      const shared = image.visibility === 'shared' && projectId !== undefined && (await isMember(id, projectId))
      return shared ? image : undefined
    },

    async list(viewer: Viewer, filter: ListFilter, shape: Listing<string>, ask: PageAsk<string>) {
      const { rows: found, more } = await page(listed(rows(), viewer, filter), shape, ask)
      return { images: await dress(found), more }
    },

    async create({ id, row, properties, tags }: NewImage, also?: (tx: Tx<ImageTables>) => Promise<void>): Promise<StoredImage> {
      const now = clock.now()
      const limits = await quota.limits(row.owner_id)
      await db.transaction(async (tx) => {
        await quota.allow(tx, row.owner_id, { image_count_total: 1 }, limits)
        const made = await tx
          .insertInto('image_image')
          .values({ id, status: 'queued', ...row, ...noBytes, created_at: now, updated_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst()
        if (!made) throw new Problem('conflict', `Image ID ${id} already exists!`)
        await putParts(tx, id, { properties, tags })
        await also?.(tx)
      })
      return (await find(id))!
    },

    /** Only while the image is as it was read: two changes at once must not undo each other. */
    async change(image: StoredImage, { row, properties, tags }: Change): Promise<StoredImage> {
      await db.transaction(async (tx) => {
        const changed = await tx
          .updateTable('image_image')
          .set({ ...row, updated_at: clock.now() })
          .where('id', '=', image.id)
          .where('updated_at', '=', image.updatedAt)
          .where('status', 'not in', goneStatuses)
          .returning('id')
          .executeTakeFirst()
        if (!changed) throw new Problem('conflict', 'The image was changed by somebody else meanwhile.')
        await putParts(tx, image.id, { properties, tags })
      })
      return (await find(image.id))!
    },

    setStatus,

    /** Nobody sees it any more; its bytes and rows go away in the background, at once or after the time set. */
    async remove(id: string): Promise<void> {
      const now = clock.now()
      const delayed = delayedDeleteSeconds > 0
      await db.transaction(async (tx) => {
        await tx
          .updateTable('image_image')
          .set({
            status: delayed ? 'pending_delete' : 'deleted',
            bytes_until: delayed ? now + delayedDeleteSeconds * second : 0,
            updated_at: now,
          })
          .where('id', '=', id)
          .execute()
        await work.teardown(tx as never, bytesWork, id, 'remove')
        const cached = await tx.selectFrom('image_cache').select('node').where('image_id', '=', id).execute()
        for (const { node } of cached) await work.teardown(tx as never, cacheWork(node), id, 'drop')
      })
    },

    /** What was deleted is there again, with its bytes. Throws not-found, and conflict when its bytes are not kept any more. */
    async restore(id: string): Promise<void> {
      const row = await db.read.selectFrom('image_image').select(['status', 'blob_id']).where('id', '=', id).executeTakeFirst()
      if (!row) throw new Problem('not-found', `There is no image ${id}, and none whose bytes are kept for a while.`)
      const back = await setStatus(id, ['pending_delete'], row.blob_id === '' ? 'queued' : 'active')
      if (!back) throw new Problem('conflict', `Image ${id} is ${row.status}: only what is pending_delete can be restored.`)
      await work.wake(bytesWork, id)
    },

    /** The row, deleted or not, for the machine. */
    row: (id: string) => db.read.selectFrom('image_image').selectAll().where('id', '=', id).executeTakeFirst(),

    async forget(id: string): Promise<void> {
      await db.transaction(async (tx) => {
        for (const table of ['image_property', 'image_tag', 'image_member', 'image_copy', 'image_staged'] as const)
          await tx.deleteFrom(table).where('image_id', '=', id).execute()
        await tx.deleteFrom('image_image').where('id', '=', id).where('status', 'in', goneStatuses).execute()
      })
    },

    /** Names of all bytes there should be, those of deleted images that are still being removed included; without a copy they are what an import left. */
    async blobIds(): Promise<string[]> {
      const blobs = await db.read.selectFrom('image_image').select('blob_id').where('blob_id', '!=', '').execute()
      const staged = await db.read.selectFrom('image_staged').select('blob_id').execute()
      return [...new Set([...blobs, ...staged].map((row) => row.blob_id))]
    },

    staged: (id: string) => db.read.selectFrom('image_staged').selectAll().where('image_id', '=', id).executeTakeFirst(),

    /** Its bytes there go away in the background. False: it was not there. */
    async dropCopy(id: string, storeId: string): Promise<boolean> {
      const dropped = await db.transaction(async (tx) => {
        // Two at once must not drop the last two.
        await tx.updateTable('image_image').set({ updated_at: clock.now() }).where('id', '=', id).execute()
        const copies = await tx.selectFrom('image_copy').select('store_id').where('image_id', '=', id).execute()
        if (!copies.some((copy) => copy.store_id === storeId)) return undefined
        if (copies.length === 1) throw new Problem('forbidden', lastCopy)
        await work.begin(tx as never, bytesWork, id, 'uploading')
        return tx
          .deleteFrom('image_copy')
          .where('image_id', '=', id)
          .where('store_id', '=', storeId)
          .returning('store_id')
          .executeTakeFirst()
      })
      return dropped !== undefined
    },
  }
}

const lastCopy = 'These are the only bytes of the image: delete the image instead.'

export const noBytes = {
  size_bytes: -1,
  virtual_size_bytes: -1,
  md5: '',
  sha512: '',
  blob_id: '',
  upload_id: '',
  upload_until: 0,
  bytes_until: 0,
}

/** Which images a list shows: Glance's rules for each asked visibility. */
function listed(query: Query, { projectId = '', isAdmin }: Viewer, filter: ListFilter): Query {
  let found = query.where('hidden', '=', filter.hidden ? 1 : 0)
  for (const { column, from, until } of filter.notWithin)
    found = found.where((eb) => eb.or([eb(column, '<', from), eb(column, '>=', until)]))
  if (filter.owner !== undefined) found = found.where('owner_id', '=', filter.owner)
  for (const tag of filter.tags)
    found = found.where((eb) =>
      eb.exists(eb.selectFrom('image_tag').select('tag').whereRef('image_id', '=', 'image_image.id').where('tag', '=', tag)),
    )
  for (const [name, value] of Object.entries(filter.properties))
    found = found.where((eb) =>
      eb.exists(
        eb
          .selectFrom('image_property')
          .select('name')
          .whereRef('image_id', '=', 'image_image.id')
          .where('name', '=', name)
          .where('value', '=', value),
      ),
    )
  const wanted = filter.visibility
  if (wanted !== undefined && wanted !== 'all') found = found.where('visibility', '=', wanted)
  return found.where((eb) => {
    const shared = eb.and([
      eb('visibility', '=', 'shared'),
      eb.exists(
        eb
          .selectFrom('image_member')
          .select('member_id')
          .whereRef('image_id', '=', 'image_image.id')
          .where('member_id', '=', projectId)
          .$if(filter.memberStatus !== 'all', (members) => members.where('status', '=', filter.memberStatus)),
      ),
    ])
    const everybody = [
      eb('visibility', '=', 'public'),
      ...(wanted === 'community' || wanted === 'all' ? [eb('visibility', '=', 'community')] : []),
    ]
    // An administrator's plain list leaves out other projects' community images, as everybody's does.
    if (isAdmin) return eb.or([eb('visibility', '!=', 'community'), eb('owner_id', '=', projectId), ...everybody])
    return eb.or([eb('owner_id', '=', projectId), shared, ...everybody])
  })
}
