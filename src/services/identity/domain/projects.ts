import type { Clock } from '../../../kit/clock.ts'
import { toBit, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTx } from '../tables.ts'
import { assertMutable } from './immutable.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { assertFreeName, type Extra, existing, merge } from './names.ts'
import { ancestors, descendants, findDomain, findProject, type Project, projectOf } from './project-tree.ts'
import { removeGroup, removeOfProject, removeRole, removeUsers } from './removal.ts'
import { revoke } from './revocations.ts'
import type { Store } from './store.ts'
import { setTags, tagsOf } from './tags.ts'

export type TaggedProject = Project & { tags: string[] }

/** No parent: right below its domain; a domain has neither. `id`: a domain may choose its own. */
export type NewProject = Omit<TaggedProject, 'id'> & { id?: string | undefined }
export type ProjectChange = Partial<Pick<TaggedProject, 'name' | 'description' | 'enabled' | 'options' | 'extra' | 'tags'>>

export const projectListing = listing<string>({
  filters: {
    ...textFilters('name', 'name'),
    domain_id: { column: 'domain_id' },
    parent_id: { column: 'parent_id' },
    enabled: { column: 'enabled', op: 'bit' },
    is_domain: { column: 'is_domain', op: 'bit' },
  },
  sorts: { id: 'id', name: 'name', domain_id: 'domain_id', parent_id: 'parent_id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

/** Projects that have all or any of the tags, or not all or none of them. */
export type TagFilter = { all?: string[]; any?: string[]; notAll?: string[]; none?: string[] }

export type ProjectFilter = { tags?: TagFilter; isDomain?: boolean; ids?: string[] }

export type Projects = {
  find(id: string): Promise<TaggedProject | undefined>
  list(ask: PageAsk<string>, filter?: ProjectFilter): Promise<Page<TaggedProject>>
  create(project: NewProject): Promise<TaggedProject>
  update(id: string, change: ProjectChange): Promise<TaggedProject>
  remove(id: string): Promise<void>
}

const noun = (project: { isDomain: boolean }) => (project.isDomain ? 'domain' : 'project')

/** `maxDepth`: levels of projects below a domain. */
export function openProjects(store: Store, clock: Clock, maxDepth = 5): Projects {
  const tagged = async (read: Store['read'] | IdentityTx, project: Project | undefined) =>
    project && { ...project, tags: (await tagsOf(read, [project.id])).get(project.id) ?? [] }
  return {
    find: async (id) => tagged(store.read, await findProject(store.read, id)),
    async list(ask, { tags = {}, isDomain, ids } = {}) {
      let query = store.read.selectFrom('identity_project').selectAll()
      if (isDomain !== undefined) query = query.where('is_domain', '=', toBit(isDomain))
      if (ids) query = ids.length === 0 ? query.where('id', '=', '') : query.where('id', 'in', ids)
      for (const wanted of tags.all ?? []) query = query.where('id', 'in', withTags([wanted]))
      if (tags.any) query = query.where('id', 'in', withTags(tags.any))
      if (tags.none) query = query.where('id', 'not in', withTags(tags.none))
      const { notAll } = tags
      if (notAll) query = query.where((eb) => eb.or(notAll.map((tag) => eb('id', 'not in', withTags([tag])))))
      const found = mapPage(await page(query, projectListing, ask), projectOf)
      const known = await tagsOf(store.read, found.rows.length > 500 ? undefined : found.rows.map((row) => row.id))
      return mapPage(found, (row) => ({ ...row, tags: known.get(row.id) ?? [] }))
    },
    create: (ask) =>
      store.write(async (tx) => {
        const project = { ...ask, id: ask.id ?? hexId() }
        if (await findProject(tx, project.id))
          throw new Problem('conflict', `Conflict occurred attempting to store ${noun(ask)} - Duplicate ID, ${project.id}.`)
        await assertPlace(tx, project, maxDepth)
        const row = { ...rowOf(project), id: project.id, created_at: clock.now() }
        await assertFreeName(tx, 'identity_project', noun(ask), row)
        await tx.insertInto('identity_project').values(row).execute()
        await setTags(tx, project.id, ask.tags)
        return { ...projectOf(row), tags: [...ask.tags].sort() }
      }),
    update: (id, change) =>
      store.write(async (tx) => {
        const old = existing(await tagged(tx, await findProject(tx, id)), 'project', id)
        assertMutable(noun(old), old, change)
        const next = {
          ...old,
          ...change,
          options: merge(old.options, change.options ?? {}),
          extra: merge(old.extra, change.extra ?? {}),
        }
        await assertFreeName(tx, 'identity_project', noun(old), { id, ...rowOf(next) })
        await assertSwitch(tx, old, next.enabled)
        await tx.updateTable('identity_project').set(rowOf(next)).where('id', '=', id).execute()
        if (change.tags) await setTags(tx, id, change.tags)
        if (old.enabled && !next.enabled) await revokeAll(tx, old, clock)
        return existing(await tagged(tx, await findProject(tx, id)), 'project', id)
      }),
    remove: (id) =>
      store.write(async (tx) => {
        const project = existing(await findProject(tx, id), 'project', id)
        assertMutable(noun(project), project, 'delete')
        if (project.isDomain) return removeDomain(tx, project, clock)
        const below = await tx.selectFrom('identity_project').select('id').where('parent_id', '=', id).limit(1).executeTakeFirst()
        if (below)
          throw new Problem(
            'forbidden',
            `Cannot delete the project ${id} since it is not a leaf in the hierarchy. Use the cascade option if you want to delete a whole subtree.`,
          )
        await removeProject(tx, project, clock)
      }),
  }
  function withTags(tags: string[]) {
    return store.read.selectFrom('identity_project_tag').select('project_id').where('tag', 'in', tags)
  }
}

const rowOf = (project: Omit<NewProject, 'id' | 'tags'>) => ({
  name: project.name.trim(),
  domain_id: project.domainId,
  parent_id: project.parentId,
  is_domain: toBit(project.isDomain),
  enabled: toBit(project.enabled),
  description: project.description,
  options: toJson(project.options satisfies Extra),
  extra: toJson(project.extra),
})

/** Domain and parent exist, belong together, are enabled, and the tree does not grow too high. */
async function assertPlace(tx: IdentityTx, project: NewProject, maxDepth: number): Promise<void> {
  if (project.isDomain) {
    if (project.parentId !== '' || project.domainId !== '')
      throw new Problem('invalid', 'only root projects are allowed to act as domains.')
    return
  }
  const domain = await findDomain(tx, project.domainId)
  if (!domain) throw new Problem('invalid', `Could not find domain: ${project.domainId}.`)
  const parent = await findProject(tx, project.parentId)
  if (!parent) throw new Problem('invalid', `Could not find project: ${project.parentId}.`)
  const parentDomainId = parent.isDomain ? parent.id : parent.domainId
  if (parentDomainId !== domain.id)
    throw new Problem(
      'invalid',
      `Cannot create project, since it specifies its domain_id ${domain.id}, but specifies a parent in a different domain (${parentDomainId}).`,
    )
  const above = [parent, ...(await ancestors(tx, parent))]
  if (above.some((one) => !one.enabled))
    throw new Problem(
      'invalid',
      `cannot create a project in a branch containing a disabled project: ${above.find((one) => !one.enabled)!.id}`,
    )
  if (above.length > maxDepth) throw new Problem('forbidden', `Max hierarchy depth reached for ${parent.id} branch.`)
}

async function assertSwitch(tx: IdentityTx, old: Project, enabled: boolean): Promise<void> {
  if (old.isDomain || old.enabled === enabled) return
  if (enabled && (await ancestors(tx, old)).some((one) => !one.enabled))
    throw new Problem('forbidden', `Cannot enable project ${old.id} since it has disabled parents`)
  if (!enabled && (await descendants(tx, old.id)).some((one) => one.enabled))
    throw new Problem('forbidden', `Cannot disable project ${old.id} since its subtree contains enabled projects.`)
}

const revokeAll = (tx: IdentityTx, project: Project, clock: Clock): Promise<void> =>
  revoke(tx, project.isDomain ? { domainId: project.id } : { projectId: project.id }, clock)

async function removeProject(tx: IdentityTx, project: Project, clock: Clock): Promise<void> {
  const { id } = project
  await tx.deleteFrom('identity_project_tag').where('project_id', '=', id).execute()
  await tx.deleteFrom('identity_assignment').where('target', 'in', ['project', 'domain']).where('target_id', '=', id).execute()
  await removeOfProject(tx, id)
  await tx.updateTable('identity_user').set({ default_project_id: '' }).where('default_project_id', '=', id).execute()
  await tx.deleteFrom('identity_project').where('id', '=', id).execute()
  await revokeAll(tx, project, clock)
}

/** A disabled domain goes with everything in it. */
async function removeDomain(tx: IdentityTx, domain: Project, clock: Clock): Promise<void> {
  if (domain.enabled) throw new Problem('forbidden', 'Cannot delete a domain that is enabled, please disable it first.')
  const users = await tx.selectFrom('identity_user').select('id').where('domain_id', '=', domain.id).execute()
  const userIds = users.map((row) => row.id)
  await removeUsers(tx, userIds, clock)
  const groups = await tx.selectFrom('identity_group').select('id').where('domain_id', '=', domain.id).execute()
  for (const { id } of groups) await removeGroup(tx, id)
  const roles = await tx.selectFrom('identity_role').select('id').where('domain_id', '=', domain.id).execute()
  for (const { id } of roles) await removeRole(tx, id)
  const projects = await tx.selectFrom('identity_project').selectAll().where('domain_id', '=', domain.id).execute()
  for (const row of projects) await removeProject(tx, projectOf(row), clock)
  await removeProject(tx, domain, clock)
}
