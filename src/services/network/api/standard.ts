import { isoSeconds } from '../../../kit/clock.ts'
import type { On } from '../domain/store.ts'
import type { Standard } from '../tables.ts'
import { inSecond, whole } from './filters.ts'
import { text } from './kinds.ts'
import type { Attribute } from './resource.ts'

export type Tagged = { tags: string[] }

/** Tags of many things, by id, sorted. */
export async function tagsOf(on: On, ids: string[]): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map()
  const rows = await on.selectFrom('network_tag').selectAll().where('resource_id', 'in', ids).orderBy('tag').execute()
  return new Map([...Map.groupBy(rows, (row) => row.resource_id)].map(([id, all]) => [id, all.map((row) => row.tag)]))
}

const owner: Attribute<Standard> = { from: (item) => item.project_id, filter: { column: 'project_id' }, sort: 'project_id' }

/** `id`, `name` and whose it is. */
export const identityAttributes: Record<string, Attribute<Standard>> = {
  id: { from: (item) => item.id, filter: { column: 'id' }, sort: 'id' },
  name: { from: (item) => item.name, take: text(), usual: '', filter: { column: 'name' }, sort: 'name' },
  tenant_id: owner,
}

/** What stands at the end of every resource. */
export const standardAttributes: Record<string, Attribute<Standard & Tagged>> = {
  description: {
    from: (item) => item.description,
    take: text(),
    usual: '',
    filter: { column: 'description' },
    sort: 'description',
  },
  tags: { from: (item) => item.tags },
  created_at: { from: (item) => isoSeconds(item.created_at), filter: inSecond('created_at'), sort: 'created_at' },
  updated_at: { from: (item) => isoSeconds(item.updated_at), filter: inSecond('updated_at'), sort: 'updated_at' },
  revision_number: { from: (item) => item.revision, filter: { column: 'revision', value: whole }, sort: 'revision' },
  project_id: owner,
}

/** Those of a thing that cannot have tags. */
export const { tags: _, ...untagged } = standardAttributes as Record<string, Attribute<Standard>>
