import type { IdentityTx } from '../tables.ts'
import { type EndpointGroup, endpointGroupOf, findEndpointGroup, isInGroup } from './endpoint-groups.ts'
import { type CatalogEndpoint, endpointOf } from './endpoints.ts'
import { couldNotFind, duplicate, existing, type Reader } from './names.ts'
import { findProject, type Project, projectOf } from './project-tree.ts'
import type { Store } from './store.ts'

/** Which endpoints the catalog shows to a project, one by one and by groups. A project without any sees all. */
export type EndpointFilters = {
  add(projectId: string, endpointId: string): Promise<void>
  has(projectId: string, endpointId: string): Promise<boolean>
  /** Throws not-found. */
  remove(projectId: string, endpointId: string): Promise<void>
  addGroup(projectId: string, groupId: string): Promise<void>
  hasGroup(projectId: string, groupId: string): Promise<boolean>
  removeGroup(projectId: string, groupId: string): Promise<void>
  projectsOfEndpoint(endpointId: string): Promise<Project[]>
  projectsOfGroup(groupId: string): Promise<Project[]>
  groupsOfProject(projectId: string): Promise<EndpointGroup[]>
  endpointsOfGroup(groupId: string): Promise<CatalogEndpoint[]>
  /** One by one and by groups. */
  endpointsOfProject(projectId: string): Promise<CatalogEndpoint[]>
}

export function openEndpointFilters(store: Store): EndpointFilters {
  const { read } = store
  const hasIn = async (on: Reader, projectId: string, endpointId: string) => {
    const query = on.selectFrom('identity_project_endpoint').selectAll().where('project_id', '=', projectId)
    return (await query.where('endpoint_id', '=', endpointId).executeTakeFirst()) !== undefined
  }
  const hasGroupIn = async (on: Reader, projectId: string, groupId: string) => {
    const query = on.selectFrom('identity_project_endpoint_group').selectAll().where('project_id', '=', projectId)
    return (await query.where('group_id', '=', groupId).executeTakeFirst()) !== undefined
  }
  const allEndpoints = async () =>
    (await read.selectFrom('identity_endpoint').selectAll().orderBy('created_at').execute()).map(endpointOf)
  const groupsOfProject = async (projectId: string) => {
    const rows = await read
      .selectFrom('identity_project_endpoint_group as linked')
      .innerJoin('identity_endpoint_group as group', 'group.id', 'linked.group_id')
      .selectAll('group')
      .where('linked.project_id', '=', projectId)
      .orderBy('group.created_at')
      .execute()
    return rows.map(endpointGroupOf)
  }
  const projects = async (ids: string[]) => {
    if (ids.length === 0) return []
    return (await read.selectFrom('identity_project').selectAll().where('id', 'in', ids).execute()).map(projectOf)
  }
  return {
    add: (projectId, endpointId) =>
      store.write(async (tx) => {
        await assertBoth(tx, projectId, endpointId)
        if (await hasIn(tx, projectId, endpointId)) throw duplicate('project_endpoint', `${projectId} and ${endpointId}`)
        await tx.insertInto('identity_project_endpoint').values({ project_id: projectId, endpoint_id: endpointId }).execute()
      }),
    has: (projectId, endpointId) => hasIn(read, projectId, endpointId),
    remove: (projectId, endpointId) =>
      store.write(async (tx) => {
        if (!(await hasIn(tx, projectId, endpointId))) throw notLinked('endpoint', endpointId, projectId)
        const rows = tx.deleteFrom('identity_project_endpoint').where('project_id', '=', projectId)
        await rows.where('endpoint_id', '=', endpointId).execute()
      }),
    addGroup: (projectId, groupId) =>
      store.write(async (tx) => {
        await assertGroupAndProject(tx, projectId, groupId)
        if (await hasGroupIn(tx, projectId, groupId)) throw duplicate('project_endpoint_group', `${projectId} and ${groupId}`)
        await tx.insertInto('identity_project_endpoint_group').values({ project_id: projectId, group_id: groupId }).execute()
      }),
    hasGroup: (projectId, groupId) => hasGroupIn(read, projectId, groupId),
    removeGroup: (projectId, groupId) =>
      store.write(async (tx) => {
        await assertGroupAndProject(tx, projectId, groupId)
        if (!(await hasGroupIn(tx, projectId, groupId))) throw notLinked('Endpoint Group', groupId, projectId)
        const rows = tx.deleteFrom('identity_project_endpoint_group').where('project_id', '=', projectId)
        await rows.where('group_id', '=', groupId).execute()
      }),
    async projectsOfEndpoint(endpointId) {
      const query = read.selectFrom('identity_project_endpoint').select('project_id').where('endpoint_id', '=', endpointId)
      return projects((await query.execute()).map((row) => row.project_id))
    },
    async projectsOfGroup(groupId) {
      const query = read.selectFrom('identity_project_endpoint_group').select('project_id').where('group_id', '=', groupId)
      return projects((await query.execute()).map((row) => row.project_id))
    },
    groupsOfProject,
    async endpointsOfGroup(groupId) {
      const group = existing(await findEndpointGroup(read, groupId), 'Endpoint Group', groupId)
      return (await allEndpoints()).filter((one) => isInGroup(group, reachedBy(one)))
    },
    async endpointsOfProject(projectId) {
      const query = read.selectFrom('identity_project_endpoint').select('endpoint_id').where('project_id', '=', projectId)
      const ids = new Set((await query.execute()).map((row) => row.endpoint_id))
      const groups = await groupsOfProject(projectId)
      const all = await allEndpoints()
      return all.filter((one) => ids.has(one.id) || groups.some((group) => isInGroup(group, reachedBy(one))))
    },
  }
}

const reachedBy = ({ serviceId, regionId, face }: CatalogEndpoint) => ({
  service_id: serviceId,
  region_id: regionId,
  interface: face,
})

export const notLinked = (noun: string, id: string, projectId: string) => couldNotFind(noun, `${id} in project ${projectId}`)

async function assertBoth(tx: IdentityTx, projectId: string, endpointId: string): Promise<void> {
  const endpoint = tx.selectFrom('identity_endpoint').select('id').where('id', '=', endpointId)
  existing(await endpoint.executeTakeFirst(), 'endpoint', endpointId)
  existing(await findProject(tx, projectId), 'project', projectId)
}

async function assertGroupAndProject(tx: IdentityTx, projectId: string, groupId: string): Promise<void> {
  existing(await findProject(tx, projectId), 'project', projectId)
  existing(await findEndpointGroup(tx, groupId), 'Endpoint Group', groupId)
}
