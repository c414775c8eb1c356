import { fromJson } from '../../../kit/db/columns.ts'
import type { Extra } from './names.ts'
import type { Store } from './store.ts'

export type CatalogEntry = {
  id: string
  type: string
  name: string
  endpoints: { id: string; interface: string; regionId: string; url: string }[]
}

/** The enabled services and endpoints, as this user and project should reach them. */
export async function catalogFor(
  { read }: Pick<Store, 'read'>,
  who: { userId: string; projectId: string | undefined },
): Promise<CatalogEntry[]> {
  const services = await read.selectFrom('identity_service').selectAll().where('enabled', '=', 1).orderBy('created_at').execute()
  const endpoints = await read
    .selectFrom('identity_endpoint')
    .selectAll()
    .where('enabled', '=', 1)
    .orderBy('created_at')
    .execute()
  return services.map((service) => ({
    id: service.id,
    type: service.type,
    name: String(fromJson<Extra>(service.extra)['name'] ?? ''),
    endpoints: endpoints.flatMap((one) => {
      const url = one.service_id === service.id ? substitute(one.url, who) : undefined
      return url === undefined ? [] : [{ id: one.id, interface: one.interface, regionId: one.region_id, url }]
    }),
  }))
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
