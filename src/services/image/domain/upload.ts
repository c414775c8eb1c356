import type { Blobs } from '../../../drivers/blobs/driver.ts'
import { type Clock, minute } from '../../../kit/clock.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { uuid } from '../../../kit/ids.ts'
import { Killed } from '../../../kit/work/killed.ts'
import type { Work } from '../../../kit/work/work.ts'
import { type Declared, openInspector } from '../inspect/inspect.ts'
import type { ImageTables } from '../tables.ts'
import type { StoredImage } from './image.ts'
import { bytesWork } from './images.ts'

/** An upload that did not say so long that it lives is dead. */
const lease = minute
const renewMs = 10_000

/** `announcedBytes`: how many the sender says there are. */
export type Upload = (image: StoredImage, bytes: AsyncIterable<Uint8Array>, announcedBytes?: number) => Promise<void>

type Deps = { db: Db<ImageTables>; clock: Clock; work: Work; blobs: Blobs; maxBytes: number }

/**
 * Takes the bytes of an image, looking at them as they pass. A stream that breaks, is refused by the inspector or finds no room leaves the image
 * queued and without bytes; a killed process does so after its lease (see the machine). Each upload writes under a name of its own: one that was believed
 * dead and is not can neither replace nor remove what came after it.
 */
export const openUpload =
  ({ db, clock, work, blobs, maxBytes }: Deps): Upload =>
  async (image, bytes, announcedBytes = 0) => {
    const declared = declaredOf(image)
    if (announcedBytes > maxBytes) throw new Problem('too-large', `There are more than ${maxBytes} bytes.`)
    const upload = uuid()
    const mine = (status: string[]) => ({ id: image.id, upload, status })
    await begin(db, clock, work, mine(['queued']))
    const aborted = { lost: false }
    const look = async () => {
      // A database that is away for a moment ends no upload; its lease does.
      const alive = await renew(db, clock, mine(['saving'])).catch(() => true)
      aborted.lost ||= !alive
    }
    const renewing = setInterval(() => void look(), renewMs)
    const inspector = openInspector()
    try {
      const written = await blobs.write(upload, guarded(bytes, aborted), { maxBytes, check: (chunk) => inspector.feed(chunk) })
      const { virtualSizeBytes } = inspector.judge(declared)
      await finish(db, clock, work, mine(['saving']), {
        status: 'active',
        size_bytes: written.sizeBytes,
        virtual_size_bytes: virtualSizeBytes ?? -1,
        md5: written.md5,
        sha512: written.sha512,
        blob_id: upload,
      })
    } catch (error) {
      if (error instanceof Killed) throw error
      await blobs.remove(upload)
      const wasOurs = await finish(db, clock, work, mine(['saving', 'deleted']), { status: 'queued' })
      throw wasOurs ? error : gone(error)
    } finally {
      clearInterval(renewing)
    }
  }

function declaredOf({ diskFormat, containerFormat }: StoredImage): Declared {
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
    throw new Problem('invalid', 'The bytes of the image broke off.', { cause })
  }
}

/** Deleted, or taken for dead. */
const gone = (cause?: unknown): Problem =>
  new Problem('not-found', 'The image was deleted or taken over during the upload.', { cause, code: 'gone' })

type Mine = { id: string; upload: string; status: string[] }

const begin = (db: Db<ImageTables>, clock: Clock, work: Work, { id, upload, status }: Mine) =>
  db.transaction(async (tx) => {
    const now = clock.now()
    const got = await tx
      .updateTable('image_image')
      .set({ status: 'saving', upload_id: upload, upload_until: now + lease, updated_at: now })
      .where('id', '=', id)
      .where('status', 'in', status)
      .where('disk_format', '!=', '')
      .where('container_format', '!=', '')
      .returning('id')
      .executeTakeFirst()
    if (!got) throw new Problem('conflict', 'Image status transition from the present one to saving is not allowed')
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

type Finished = Partial<ImageTables['image_image']> & { status: 'active' | 'queued' }

/** Ends the upload in one transaction; false when it was not ours any more. An image that was deleted meanwhile stays deleted; its machine is told that nobody writes any more. */
const finish = (
  db: Db<ImageTables>,
  clock: Clock,
  work: Work,
  { id, upload, status }: Mine,
  { status: to, ...facts }: Finished,
) =>
  db.transaction(async (tx) => {
    const free = { upload_id: '', upload_until: 0 }
    const done = await tx
      .updateTable('image_image')
      .set((eb) => ({
        ...facts,
        ...free,
        status: eb.case().when('status', '=', 'deleted').then('deleted').else(to).end(),
        updated_at: clock.now(),
      }))
      .where('id', '=', id)
      .where('upload_id', '=', upload)
      .where('status', 'in', status)
      .returning('id')
      .executeTakeFirst()
    if (!done && to === 'active') throw gone()
    await work.wake(bytesWork, id, tx as never)
    return done !== undefined
  })

/** That upload's lease ran out: queued again, if nobody else took it up meanwhile. */
export const endBrokenUpload = async (db: Db<ImageTables>, clock: Clock, id: string, upload: string): Promise<void> => {
  const now = clock.now()
  await db.transaction((tx) =>
    tx
      .updateTable('image_image')
      .set({ status: 'queued', upload_id: '', upload_until: 0, updated_at: now })
      .where('id', '=', id)
      .where('status', '=', 'saving')
      .where('upload_id', '=', upload)
      .where('upload_until', '<=', now)
      .execute(),
  )
}
