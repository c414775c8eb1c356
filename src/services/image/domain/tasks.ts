import { type Clock, second } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import { type Listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { uuid } from '../../../kit/ids.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ImageTables, TaskRow } from '../tables.ts'
import type { StoredImage } from './image.ts'
import type { ImageQuota, Limits } from './quota.ts'
import { type ImportPlan, type Task, type TaskType, taskOf } from './task.ts'

export const importWork = 'image.import'

/** A task that ended is shown so long (Glance's task_time_to_live). */
export const taskLife = 48 * 3600 * second

const unended = ['pending', 'processing']

/** The state an image must be in, by method, and the one it is in meanwhile. */
const states = {
  'glance-direct': 'uploading',
  'web-download': 'queued',
  'copy-image': 'active',
  'glance-download': 'queued',
} as const

export type NewTask = { type: TaskType; input: unknown; plan: ImportPlan; userId: string; requestId: string }

export type Tasks = ReturnType<typeof openTasks>

type Deps = { db: Db<ImageTables>; clock: Clock; work: Work; quota: ImageQuota }

/** Imports as users see them. One image has at most one at a time. */
export function openTasks({ db, clock, work, quota }: Deps) {
  const rows = () => db.read.selectFrom('image_task').selectAll('image_task')

  /** In the transaction: takes the image out of its state, and begins. Throws conflict when it is not in it. */
  const start = async (tx: Tx<ImageTables>, image: Pick<StoredImage, 'id' | 'ownerId'>, ask: NewTask, limits: Limits) => {
    const now = clock.now()
    const from = states[ask.plan.method]
    if (from === 'queued') await quota.allow(tx, image.ownerId, { image_count_uploading: 1 }, limits)
    const taken = await tx
      .updateTable('image_image')
      .set({ status: from === 'active' ? 'active' : 'importing', updated_at: now })
      .where('id', '=', image.id)
      .where('status', '=', from)
      .where('upload_id', '=', '')
      .returning('id')
      .executeTakeFirst()
    const busy = await tx
      .selectFrom('image_task')
      .select('id')
      .where('image_id', '=', image.id)
      .where('status', 'in', unended)
      .executeTakeFirst()
    if (!taken || busy)
      throw new Problem('conflict', `New operation on image '${image.id}' is not permitted while it is in use by another one.`)
    const id = uuid()
    await tx
      .insertInto('image_task')
      .values(newRow(id, image, ask, now))
      .execute()
    await work.begin(tx as never, importWork, id, 'fetch')
    return id
  }

  const find = async (id: string): Promise<Task | undefined> => {
    const row = await rows().where('id', '=', id).executeTakeFirst()
    return row && taskOf(row)
  }

  return {
    find,
    start,
    async begin(image: StoredImage, ask: NewTask): Promise<Task> {
      const limits = await quota.limits(image.ownerId)
      const id = await db.transaction((tx) => start(tx, image, ask, limits))
      return (await find(id))!
    },
    async ofImage(imageId: string): Promise<Task[]> {
      return (await rows().where('image_id', '=', imageId).orderBy('created_at', 'desc').execute()).map(taskOf)
    },
    async list(ownerId: string | undefined, shape: Listing<string>, ask: PageAsk<string>) {
      const query = ownerId === undefined ? rows() : rows().where('owner_id', '=', ownerId)
      const { rows: found, more } = await page(query, shape, ask)
      return { tasks: found.map(taskOf), more }
    },
    async isBusy(imageId: string): Promise<boolean> {
      const found = await rows().where('image_id', '=', imageId).where('status', 'in', unended).executeTakeFirst()
      return found !== undefined
    },
    async forget(id: string): Promise<void> {
      await db.transaction((tx) => tx.deleteFrom('image_task').where('id', '=', id).execute())
    },
  }
}

const newRow = (id: string, image: Pick<StoredImage, 'id' | 'ownerId'>, ask: NewTask, now: number): TaskRow => ({
  id,
  type: ask.type,
  status: 'pending',
  owner_id: image.ownerId,
  user_id: ask.userId,
  request_id: ask.requestId,
  image_id: image.id,
  input: toJson(ask.input),
  plan: toJson(ask.plan),
  progress: toJson({ done: [], failed: [] }),
  result: '',
  message: '',
  expires_at: 0,
  created_at: now,
  updated_at: now,
})
