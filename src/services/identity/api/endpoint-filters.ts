import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type EndpointFilters, notLinked } from '../domain/endpoint-filters.ts'
import {
  type EndpointGroup,
  type EndpointGroups,
  endpointGroupListing,
  type EndpointFilters as Filters,
} from '../domain/endpoint-groups.ts'
import type { Endpoints } from '../domain/endpoints.ts'
import { existing } from '../domain/names.ts'
import type { Project } from '../domain/project-tree.ts'
import type { Projects } from '../domain/projects.ts'
import { expecting } from '../domain/refusals.ts'
import { endpointView } from './endpoints.ts'
import { projectView } from './project-view.ts'
import * as wire from './wire.ts'

const fields = {
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' })),
  description: Type.Optional(wire.NullableText),
  filters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
}
const NewGroup = Type.Object({ ...fields, name: Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' }) })
const GroupChange = Type.Object(fields, { minProperties: 1 })

const groupView =
  (ask: Pick<Ask, 'origin'>) =>
  (group: EndpointGroup): object => ({
    ...group,
    links: { self: wire.linkTo(ask, `OS-EP-FILTER/endpoint_groups/${group.id}`) },
  })

type Parts = { groups: EndpointGroups; filters: EndpointFilters; endpoints: Endpoints; projects: Projects }

const base = '/OS-EP-FILTER'

export function endpointFilterEndpoints({ groups, filters, endpoints, projects }: Parts): Endpoint[] {
  const groupOf = async ({ params }: Pick<Ask, 'params'>): Promise<EndpointGroup> => {
    const id = params['endpoint_group_id']!
    return existing(await groups.find(id), 'Endpoint Group', id)
  }
  const pairOf = async ({ params }: Pick<Ask, 'params'>) => {
    const [endpointId, projectId] = [params['endpoint_id']!, params['project_id']!]
    existing(await endpoints.find(endpointId), 'endpoint', endpointId)
    existing(await projects.find(projectId), 'project', projectId)
    return { endpointId, projectId }
  }
  const linkOf = async (ask: Pick<Ask, 'params'>) => {
    const projectId = ask.params['project_id']!
    existing(await projects.find(projectId), 'project', projectId)
    return { groupId: (await groupOf(ask)).id, projectId }
  }
  const projectList = (ask: Ask, found: Project[]) => {
    const rows = found.map((one) => ({ ...one, tags: [] }))
    return wire.collection(ask, 'projects', { rows, more: false }, projectView(ask))
  }
  return [
    endpoint({
      on: `GET ${base}/endpoint_groups`,
      policy: 'identity:list_endpoint_groups',
      summary: 'List endpoint groups',
      async handle(ask) {
        const found = await groups.list(wire.listAsk(endpointGroupListing, ask.query))
        return wire.collection(ask, 'endpoint_groups', found, groupView(ask))
      },
    }),
    endpoint({
      on: `POST ${base}/endpoint_groups`,
      policy: 'identity:create_endpoint_group',
      summary: 'Create an endpoint group',
      status: 201,
      body: wire.one('endpoint_group', NewGroup),
      async handle(ask) {
        const { name, description, filters: wanted } = ask.body.endpoint_group
        const made = await groups.create({ name, description: description ?? '', filters: filtersOf(wanted ?? {}) })
        return { endpoint_group: groupView(ask)(made) }
      },
    }),
    endpoint({
      on: `GET ${base}/endpoint_groups/{endpoint_group_id}`,
      policy: 'identity:get_endpoint_group',
      summary: 'Show an endpoint group',
      handle: async (ask) => ({ endpoint_group: groupView(ask)(await groupOf(ask)) }),
    }),
    endpoint({
      on: `PATCH ${base}/endpoint_groups/{endpoint_group_id}`,
      policy: 'identity:update_endpoint_group',
      summary: 'Change an endpoint group',
      body: wire.one('endpoint_group', GroupChange),
      async handle(ask) {
        const { endpoint_group: group } = ask.body
        const { id } = await groupOf(ask)
        wire.assertSameId(group, id)
        const changed = await groups.update(id, {
          ...wire.given('name', group.name),
          ...wire.given('description', group.description === null ? '' : group.description),
          ...wire.given('filters', group.filters && filtersOf(group.filters)),
        })
        return { endpoint_group: groupView(ask)(changed) }
      },
    }),
    endpoint({
      on: `DELETE ${base}/endpoint_groups/{endpoint_group_id}`,
      policy: 'identity:delete_endpoint_group',
      summary: 'Delete an endpoint group',
      handle: (ask) => groups.remove(ask.params['endpoint_group_id']!),
    }),
    endpoint({
      on: `GET ${base}/endpoint_groups/{endpoint_group_id}/endpoints`,
      policy: 'identity:list_endpoints_associated_with_endpoint_group',
      summary: 'List the endpoints in a group',
      async handle(ask) {
        const rows = await filters.endpointsOfGroup(ask.params['endpoint_group_id']!)
        return wire.collection(ask, 'endpoints', { rows, more: false }, endpointView(ask))
      },
    }),
    endpoint({
      on: `GET ${base}/endpoint_groups/{endpoint_group_id}/projects`,
      policy: 'identity:list_projects_associated_with_endpoint_group',
      summary: 'List the projects that see a group',
      handle: async (ask) => projectList(ask, await filters.projectsOfGroup((await groupOf(ask)).id)),
    }),
    endpoint({
      on: `GET ${base}/endpoint_groups/{endpoint_group_id}/projects/{project_id}`,
      policy: 'identity:get_endpoint_group_in_project',
      summary: 'Check that a project sees a group',
      async handle(ask) {
        const { groupId, projectId } = await linkOf(ask)
        if (!(await filters.hasGroup(projectId, groupId))) throw notLinked('Endpoint Group', groupId, projectId)
        const self = wire.linkTo(ask, `OS-EP-FILTER/endpoint_groups/${groupId}/projects/${projectId}`)
        return { project_endpoint_group: { endpoint_group_id: groupId, project_id: projectId, links: { self } } }
      },
    }),
    endpoint({
      on: `PUT ${base}/endpoint_groups/{endpoint_group_id}/projects/{project_id}`,
      policy: 'identity:add_endpoint_group_to_project',
      summary: 'Show a group to a project',
      async handle(ask) {
        const { groupId, projectId } = await linkOf(ask)
        await filters.addGroup(projectId, groupId)
      },
    }),
    endpoint({
      on: `DELETE ${base}/endpoint_groups/{endpoint_group_id}/projects/{project_id}`,
      policy: 'identity:remove_endpoint_group_from_project',
      summary: 'Show a group no longer to a project',
      async handle(ask) {
        const { groupId, projectId } = await linkOf(ask)
        await filters.removeGroup(projectId, groupId)
      },
    }),
    endpoint({
      on: `GET ${base}/endpoints/{endpoint_id}/projects`,
      policy: 'identity:list_projects_for_endpoint',
      summary: 'List the projects that see an endpoint',
      async handle(ask) {
        const id = ask.params['endpoint_id']!
        existing(await endpoints.find(id), 'endpoint', id)
        return projectList(ask, await filters.projectsOfEndpoint(id))
      },
    }),
    endpoint({
      on: `GET ${base}/projects/{project_id}/endpoint_groups`,
      policy: 'identity:list_endpoint_groups_for_project',
      summary: 'List the groups a project sees',
      async handle(ask) {
        const id = ask.params['project_id']!
        existing(await projects.find(id), 'project', id)
        const rows = await filters.groupsOfProject(id)
        return wire.collection(ask, 'endpoint_groups', { rows, more: false }, groupView(ask))
      },
    }),
    endpoint({
      on: `GET ${base}/projects/{project_id}/endpoints`,
      policy: 'identity:list_endpoints_for_project',
      summary: 'List the endpoints a project sees',
      async handle(ask) {
        const id = ask.params['project_id']!
        existing(await projects.find(id), 'project', id)
        const rows = await filters.endpointsOfProject(id)
        return wire.collection(ask, 'endpoints', { rows, more: false }, endpointView(ask))
      },
    }),
    endpoint({
      on: `GET ${base}/projects/{project_id}/endpoints/{endpoint_id}`,
      policy: 'identity:check_endpoint_in_project',
      summary: 'Check that a project sees an endpoint',
      async handle(ask) {
        const { endpointId, projectId } = await pairOf(ask)
        if (!(await filters.has(projectId, endpointId))) throw notLinked('endpoint', endpointId, projectId)
      },
    }),
    endpoint({
      on: `PUT ${base}/projects/{project_id}/endpoints/{endpoint_id}`,
      policy: 'identity:add_endpoint_to_project',
      summary: 'Show an endpoint to a project',
      async handle(ask) {
        const { endpointId, projectId } = await pairOf(ask)
        await filters.add(projectId, endpointId)
      },
    }),
    endpoint({
      on: `DELETE ${base}/projects/{project_id}/endpoints/{endpoint_id}`,
      policy: 'identity:remove_endpoint_from_project',
      summary: 'Show an endpoint no longer to a project',
      handle: (ask) => filters.remove(ask.params['project_id']!, ask.params['endpoint_id']!),
    }),
  ]
}

const filterNames = ['service_id', 'region_id', 'interface']

function filtersOf(wanted: Record<string, unknown>): Filters {
  if (Object.keys(wanted).length === 0) throw new Problem('invalid', 'filters field is required and cannot be empty')
  for (const [name, value] of Object.entries(wanted))
    if (!filterNames.includes(name) || typeof value !== 'string') throw expecting(filterNames.join(' or '), 'endpoint_group')
  return wanted as Filters
}
