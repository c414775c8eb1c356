import { Problem } from '../../../kit/errors.ts'
import type { IdentityTx } from '../tables.ts'
import type { Reader } from './names.ts'
import type { Store } from './store.ts'

export type Tags = {
  set(projectId: string, tags: string[]): Promise<void>
  add(projectId: string, tag: string): Promise<void>
  /** Throws not-found. */
  remove(projectId: string, tag: string): Promise<void>
}

/** The most a project may have. */
export const maxTags = 80

export const openTags = (store: Store): Tags => ({
  set: (projectId, tags) => store.write((tx) => setTags(tx, projectId, tags)),
  add: (projectId, tag) =>
    store.write(async (tx) => {
      const tags = (await tagsOf(tx, [projectId])).get(projectId) ?? []
      if (tags.length >= maxTags && !tags.includes(tag)) throw new Problem('invalid', `A project has at most ${maxTags} tags.`)
      await setTags(tx, projectId, [...new Set([...tags, tag])])
    }),
  remove: (projectId, tag) =>
    store.write(async (tx) => {
      const removed = await tx
        .deleteFrom('identity_project_tag')
        .where('project_id', '=', projectId)
        .where('tag', '=', tag)
        .executeTakeFirst()
      if (removed.numDeletedRows === 0n) throw new Problem('not-found', `Could not find project tag: ${tag}.`)
    }),
})

export async function setTags(tx: IdentityTx, projectId: string, tags: string[]): Promise<void> {
  await tx.deleteFrom('identity_project_tag').where('project_id', '=', projectId).execute()
  if (tags.length === 0) return
  await tx
    .insertInto('identity_project_tag')
    .values(tags.map((tag) => ({ project_id: projectId, tag })))
    .execute()
}

/** Tags by project, sorted; of all projects when no ids are given. */
export async function tagsOf(read: Reader, projectIds: string[] | undefined): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>()
  if (projectIds?.length === 0) return tags
  let query = read.selectFrom('identity_project_tag').selectAll().orderBy('project_id').orderBy('tag')
  if (projectIds) query = query.where('project_id', 'in', projectIds)
  for (const row of await query.execute()) tags.set(row.project_id, [...(tags.get(row.project_id) ?? []), row.tag])
  return tags
}
