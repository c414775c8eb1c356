import type { Clock } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import type { ImageRow, ImageTables } from '../tables.ts'
import { goneStatuses } from './images.ts'
import type { ImageQuota } from './quota.ts'
import { type ImportPlan, type Prepared, type Progress, type RemoteFacts, type Task, type TaskStatus, taskOf } from './task.ts'
import { taskLife } from './tasks.ts'

/** A task with the rows it works on. */
export type Import = {
  task: Task
  /** Undefined: deleted. */
  image: ImageRow | undefined
  /** Its bytes, deleted or not. */
  blobId: string
  staged: ImageTables['image_staged'] | undefined
  copies: string[]
}

export type Imports = ReturnType<typeof openImports>

/** What the service notes on an image for its users; they cannot set these. */
const importingTo = 'os_glance_importing_to_stores'
const failedImport = 'os_glance_failed_import'

/** The transactions of an import's machine. Each may be done twice. */
export function openImports({ db, clock, quota }: { db: Db<ImageTables>; clock: Clock; quota: ImageQuota }) {
  const setProperty = (tx: Tx<ImageTables>, image_id: string, name: string, value: string) =>
    tx
      .insertInto('image_property')
      .values({ image_id, name, value })
      .onConflict((conflict) => conflict.columns(['image_id', 'name']).doUpdateSet({ value }))
      .execute()
  const notes = async (tx: Tx<ImageTables>, { imageId, plan }: Task, { done, failed }: Progress) => {
    const open = plan.stores.filter((store) => !done.includes(store) && !failed.includes(store))
    await setProperty(tx, imageId, importingTo, open.join(','))
    await setProperty(tx, imageId, failedImport, failed.join(','))
  }
  const setProgress = (tx: Tx<ImageTables>, task: Task, progress: Progress) =>
    tx
      .updateTable('image_task')
      .set({ status: 'processing', progress: toJson(progress), updated_at: clock.now() })
      .where('id', '=', task.id)
      .execute()
  const touch = (tx: Tx<ImageTables>, imageId: string, facts: Partial<ImageRow>) =>
    tx
      .updateTable('image_image')
      .set({ ...facts, updated_at: clock.now() })
      .where('id', '=', imageId)
      .where('status', 'not in', goneStatuses)

  const setProperties = async (tx: Tx<ImageTables>, image_id: string, properties: Record<string, string>) => {
    for (const [name, value] of Object.entries(properties)) await setProperty(tx, image_id, name, value)
  }

  /** The bytes become the image's, with what came along. */
  const activate = async (tx: Tx<ImageTables>, { imageId, progress: { remote } }: Task, ready: Prepared) => {
    const facts = {
      status: 'active',
      blob_id: ready.blobId,
      size_bytes: ready.sizeBytes,
      virtual_size_bytes: ready.virtualSizeBytes ?? -1,
      md5: ready.md5,
      sha512: ready.sha512,
      ...(remote === undefined ? {} : { disk_format: remote.diskFormat, container_format: remote.containerFormat }),
      ...(ready.diskFormat === undefined ? {} : { disk_format: ready.diskFormat }),
    }
    const done = await touch(tx, imageId, facts).where('status', '=', 'importing').returning('id').execute()
    if (done.length > 0) await setProperties(tx, imageId, remote?.properties ?? {})
  }

  const end = (tx: Tx<ImageTables>, task: Task, status: TaskStatus, rest: { result?: string; message?: string }) => {
    const now = clock.now()
    return tx
      .updateTable('image_task')
      .set({ ...rest, status, plan: toJson(withoutToken(task.plan)), expires_at: now + taskLife, updated_at: now })
      .where('id', '=', task.id)
      .execute()
  }

  return {
    async load(id: string): Promise<Import | undefined> {
      const row = await db.read.selectFrom('image_task').selectAll().where('id', '=', id).executeTakeFirst()
      if (!row) return undefined
      const image = await db.read.selectFrom('image_image').selectAll().where('id', '=', row.image_id).executeTakeFirst()
      const copies = await db.read.selectFrom('image_copy').selectAll().where('image_id', '=', row.image_id).execute()
      return {
        task: taskOf(row),
        image: image && goneStatuses.includes(image.status) ? undefined : image,
        blobId: image?.blob_id ?? '',
        staged: await db.read.selectFrom('image_staged').selectAll().where('image_id', '=', row.image_id).executeTakeFirst(),
        copies: copies.map((copy) => copy.store_id),
      }
    },

    async begun(task: Task): Promise<void> {
      await db.transaction(async (tx) => {
        await setProgress(tx, task, task.progress)
        await notes(tx, task, task.progress)
      })
    },

    /** What the image of the other region is. */
    async found(task: Task, remote: RemoteFacts): Promise<void> {
      await db.transaction((tx) => setProgress(tx, task, { ...task.progress, remote }))
    },

    async prepared(task: Task, prepared: Prepared): Promise<void> {
      await db.transaction(async (tx) => {
        await setProgress(tx, task, { ...task.progress, prepared })
        if (prepared.source === undefined) return
        await tx
          .updateTable('image_staged')
          .set({ blob_id: prepared.blobId, size_bytes: prepared.sizeBytes })
          .where('image_id', '=', task.imageId)
          .execute()
      })
    },

    /** The bytes are in one more store. */
    async placed(task: Task, image: ImageRow, ready: Prepared, storeId: string): Promise<void> {
      const { progress, plan } = task
      const limits = await quota.limits(image.owner_id)
      await db.transaction(async (tx) => {
        await quota.allow(tx, image.owner_id, { image_size_total: ready.sizeBytes }, limits)
        await tx
          .insertInto('image_copy')
          .values({ image_id: image.id, store_id: storeId, added_at: clock.now() })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        const next = { ...progress, done: [...progress.done, storeId] }
        await setProgress(tx, task, next)
        await notes(tx, task, next)
        if (plan.allMustSucceed) await touch(tx, image.id, { size_bytes: ready.sizeBytes }).execute()
        else await activate(tx, task, ready)
      })
    },

    async refused(task: Task, storeId: string): Promise<void> {
      const next = { ...task.progress, failed: [...task.progress.failed, storeId] }
      await db.transaction(async (tx) => {
        await setProgress(tx, task, next)
        await notes(tx, task, next)
      })
    },

    /** All is where it shall be. */
    async activated(task: Task, ready: Prepared): Promise<void> {
      await db.transaction((tx) => activate(tx, task, ready))
    },

    async succeeded(task: Task): Promise<void> {
      await db.transaction(async (tx) => {
        await tx.deleteFrom('image_staged').where('image_id', '=', task.imageId).execute()
        await notes(tx, task, task.progress)
        await end(tx, task, 'success', { result: toJson({ image_id: task.imageId }) })
      })
    },

    async explain(task: Task, message: string): Promise<void> {
      await db.transaction((tx) => tx.updateTable('image_task').set({ message }).where('id', '=', task.id).execute())
    },

    /** The copies it made are no more the image's. */
    async takeBack(task: Task): Promise<void> {
      const { done } = task.progress
      if (done.length === 0) return
      await db.transaction((tx) =>
        tx.deleteFrom('image_copy').where('image_id', '=', task.imageId).where('store_id', 'in', done).execute(),
      )
    },

    async failed(task: Task): Promise<void> {
      const { plan } = task
      await db.transaction(async (tx) => {
        await tx.deleteFrom('image_staged').where('image_id', '=', task.imageId).execute()
        await touch(tx, task.imageId, { status: 'queued', size_bytes: -1 }).where('status', '=', 'importing').execute()
        const image = await tx.selectFrom('image_image').select('id').where('id', '=', task.imageId).executeTakeFirst()
        if (image) await notes(tx, task, { done: [], failed: plan.stores })
        await end(tx, task, 'failure', task.message === '' ? { message: 'The import was ended.' } : {})
      })
    },
  }
}

const withoutToken = ({ remote, ...plan }: ImportPlan): ImportPlan => {
  if (!remote) return plan
  const { token: _, ...rest } = remote
  return { ...plan, remote: rest }
}
