import type { Selectable } from 'kysely'
import { fromBit, fromJson } from '../../../kit/db/columns.ts'
import type { IdentityTables } from '../tables.ts'
import type { Extra, Reader } from './names.ts'

/** A project, or a domain: then without domain and parent. Empty texts: none. */
export type Project = {
  id: string
  name: string
  domainId: string
  parentId: string
  isDomain: boolean
  enabled: boolean
  description: string
  options: Extra
  extra: Extra
}

export const projectOf = (row: Selectable<IdentityTables['identity_project']>): Project => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id,
  parentId: row.parent_id,
  isDomain: fromBit(row.is_domain),
  enabled: fromBit(row.enabled),
  description: row.description,
  options: fromJson(row.options),
  extra: fromJson(row.extra),
})

export async function findProject(read: Reader, id: string): Promise<Project | undefined> {
  const row = await read.selectFrom('identity_project').selectAll().where('id', '=', id).executeTakeFirst()
  return row && projectOf(row)
}

export async function findDomain(read: Reader, id: string): Promise<Project | undefined> {
  const found = await findProject(read, id)
  return found?.isDomain ? found : undefined
}

/** What is above a project, nearest first; the last is its domain. */
export async function ancestors(read: Reader, project: Project): Promise<Project[]> {
  const found: Project[] = []
  for (let id = project.parentId; id !== ''; ) {
    const parent = await findProject(read, id)
    if (!parent) break
    found.push(parent)
    id = parent.parentId
  }
  return found
}

/** The same as ids; most projects stand right below their domain, which takes no query. */
export async function ancestorIds(read: Reader, project: Project): Promise<string[]> {
  if (project.parentId === '' || project.parentId === project.domainId) return project.domainId === '' ? [] : [project.domainId]
  return (await ancestors(read, project)).map((one) => one.id)
}

/** Everything below a project, level by level. */
export async function descendants(read: Reader, id: string): Promise<Project[]> {
  const found: Project[] = []
  for (let level = [id]; level.length > 0; ) {
    const rows = await read.selectFrom('identity_project').selectAll().where('parent_id', 'in', level).orderBy('id').execute()
    found.push(...rows.map(projectOf))
    level = rows.map((row) => row.id)
  }
  return found
}
