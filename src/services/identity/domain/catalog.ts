import { fromJson } from '../../../kit/db/columns.ts'
import { endpointGroupOf, isInGroup } from './endpoint-groups.ts'
import type { Extra } from './names.ts'
import type { Store } from './store.ts'

export type CatalogEntry = {
  id: string
  type: string
  name: string
  endpoints: { id: string; interface: string; regionId: string; url: string }[]
}

type Rows = {
  /** The only endpoints a project sees; a project that is not here sees all. */
  seen: Map<string, Set<string>>
  services: { id: string; type: string; name: string }[]
  endpoints: { id: string; serviceId: string; interface: string; regionId: string; url: string }[]
}

export type Catalog = {
  /** The enabled services and endpoints, as this user and project should reach them. */
  for(who: { userId: string; projectId: string | undefined }): Promise<CatalogEntry[]>
}

/** Every login and validation shows it, and it hardly ever changes: kept in memory until something is written. */
export function openCatalog(store: Store): Catalog {
  let known: { generation: number; rows: Rows } | undefined
  const rowsNow = async (): Promise<Rows> => {
    const generation = await store.generation()
    if (known?.generation !== generation) known = { generation, rows: await load(store) }
    return known.rows
  }
  return {
    async for(who) {
      const { services, endpoints: all, seen } = await rowsNow()
      const only = seen.get(who.projectId ?? '')
      const endpoints = only?.size ? all.filter((one) => only.has(one.id)) : all
      return services.map((service) => ({
        ...service,
        endpoints: endpoints.flatMap(({ serviceId, url, ...one }) => {
          const filled = serviceId === service.id ? substitute(url, who) : undefined
          return filled === undefined ? [] : [{ ...one, url: filled }]
        }),
      }))
    },
  }
}

async function load({ read }: Store): Promise<Rows> {
  const services = await read.selectFrom('identity_service').selectAll().where('enabled', '=', 1).orderBy('created_at').execute()
  const endpoints = await read
    .selectFrom('identity_endpoint')
    .selectAll()
    .where('enabled', '=', 1)
    .orderBy('created_at')
    .execute()
  return {
    seen: await seenBy(read, endpoints),
    services: services.map(({ id, type, extra }) => ({ id, type, name: String(fromJson<Extra>(extra)['name'] ?? '') })),
    endpoints: endpoints.map((row) => ({
      id: row.id,
      serviceId: row.service_id,
      interface: row.interface,
      regionId: row.region_id,
      url: row.url,
    })),
  }
}

type EndpointRow = { id: string; service_id: string; region_id: string; interface: string }

async function seenBy(read: Store['read'], endpoints: EndpointRow[]): Promise<Rows['seen']> {
  const seen: Rows['seen'] = new Map()
  const show = (projectId: string, ids: string[]) => seen.set(projectId, new Set([...(seen.get(projectId) ?? []), ...ids]))
  for (const row of await read.selectFrom('identity_project_endpoint').selectAll().execute())
    show(row.project_id, [row.endpoint_id])
  const links = await read
    .selectFrom('identity_project_endpoint_group as linked')
    .innerJoin('identity_endpoint_group as group', 'group.id', 'linked.group_id')
    .selectAll('group')
    .select('linked.project_id')
    .execute()
  for (const row of links) {
    const group = endpointGroupOf(row)
    const inside = endpoints.filter((one) => isInGroup(group, one))
    show(
      row.project_id,
      inside.map((one) => one.id),
    )
  }
  return seen
}

const placeholder = /\$\(([^)]*)\)s|%\(([^)]*)\)s/g

/** The fixed words a URL may contain; undefined when one of them is not known for this caller. */
function substitute(url: string, { userId, projectId }: { userId: string; projectId: string | undefined }): string | undefined {
  const words: Record<string, string | undefined> = { project_id: projectId, tenant_id: projectId, user_id: userId }
  let missing = false
  const filled = url.replace(placeholder, (_, dollar?: string, percent?: string) => {
    const word = words[dollar ?? percent ?? '']
    if (word === undefined) missing = true
    return word ?? ''
  })
  return missing ? undefined : filled
}

/** Whether a URL says nothing in placeholders but the fixed words. */
export const isCatalogUrl = (url: string): boolean =>
  url !== '' &&
  [...url.matchAll(placeholder)].every(([, dollar, percent]) =>
    ['project_id', 'tenant_id', 'user_id'].includes(dollar ?? percent ?? ''),
  ) &&
  !/[$%]\(/.test(url.replace(placeholder, ''))
