import { uuid } from '../../../kit/ids.ts'
import type { Standard } from '../tables.ts'

/** The columns every resource has, as they are at birth. */
export function newborn(now: number, projectId: string, named: { name?: string; description?: string }, id = uuid()): Standard {
  const { name = '', description = '' } = named
  return { id, project_id: projectId, name, description, created_at: now, updated_at: now, revision: 1 }
}

/** Columns of a patch that were given. */
export function given<Row extends object>(columns: { [Name in keyof Row]?: Row[Name] | undefined }): Partial<Row> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Partial<Row>
}
