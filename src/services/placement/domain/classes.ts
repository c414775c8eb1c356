import { Problem } from '../../../kit/errors.ts'
import type { PlacementDb, PlacementRead, PlacementTx } from '../tables.ts'
import { standardClasses } from './standard.ts'

export type ResourceClass = { name: string; updatedAt: number }

const standard: ReadonlySet<string> = new Set(standardClasses)

const find = (read: PlacementRead, name: string) =>
  read.selectFrom('placement_class').selectAll().where('name', '=', name).executeTakeFirst()

export const isKnownClass = async (read: PlacementRead, name: string): Promise<boolean> =>
  standard.has(name) || (await find(read, name)) !== undefined

/** True: it is new. */
export const addClass = async (tx: PlacementTx, now: number, name: string): Promise<boolean> =>
  (await tx
    .insertInto('placement_class')
    .values({ name, updated_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()) !== undefined

export async function allClasses(read: PlacementRead): Promise<ResourceClass[]> {
  const custom = await read.selectFrom('placement_class').selectAll().orderBy('name').execute()
  return [
    ...standardClasses.map((name) => ({ name, updatedAt: 0 })),
    ...custom.map((row) => ({ name: row.name, updatedAt: row.updated_at })),
  ]
}

/** Undefined: there is none of this name. */
export async function findClass(read: PlacementRead, name: string): Promise<ResourceClass | undefined> {
  if (standard.has(name)) return { name, updatedAt: 0 }
  const row = await find(read, name)
  return row && { name, updatedAt: row.updated_at }
}

export const renameClass = (db: PlacementDb, now: number, from: string, to: string): Promise<ResourceClass> =>
  db.transaction(async (tx) => {
    if (standard.has(from)) throw new Problem('invalid', `Cannot update standard resource class ${from}`)
    if (!(await find(tx, from))) throw new Problem('not-found', `No such resource class ${from}.`)
    if (!(await addClass(tx, now, to))) throw new Problem('conflict', `Resource class already exists: ${to}`)
    await tx.deleteFrom('placement_class').where('name', '=', from).execute()
    await tx.updateTable('placement_inventory').set({ class: to }).where('class', '=', from).execute()
    await tx.updateTable('placement_allocation').set({ class: to }).where('class', '=', from).execute()
    return { name: to, updatedAt: now }
  })

export const removeClass = (db: PlacementDb, name: string): Promise<void> =>
  db.transaction(async (tx) => {
    if (standard.has(name)) throw new Problem('invalid', `Cannot delete standard resource class ${name}`)
    const gone = await tx.deleteFrom('placement_class').where('name', '=', name).returning('name').executeTakeFirst()
    if (!gone) throw new Problem('not-found', `No such resource class ${name}.`)
    const used = await tx.selectFrom('placement_inventory').select('class').where('class', '=', name).limit(1).executeTakeFirst()
    if (used) throw new Problem('conflict', `Cannot delete resource class ${name}: it is used by inventory.`)
  })
