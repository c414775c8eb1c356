import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { PlacementDb, PlacementRead, PlacementTables, PlacementTx } from '../tables.ts'
import { concurrentUpdate, noProvider } from './faults.ts'

/** Ids of parents are undefined where there is none; a root's root is itself. */
export type Provider = {
  id: string
  name: string
  generation: number
  parentId: string | undefined
  rootId: string
  updatedAt: number
}

export const providerOf = (row: PlacementTables['placement_provider']): Provider => ({
  id: row.id,
  name: row.name,
  generation: row.generation,
  parentId: row.parent_id || undefined,
  rootId: row.root_id,
  updatedAt: row.updated_at,
})

export async function findProvider(read: PlacementRead, id: string): Promise<Provider | undefined> {
  const row = await read.selectFrom('placement_provider').selectAll().where('id', '=', id).executeTakeFirst()
  return row && providerOf(row)
}

/** Takes the row for this transaction and gives it its next generation; `expected`: only from that one. */
export async function nextGeneration(tx: PlacementTx, now: number, id: string, expected?: number): Promise<Provider> {
  const row = await tx
    .updateTable('placement_provider')
    .set((eb) => ({ generation: eb('generation', '+', 1), updated_at: now }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noProvider(id)
  if (expected !== undefined && row.generation !== expected + 1) throw concurrentUpdate('resource provider generation conflict')
  return providerOf(row)
}

type New = { id: string; name: string; parentId: string | undefined }

export const createProvider = (db: PlacementDb, clock: Clock, { id, name, parentId }: New): Promise<Provider> =>
  db.transaction(async (tx) => {
    if (parentId === id)
      throw new Problem('invalid', `Unable to create resource provider "${name}": its parent cannot be itself.`)
    const parent = parentId === undefined ? undefined : await findProvider(tx, parentId)
    if (parentId !== undefined && !parent)
      throw new Problem('invalid', `Unable to create resource provider "${name}": its parent ${parentId} does not exist.`)
    const now = clock.now()
    const row = await tx
      .insertInto('placement_provider')
      .values({
        id,
        name,
        generation: 0,
        parent_id: parentId ?? '',
        root_id: parent?.rootId ?? id,
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (!row) throw await duplicate(tx, id, name)
    return providerOf(row)
  })

const duplicate = async (tx: PlacementTx, id: string, name: string): Promise<Problem> => {
  const sameId = await findProvider(tx, id)
  return new Problem('conflict', `Conflicting resource provider ${sameId ? `uuid: ${id}` : `name: ${name}`} already exists.`, {
    code: 'placement.duplicate_name',
  })
}

/** `parentId` undefined: as it is; null: none. Moving a provider that has a parent came with 1.37: `mayMove`. */
export type ProviderChange = { name: string; parentId: string | null | undefined; mayMove: boolean }

export const updateProvider = (db: PlacementDb, clock: Clock, id: string, change: ProviderChange): Promise<Provider> =>
  db.transaction(async (tx) => {
    const now = clock.now()
    const provider = await findProvider(tx, id)
    if (!provider) throw noProvider(id)
    const clash = await tx
      .selectFrom('placement_provider')
      .select('id')
      .where('name', '=', change.name)
      .where('id', '<>', id)
      .executeTakeFirst()
    if (clash) throw await duplicate(tx, '', change.name)
    await tx.updateTable('placement_provider').set({ name: change.name, updated_at: now }).where('id', '=', id).execute()
    if (change.parentId !== undefined && change.parentId !== (provider.parentId ?? null)) await move(tx, provider, change)
    return (await findProvider(tx, id))!
  })

async function move(tx: PlacementTx, { id, parentId, rootId }: Provider, change: ProviderChange): Promise<void> {
  const refuse = (why: string) => new Problem('invalid', `Unable to save resource provider ${id}: ${why}`)
  if (parentId !== undefined && !change.mayMove)
    throw refuse(`${change.parentId === null ? 'un' : 're'}-parenting a provider is not currently allowed.`)
  const parent = change.parentId === null ? undefined : await findProvider(tx, change.parentId!)
  if (change.parentId !== null && !parent) throw refuse('parent provider UUID does not exist.')
  const below = await subtree(tx, id, rootId)
  if (parent && below.has(parent.id)) throw refuse('creating loop in the provider tree is not allowed.')
  await tx
    .updateTable('placement_provider')
    .set({ parent_id: parent?.id ?? '' })
    .where('id', '=', id)
    .execute()
  await tx
    .updateTable('placement_provider')
    .set({ root_id: parent?.rootId ?? id })
    .where('id', 'in', [...below])
    .execute()
}

/** The provider and all below it. */
async function subtree(tx: PlacementTx, id: string, rootId: string): Promise<Set<string>> {
  const tree = await tx.selectFrom('placement_provider').select(['id', 'parent_id']).where('root_id', '=', rootId).execute()
  const found = new Set([id])
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const row of tree) if (found.has(row.parent_id)) found.add(row.id)
  }
  return found
}

/** Also when it is not there: gives whether it was. */
export async function destroyProvider(tx: PlacementTx, id: string): Promise<boolean> {
  const gone = await tx.deleteFrom('placement_provider').where('id', '=', id).returning('id').executeTakeFirst()
  if (!gone) return false
  const child = await tx.selectFrom('placement_provider').select('id').where('parent_id', '=', id).limit(1).executeTakeFirst()
  if (child)
    throw new Problem('conflict', `Unable to delete parent resource provider ${id}: It has child resource providers.`, {
      code: 'placement.resource_provider.cannot_delete_parent',
    })
  const used = await tx
    .selectFrom('placement_allocation')
    .select('class')
    .where('provider_id', '=', id)
    .limit(1)
    .executeTakeFirst()
  if (used)
    throw new Problem('conflict', `Unable to delete resource provider ${id}: Resource provider has allocations.`, {
      code: 'placement.resource_provider.inuse',
    })
  for (const table of ['placement_inventory', 'placement_provider_trait', 'placement_aggregate'] as const)
    await tx.deleteFrom(table).where('provider_id', '=', id).execute()
  return true
}
