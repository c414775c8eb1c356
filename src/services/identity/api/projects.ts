import { type Static, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, type Query, reply } from '../../../kit/http/endpoint.ts'
import type { Assignments } from '../domain/assignments.ts'
import { within } from '../domain/lists.ts'
import { existing } from '../domain/names.ts'
import { ancestors, descendants, type Project } from '../domain/project-tree.ts'
import { type Projects, projectListing, type TagFilter, type TaggedProject } from '../domain/projects.ts'
import type { Store } from '../domain/store.ts'
import { maxTags, type Tags } from '../domain/tags.ts'
import { projectView } from './project-view.ts'
import * as wire from './wire.ts'

export const ProjectName = Type.String({ minLength: 1, maxLength: 64, pattern: '\\S+' })
const Tag = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^,/]*$' })
export const TagList = Type.Array(Tag, { maxItems: maxTags, uniqueItems: true })
export const Immutable = wire.Options({ immutable: Type.Optional(wire.NullableBoolean) })

const fields = {
  name: Type.Optional(ProjectName),
  description: Type.Optional(wire.NullableText),
  domain_id: Type.Optional(wire.NullableId),
  parent_id: Type.Optional(wire.NullableId),
  enabled: Type.Optional(Type.Boolean()),
  is_domain: Type.Optional(Type.Boolean()),
  tags: Type.Optional(TagList),
  options: Type.Optional(Immutable),
}
const ProjectChange = Type.Object(fields, { minProperties: 1 })
const NewProject = Type.Object({ ...fields, name: ProjectName })

export const projectTarget = (project: Project | undefined) =>
  project && { project: { id: project.id, domain_id: project.domainId || null } }

type Found = { project: TaggedProject | undefined }
type Parts = { store: Store; projects: Projects; tags: Tags; assignments: Assignments }

