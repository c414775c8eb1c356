import type { Db, Tx } from '../../../kit/db/open.ts'
import type { Exceeded } from '../../../kit/quota/quota.ts'
import { openQuota } from '../../../kit/quota/quota.ts'
import type { ImageTables } from '../tables.ts'

/** Glance's unified limits: sizes in MiB, counted in bytes here. */
export type Resource = 'image_size_total' | 'image_stage_total' | 'image_count_total' | 'image_count_uploading'
const sizes = new Set<string>(['image_size_total', 'image_stage_total'])
const mebibyte = 2 ** 20

/** By resource, as identity has them (sizes in MiB); what is not named has no limit. */
export type Limits = Record<string, number>

export type ImageQuota = ReturnType<typeof openImageQuota>

const gone = ['deleted', 'pending_delete']
const uploading = ['saving', 'uploading', 'importing']

type Counting = Pick<Tx<ImageTables>, 'selectFrom'>

const count = async (tx: Counting, projectId: string, only?: string[]): Promise<number> => {
  const rows = tx
    .selectFrom('image_image')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('owner_id', '=', projectId)
  const found = await rows.where('status', only ? 'in' : 'not in', only ?? gone).executeTakeFirstOrThrow()
  return Number(found.n)
}

/** Each copy of an image counts. */
const storedBytes = async (tx: Counting, projectId: string): Promise<number> => {
  const found = await tx
    .selectFrom('image_image')
    .innerJoin('image_copy', 'image_copy.image_id', 'image_image.id')
    .select((eb) => eb.fn.sum<number>('size_bytes').as('bytes'))
    .where('owner_id', '=', projectId)
    .where('status', 'not in', gone)
    .where('size_bytes', '>', 0)
    .executeTakeFirst()
  return Number(found?.bytes ?? 0)
}

const stagedBytes = async (tx: Counting, projectId: string): Promise<number> => {
  const found = await tx
    .selectFrom('image_staged')
    .innerJoin('image_image', 'image_image.id', 'image_staged.image_id')
    .select((eb) => eb.fn.sum<number>('image_staged.size_bytes').as('bytes'))
    .where('owner_id', '=', projectId)
    .where('status', 'not in', gone)
    .executeTakeFirst()
  return Number(found?.bytes ?? 0)
}

const counters: Record<Resource, (tx: Counting, projectId: string) => Promise<number>> = {
  image_size_total: storedBytes,
  image_stage_total: stagedBytes,
  image_count_total: (tx, projectId) => count(tx, projectId),
  image_count_uploading: (tx, projectId) => count(tx, projectId, uploading),
}

const inBytes = (limits: Limits): Limits =>
  Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, sizes.has(name) && limit >= 0 ? limit * mebibyte : limit]),
  )

const sentence = (exceeded: Exceeded[]) => {
  const parts = exceeded.map(({ resource, asked, used, limit }) => {
    const shown = (amount: number) => (sizes.has(resource) ? Math.ceil(amount / mebibyte) : amount)
    return `${resource}: limit ${shown(limit)}, in use ${shown(used)}, asked for ${shown(asked)}`
  })
  return `The project is over its limits: ${parts.join('; ')}.`
}

/** `limitsOf`: the limits of a project in force, asked outside of transactions. */
export function openImageQuota(db: Db<ImageTables>, limitsOf: (projectId: string) => Promise<Limits>) {
  const quota = openQuota<ImageTables>({ db: db as Db<unknown>, service: 'image', defaults: {}, counters, message: sentence })
  return {
    limits: limitsOf,

    /** In the transaction that takes: throws over-quota. Sizes in bytes. */
    allow: (tx: Tx<ImageTables>, projectId: string, asked: Partial<Record<Resource, number>>, limits: Limits) =>
      quota.allow(tx, projectId, asked as Record<string, number>, inBytes(limits)),

    /** How many bytes there is still room for; infinite without a limit. */
    async room(projectId: string, resource: 'image_size_total' | 'image_stage_total', limits: Limits): Promise<number> {
      const limit = inBytes(limits)[resource] ?? -1
      return limit < 0 ? Number.POSITIVE_INFINITY : Math.max(0, limit - (await counters[resource](db.read, projectId)))
    },

    async usage(projectId: string): Promise<Record<string, { limit: number; usage: number }>> {
      const limits = await limitsOf(projectId)
      const shown: Record<string, { limit: number; usage: number }> = {}
      for (const [name, counter] of Object.entries(counters)) {
        const used = await counter(db.read, projectId)
        shown[name] = { limit: limits[name] ?? -1, usage: sizes.has(name) ? Math.floor(used / mebibyte) : used }
      }
      return shown
    },
  }
}
