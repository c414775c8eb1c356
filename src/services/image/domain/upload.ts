import type { BlobWritten } from '../../../drivers/blobs/driver.ts'
import { type Clock, minute } from '../../../kit/clock.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { uuid } from '../../../kit/ids.ts'
import { Killed } from '../../../kit/work/killed.ts'
import type { Work } from '../../../kit/work/work.ts'
import { type Declared, openInspector } from '../inspect/inspect.ts'
import type { ImageTables } from '../tables.ts'
import type { StoredImage } from './image.ts'
import { bytesWork, goneStatuses } from './images.ts'
import type { ImageQuota } from './quota.ts'
import type { Signatures } from './signature.ts'
import type { Store, Stores } from './stores.ts'

/** An upload that did not say so long that it lives is dead. */
const lease = minute
const renewMs = 10_000

export type UploadOptions = {
  /** How many bytes the sender says there are. */
  announcedBytes?: number
}

export type Uploads = {
  /** The bytes of a queued image: it is active then. */
  fill(image: StoredImage, bytes: AsyncIterable<Uint8Array>, options: UploadOptions & { store: Store }): Promise<void>
  /** Bytes of a queued image (or of one that is being imported) that wait to be imported. */
  stage(image: StoredImage, bytes: AsyncIterable<Uint8Array>, options?: UploadOptions): Promise<void>
}

type Deps = {
  db: Db<ImageTables>
  clock: Clock
  work: Work
  stores: Stores
  quota: ImageQuota
  signatures: Signatures
  maxBytes: number
}

/** What differs between bytes that make an image and bytes that wait. */
type Course = {
  store: Store
  from: string
  during: string
  /** Where an upload that failed leaves the image. */
  back: string
  then: string
  limit: 'image_size_total' | 'image_stage_total'
  check?: (chunk: Uint8Array) => void
  /** Judges the whole and says what the row becomes; called once all bytes are there. */
  judge(): Partial<ImageTables['image_image']>
  keep(tx: Tx<ImageTables>, blobId: string, written: BlobWritten): Promise<void>
}

/**
 * Takes the bytes of an image, looking at them as they pass. A stream that breaks, is refused by the inspector or finds no room leaves the image
 * queued and without bytes; a killed process does so after its lease (see the machine). Each upload writes under a name of its own: one that was believed
 * dead and is not can neither replace nor remove what came after it.
 */
export function openUploads({ db, clock, work, stores, quota, signatures, maxBytes }: Deps): Uploads {
  const take = async (image: StoredImage, bytes: AsyncIterable<Uint8Array>, announcedBytes: number, course: Course) => {
    if (announcedBytes > maxBytes) throw new Problem('too-large', `There are more than ${maxBytes} bytes.`)
    const limits = await quota.limits(image.ownerId)
    const upload = uuid()
    const { blobs } = course.store
    const mine = (status: string[]) => ({ id: image.id, upload, status })
    await begin(db, clock, work, mine([course.from]), course.during, (tx) =>
      quota.allow(
        tx,
        image.ownerId,
        { [course.limit]: Math.max(1, announcedBytes), image_count_uploading: course.from === 'queued' ? 1 : 0 },
        limits,
      ),
    )
    const aborted = { lost: false }
    const look = async () => {
      // A database that is away for a moment ends no upload; its lease does.
      const alive = await renew(db, clock, mine([course.during])).catch(() => true)
      aborted.lost ||= !alive
    }
    const renewing = setInterval(() => void look(), renewMs)
    try {
      const room = await quota.room(image.ownerId, course.limit, limits)
      const written = await blobs.write(upload, guarded(bytes, aborted), {
        maxBytes: Math.min(maxBytes, room),
        ...(course.check ? { check: course.check } : {}),
      })
      const facts = { ...course.judge(), status: course.then }
      await finish(db, clock, work, mine([course.during]), facts, async (tx) => {
        await quota.allow(tx, image.ownerId, { [course.limit]: written.sizeBytes }, limits)
        await course.keep(tx, upload, written)
      })
    } catch (error) {
      if (error instanceof Killed) throw error
      await blobs.remove(upload)
      const wasOurs = await finish(db, clock, work, mine([course.during, ...goneStatuses]), { status: course.back })
      throw wasOurs ? error : gone(error)
    } finally {
      clearInterval(renewing)
    }
  }

  return {
    async fill(image, bytes, { announcedBytes = 0, store }) {
      const declared = declaredOf(image)
      const inspector = openInspector()
      const signature = await signatures(image.properties)
      await take(image, bytes, announcedBytes, {
        store,
        from: 'queued',
        during: 'saving',
        back: 'queued',
        then: 'active',
        limit: 'image_size_total',
        check(chunk) {
          inspector.feed(chunk)
          signature?.feed(chunk)
        },
        judge() {
          signature?.verify()
          return { virtual_size_bytes: inspector.judge(declared).virtualSizeBytes ?? -1 }
        },
        async keep(tx, blobId, { sizeBytes, md5, sha512 }) {
          await tx
            .updateTable('image_image')
            .set({ size_bytes: sizeBytes, md5, sha512, blob_id: blobId })
            .where('id', '=', image.id)
            .execute()
          await tx.insertInto('image_copy').values({ image_id: image.id, store_id: store.id, added_at: clock.now() }).execute()
        },
      })
    },
    stage: (image, bytes, { announcedBytes = 0 } = {}) => {
      const importing = image.status === 'importing'
      return take(image, bytes, announcedBytes, {
        store: stores.usual,
        from: importing ? 'importing' : 'queued',
        during: importing ? 'importing' : 'uploading',
        back: importing ? 'importing' : 'queued',
        then: importing ? 'importing' : 'uploading',
        limit: 'image_stage_total',
        judge: () => ({}),
        async keep(tx, blobId, { sizeBytes, md5, sha512 }) {
          await tx
            .insertInto('image_staged')
            .values({ image_id: image.id, blob_id: blobId, size_bytes: sizeBytes, md5, sha512 })
            .execute()
        },
      })
    },
  }
}

