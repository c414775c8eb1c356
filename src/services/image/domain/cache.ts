import type { Blobs } from '../../../drivers/blobs/driver.ts'
import type { Clock } from '../../../kit/clock.ts'
import type { Db } from '../../../kit/db/open.ts'
import { isProblem } from '../../../kit/errors.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { CacheRow, ImageTables } from '../tables.ts'
import type { StoredImage } from './image.ts'
import type { Stores } from './stores.ts'

export type CacheSettings = {
  /** Name of this controller: each has a cache of its own. */
  node: string
  blobs: Blobs
  /** What pruning leaves at most. */
  maxBytes: number
}

/** Each node's rows are worked on by that node alone. */
export const cacheWork = (node: string) => `image.cache.${node}`

export type Cached = { imageId: string; hits: number; accessedAt: number; modifiedAt: number; sizeBytes: number }

export type Cache = ReturnType<typeof openCache>

type Deps = { db: Db<ImageTables>; clock: Clock; work: Work; stores: Stores; settings: CacheSettings }

/** Copies of images near this controller, for stores that are far away. */
export function openCache({ db, clock, work, stores, settings }: Deps) {
  const { node, blobs, maxBytes } = settings
  const kind = cacheWork(node)
  const rows = () => db.read.selectFrom('image_cache').selectAll().where('node', '=', node)
  const row = (imageId: string) => rows().where('image_id', '=', imageId).executeTakeFirst()

  /** Not used from now on; its bytes go away in the background. */
  const drop = (imageIds: string[]) =>
    db.transaction(async (tx) => {
      for (const id of imageIds) {
        await tx
          .updateTable('image_cache')
          .set({ status: 'leaving' })
          .where('node', '=', node)
          .where('image_id', '=', id)
          .execute()
        await work.teardown(tx as never, kind, id, 'drop')
      }
    })

  const touched = (imageId: string) =>
    db.transaction((tx) =>
      tx
        .updateTable('image_cache')
        .set((eb) => ({ hits: eb('hits', '+', 1), accessed_at: clock.now() }))
        .where('node', '=', node)
        .where('image_id', '=', imageId)
        .execute(),
    )

  const withStatus = (status: CacheRow['status']) => rows().where('status', '=', status)

  return {
    node,
    kind,
    row,
    drop,

    async queue(image: StoredImage): Promise<void> {
      const now = clock.now()
      await db.transaction(async (tx) => {
        const times = { accessed_at: now, modified_at: now }
        await tx
          .insertInto('image_cache')
          .values({
            node,
            image_id: image.id,
            blob_id: image.blobId ?? '',
            status: 'queued',
            size_bytes: image.sizeBytes ?? 0,
            hits: 0,
            ...times,
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        await work.begin(tx as never, kind, image.id, 'fill')
      })
    },

    async fill(found: CacheRow, image: StoredImage): Promise<void> {
      await blobs.write(found.blob_id, await stores.read(image), { maxBytes: found.size_bytes })
      await db.transaction((tx) =>
        tx
          .updateTable('image_cache')
          .set({ status: 'cached', modified_at: clock.now() })
          .where('node', '=', node)
          .where('image_id', '=', image.id)
          .where('status', '=', 'queued')
          .execute(),
      )
    },

    async forget({ image_id, blob_id }: CacheRow): Promise<void> {
      await blobs.remove(blob_id)
      await db.transaction((tx) =>
        tx.deleteFrom('image_cache').where('node', '=', node).where('image_id', '=', image_id).execute(),
      )
    },

    async read(
      image: StoredImage,
      range?: { start: number; end: number },
      isPassing?: boolean,
    ): Promise<AsyncIterable<Uint8Array>> {
      const found = await row(image.id)
      if (found?.status !== 'cached' || found.blob_id !== image.blobId) return stores.read(image, range, isPassing)
      try {
        const bytes = await blobs.read(found.blob_id, range, isPassing)
        await touched(image.id)
        return bytes
      } catch (error) {
        if (!isProblem(error)) throw error
        return stores.read(image, range, isPassing)
      }
    },

    async cached(): Promise<Cached[]> {
      return (await withStatus('cached').orderBy('accessed_at').execute()).map((found) => ({
        imageId: found.image_id,
        hits: found.hits,
        accessedAt: found.accessed_at,
        modifiedAt: found.modified_at,
        sizeBytes: found.size_bytes,
      }))
    },
    queued: async () => (await withStatus('queued').orderBy('modified_at').execute()).map((found) => found.image_id),

    /** Nodes that have the image. */
    async nodes(imageId: string): Promise<string[]> {
      const found = db.read.selectFrom('image_cache').select('node').where('image_id', '=', imageId)
      return (await found.where('status', '=', 'cached').orderBy('node').execute()).map((one) => one.node)
    },

    async clear(status: 'cached' | 'queued'): Promise<void> {
      await drop((await withStatus(status).execute()).map((found) => found.image_id))
    },

    /** Down to the size set, those first that were not read for longest. */
    async prune(): Promise<{ images: number; bytes: number }> {
      const all = await withStatus('cached').orderBy('accessed_at').execute()
      let over = all.reduce((sum, found) => sum + found.size_bytes, 0) - maxBytes
      const going = all.filter((found) => {
        if (over <= 0) return false
        over -= found.size_bytes
        return true
      })
      await drop(going.map((found) => found.image_id))
      return { images: going.length, bytes: going.reduce((sum, found) => sum + found.size_bytes, 0) }
    },

    /** Bytes that no row names, rows whose bytes are gone or are another image's by now. */
    async clean(): Promise<void> {
      const known = new Map((await rows().execute()).map((found) => [found.blob_id, found]))
      const there = new Set(await blobs.list())
      for (const blob of there) if (!known.has(blob)) await blobs.remove(blob)
      const lost = [...known.values()].filter((found) => found.status === 'cached' && !there.has(found.blob_id))
      await drop(lost.map((found) => found.image_id))
    },
  }
}
