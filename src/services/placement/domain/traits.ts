import { Problem } from '../../../kit/errors.ts'
import type { PlacementDb, PlacementRead, PlacementTx } from '../tables.ts'
import { standardTraits } from './standard.ts'

export type Trait = { name: string; updatedAt: number }

/** Those of the names that are no trait. */
export async function unknownTraits(read: PlacementRead, names: string[]): Promise<string[]> {
  const custom = names.filter((name) => !standardTraits.has(name))
  if (custom.length === 0) return []
  const rows = await read.selectFrom('placement_trait').select('name').where('name', 'in', custom).execute()
  const known = new Set(rows.map((row) => row.name))
  return custom.filter((name) => !known.has(name))
}

export async function allTraits(read: PlacementRead): Promise<Trait[]> {
  const custom = await read.selectFrom('placement_trait').selectAll().orderBy('name').execute()
  return [
    ...[...standardTraits].map((name) => ({ name, updatedAt: 0 })),
    ...custom.map((row) => ({ name: row.name, updatedAt: row.updated_at })),
  ]
}

export async function findTrait(read: PlacementRead, name: string): Promise<Trait | undefined> {
  if (standardTraits.has(name)) return { name, updatedAt: 0 }
  const row = await read.selectFrom('placement_trait').selectAll().where('name', '=', name).executeTakeFirst()
  return row && { name, updatedAt: row.updated_at }
}

/** True: it is new. */
export const addTrait = async (tx: PlacementTx, now: number, name: string): Promise<boolean> =>
  (await tx
    .insertInto('placement_trait')
    .values({ name, updated_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()) !== undefined

export const removeTrait = (db: PlacementDb, name: string): Promise<void> =>
  db.transaction(async (tx) => {
    if (!name.startsWith('CUSTOM_')) throw new Problem('invalid', `Cannot delete standard trait ${name}.`)
    const gone = await tx.deleteFrom('placement_trait').where('name', '=', name).returning('name').executeTakeFirst()
    if (!gone) throw new Problem('not-found', `No such trait(s): ${name}.`)
    const used = await tx
      .selectFrom('placement_provider_trait')
      .select('trait')
      .where('trait', '=', name)
      .limit(1)
      .executeTakeFirst()
    if (used) throw new Problem('conflict', `The trait ${name} is in use by a resource provider.`)
  })

export const traitsOf = async (read: PlacementRead, provider: string): Promise<string[]> =>
  (
    await read
      .selectFrom('placement_provider_trait')
      .select('trait')
      .where('provider_id', '=', provider)
      .orderBy('trait')
      .execute()
  ).map((row) => row.trait)

/** Exactly these from now on. */
export async function setTraits(tx: PlacementTx, provider: string, traits: string[]): Promise<void> {
  await tx.deleteFrom('placement_provider_trait').where('provider_id', '=', provider).execute()
  const rows = [...new Set(traits)].map((trait) => ({ provider_id: provider, trait }))
  if (rows.length > 0) await tx.insertInto('placement_provider_trait').values(rows).execute()
}

/** Names of traits that some provider has. */
export const associatedTraits = async (read: PlacementRead): Promise<Set<string>> =>
  new Set((await read.selectFrom('placement_provider_trait').select('trait').distinct().execute()).map((row) => row.trait))