export function projectEndpoints({ store, projects, tags, assignments }: Parts): Endpoint[] {
  const theProject = {
    subject: async ({ params }: Pick<Ask, 'params'>): Promise<Found> => ({ project: await projects.find(params['project_id']!) }),
    target: ({ subject }: { subject: Found }) => ({ target: { ...projectTarget(subject.project) } }),
  }
  const present = ({ subject, params }: { subject: Found; params: Ask['params'] }): TaggedProject =>
    existing(subject.project, 'project', params['project_id']!)
  const domainOfNew = async (caller: Ask['caller'], body: Asked): Promise<string> => {
    const parent = body.domain_id || !body.parent_id ? undefined : await projects.find(body.parent_id)
    return parent ? parent.domainId || parent.id : wire.domainFor(caller, body.domain_id)
  }
  const tagsView = (ask: Pick<Ask, 'origin' | 'url'>, list: string[]) => ({
    links: { self: `${ask.origin}${ask.url}` },
    tags: list,
  })
  return [
    endpoint({
      on: 'GET /projects',
      policy: 'identity:list_projects',
      summary: 'List projects',
      target: wire.ownDomain,
      async handle(ask) {
        const list = within(wire.listAsk(projectListing, ask.query), ask.caller.domainId)
        const isDomain = ask.query['is_domain'] === undefined ? { isDomain: false } : {}
        const found = await projects.list(list, { ...isDomain, tags: tagFilter(ask.query) })
        return wire.collection(ask, 'projects', found, projectView(ask))
      },
    }),
    endpoint({
      on: 'POST /projects',
      policy: 'identity:create_project',
      summary: 'Create a project',
      status: 201,
      body: wire.one('project', NewProject),
      async target({ caller, body }) {
        const ask = asked(body)
        return { target: { project: { domain_id: ask.is_domain ? null : await domainOfNew(caller, ask) } } }
      },
      async handle(ask) {
        const { project } = ask.body
        const isDomain = project.is_domain ?? false
        const domainId = isDomain ? (project.domain_id ?? '') : await domainOfNew(ask.caller, project)
        const made = await projects.create({
          name: project.name,
          domainId,
          parentId: project.parent_id ?? (isDomain ? '' : domainId),
          isDomain,
          enabled: project.enabled ?? true,
          description: project.description ?? '',
          tags: project.tags ?? [],
          options: wire.withoutNulls(project.options ?? {}),
          extra: wire.extraOf(project, ProjectChange),
        })
        return { project: projectView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /projects/{project_id}',
      policy: 'identity:get_project',
      summary: 'Show a project, with what is above or below it when asked for',
      ...theProject,
      async handle(ask) {
        const project = present(ask)
        return { project: { ...projectView(ask)(project), ...(await relatives(ask, project)) } }
      },
    }),
    endpoint({
      on: 'PATCH /projects/{project_id}',
      policy: 'identity:update_project',
      summary: 'Change a project',
      body: wire.one('project', ProjectChange),
      ...theProject,
      async handle(ask) {
        const old = present(ask)
        assertSamePlace(ask.body.project, old)
        return { project: projectView(ask)(await projects.update(old.id, changeOf(ask.body.project))) }
      },
    }),
    endpoint({
      on: 'DELETE /projects/{project_id}',
      policy: 'identity:delete_project',
      summary: 'Delete a project',
      ...theProject,
      handle: async (ask) => projects.remove(present(ask).id),
    }),
    endpoint({
      on: 'GET /projects/{project_id}/tags',
      policy: 'identity:list_project_tags',
      summary: 'List the tags of a project',
      ...theProject,
      handle: async (ask) => tagsView(ask, present(ask).tags),
    }),
    endpoint({
      on: 'PUT /projects/{project_id}/tags',
      policy: 'identity:update_project_tags',
      summary: 'Replace the tags of a project',
      body: wire.one('tags', TagList),
      ...theProject,
      async handle(ask) {
        await tags.set(present(ask).id, ask.body.tags)
        return tagsView(ask, [...ask.body.tags].sort())
      },
    }),
    endpoint({
      on: 'DELETE /projects/{project_id}/tags',
      policy: 'identity:delete_project_tags',
      summary: 'Take all tags off a project',
      ...theProject,
      handle: async (ask) => tags.set(present(ask).id, []),
    }),
    endpoint({
      on: 'GET /projects/{project_id}/tags/{value}',
      policy: 'identity:get_project_tag',
      summary: 'Check a tag of a project',
      ...theProject,
      async handle(ask) {
        const tag = ask.params['value']!
        if (!present(ask).tags.includes(tag)) throw new Problem('not-found', `Could not find project tag: ${tag}.`)
      },
    }),
    endpoint({
      on: 'PUT /projects/{project_id}/tags/{value}',
      policy: 'identity:create_project_tag',
      summary: 'Put a tag on a project',
      ...theProject,
      async handle(ask) {
        const tag = ask.params['value']!
        if (tag.length > 255 || /[,/]/.test(tag)) throw new Problem('invalid', `'${tag.slice(0, 255)}' does not match '^[^,/]*$'`)
        await tags.add(present(ask).id, tag)
        return reply({ status: 201, headers: { Location: `${ask.origin}${ask.url}` } })
      },
    }),
    endpoint({
      on: 'DELETE /projects/{project_id}/tags/{value}',
      policy: 'identity:delete_project_tag',
      summary: 'Take a tag off a project',
      ...theProject,
      handle: async (ask) => tags.remove(present(ask).id, ask.params['value']!),
    }),
  ]

  /** Lists show only the relatives the caller has a role on. */
  async function relatives(ask: Ask<unknown, Found>, project: Project): Promise<object> {
    const { query } = ask
    const wants = (name: string) => wire.isTrue(query[name])
    for (const side of ['parents', 'subtree'])
      if (wants(`${side}_as_list`) && wants(`${side}_as_ids`))
        throw new Problem('invalid', `Cannot use ${side}_as_list and ${side}_as_ids query params at the same time.`)
    const mine = async (all: Project[]) => {
      const ids = new Set([
        ...(await assignments.projectIdsOf(ask.caller.userId)),
        ...(await assignments.domainIdsOf(ask.caller.userId)),
      ])
      return all.filter((one) => ids.has(one.id)).map((one) => ({ project: projectView(ask)({ ...one, tags: [] }) }))
    }
    const above = () => ancestors(store.read, project)
    const below = () => descendants(store.read, project.id)
    return {
      ...(wants('parents_as_list') && { parents: await mine(await above()) }),
      ...(wants('parents_as_ids') && { parents: chainOf(await above()) }),
      ...(wants('subtree_as_list') && { subtree: await mine(await below()) }),
      ...(wants('subtree_as_ids') && { subtree: treeOf(await below(), project.id) }),
    }
  }
}

type Asked = { domain_id?: string | null | undefined; parent_id?: string | null | undefined; is_domain?: boolean | undefined }

/** The body before it was checked: only to find out where the new row will stand. */
function asked(body: unknown): Asked {
  const project = (body as { project?: Record<string, unknown> } | undefined)?.project ?? {}
  const text = (name: string) => (typeof project[name] === 'string' ? (project[name] as string) : undefined)
  return { domain_id: text('domain_id'), parent_id: text('parent_id'), is_domain: project['is_domain'] === true }
}

type Ids = { [id: string]: Ids | null }

/** The way up as nested ids, ending in null. */
const chainOf = ([first, ...rest]: Project[]): Ids | null => (first ? { [first.id]: chainOf(rest) } : null)

function treeOf(all: Project[], parentId: string): Ids | null {
  const children = all.filter((one) => one.parentId === parentId)
  return children.length === 0 ? null : Object.fromEntries(children.map((one) => [one.id, treeOf(all, one.id)]))
}

function tagFilter(query: Query): TagFilter {
  const list = (name: string) => query[name]?.flatMap((text) => text.split(',')).filter((tag) => tag !== '')
  return {
    ...wire.given('all', list('tags')),
    ...wire.given('any', list('tags-any')),
    ...wire.given('notAll', list('not-tags')),
    ...wire.given('none', list('not-tags-any')),
  }
}

function assertSamePlace(change: Static<typeof ProjectChange>, old: Project): void {
  wire.assertSameId(change, old.id)
  wire.assertSameDomain(change.domain_id, old.domainId)
  if (change.parent_id !== undefined && (change.parent_id ?? '') !== old.parentId)
    throw new Problem('forbidden', 'Update of `parent_id` is not allowed.')
  if (change.is_domain !== undefined && change.is_domain !== old.isDomain)
    throw new Problem('invalid', 'Update of `is_domain` is not allowed.')
}

const changeOf = (project: Static<typeof ProjectChange>) => ({
  ...wire.given('name', project.name),
  ...wire.given('description', project.description === null ? '' : project.description),
  ...wire.given('enabled', project.enabled),
  ...wire.given('tags', project.tags),
  ...wire.given('options', project.options),
  extra: wire.extraOf(project, ProjectChange),
})