export function declaredOf({ diskFormat, containerFormat }: StoredImage): Declared {
  if (diskFormat !== undefined && containerFormat !== undefined) return { disk: diskFormat, container: containerFormat }
  const missing = [
    ...(diskFormat === undefined ? ['disk_format'] : []),
    ...(containerFormat === undefined ? ['container_format'] : []),
  ]
  throw new Problem('invalid', `Properties ${missing.join(', ')} must be set prior to saving data.`)
}

async function* guarded(bytes: AsyncIterable<Uint8Array>, aborted: { lost: boolean }): AsyncIterable<Uint8Array> {
  for await (const chunk of whole(bytes)) {
    if (aborted.lost) throw gone()
    yield chunk
  }
}

async function* whole(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* bytes
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('invalid', 'The bytes of the image broke off.', { cause })
  }
}

/** Deleted, or taken for dead. */
const gone = (cause?: unknown): Problem =>
  new Problem('not-found', 'The image was deleted or taken over during the upload.', { cause, code: 'gone' })

type Mine = { id: string; upload: string; status: string[] }

const begin = (
  db: Db<ImageTables>,
  clock: Clock,
  work: Work,
  { id, upload, status }: Mine,
  during: string,
  allow: (tx: Tx<ImageTables>) => Promise<void>,
) =>
  db.transaction(async (tx) => {
    const now = clock.now()
    await allow(tx)
    const got = await tx
      .updateTable('image_image')
      .set({ status: during, upload_id: upload, upload_until: now + lease, updated_at: now })
      .where('id', '=', id)
      .where('status', 'in', status)
      .where('upload_id', '=', '')
      .returning('id')
      .executeTakeFirst()
    if (!got) throw new Problem('conflict', `Image status transition from the present one to ${during} is not allowed`)
    await work.begin(tx as never, bytesWork, id, 'uploading')
  })

/** False: the image was deleted, or somebody believed us dead. */
const renew = async (db: Db<ImageTables>, clock: Clock, { id, upload, status }: Mine): Promise<boolean> => {
  const still = await db.transaction((tx) =>
    tx
      .updateTable('image_image')
      .set({ upload_until: clock.now() + lease })
      .where('id', '=', id)
      .where('upload_id', '=', upload)
      .where('status', 'in', status)
      .returning('id')
      .executeTakeFirst(),
  )
  return still !== undefined
}

type Finished = Partial<ImageTables['image_image']> & { status: string }

/** Ends the upload in one transaction; false when it was not ours any more. An image that was deleted meanwhile stays deleted; its machine is told that nobody writes any more. */
const finish = (
  db: Db<ImageTables>,
  clock: Clock,
  work: Work,
  { id, upload, status }: Mine,
  { status: to, ...facts }: Finished,
  keep?: (tx: Tx<ImageTables>) => Promise<void>,
) =>
  db.transaction(async (tx) => {
    const free = { upload_id: '', upload_until: 0 }
    const done = await tx
      .updateTable('image_image')
      .set((eb) => ({
        ...facts,
        ...free,
        status: eb.case().when('status', 'in', goneStatuses).then(eb.ref('status')).else(to).end(),
        updated_at: clock.now(),
      }))
      .where('id', '=', id)
      .where('upload_id', '=', upload)
      .where('status', 'in', status)
      .returning('id')
      .executeTakeFirst()
    if (!done && keep) throw gone()
    await keep?.(tx)
    await work.wake(bytesWork, id, tx as never)
    return done !== undefined
  })

/** That upload's lease ran out: queued again (an import goes on by itself), if nobody else took it up meanwhile. */
export const endBrokenUpload = async (db: Db<ImageTables>, clock: Clock, id: string, upload: string): Promise<void> => {
  const now = clock.now()
  await db.transaction((tx) =>
    tx
      .updateTable('image_image')
      .set((eb) => ({
        status: eb.case().when('status', 'in', ['saving', 'uploading']).then('queued').else(eb.ref('status')).end(),
        upload_id: '',
        upload_until: 0,
        updated_at: now,
      }))
      .where('id', '=', id)
      .where('status', 'in', ['saving', 'uploading', 'importing'])
      .where('upload_id', '=', upload)
      .where('upload_until', '<=', now)
      .execute(),
  )
}
