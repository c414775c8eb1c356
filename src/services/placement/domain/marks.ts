import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { PlacementDb, PlacementRead } from '../tables.ts'
import { noProvider } from './faults.ts'
import { findProvider, nextGeneration, type Provider } from './providers.ts'
import { setTraits, unknownTraits } from './traits.ts'

/** Exactly these traits from now on; `generation`: only while the provider is of this one. */
export const replaceTraits = (
  db: PlacementDb,
  clock: Clock,
  provider: string,
  traits: string[],
  generation?: number,
): Promise<Provider> =>
  db.transaction(async (tx) => {
    const next = await nextGeneration(tx, clock.now(), provider, generation)
    const unknown = await unknownTraits(tx, traits)
    if (unknown.length > 0) throw new Problem('invalid', `No such trait ${unknown.join(', ')}`)
    await setTraits(tx, provider, traits)
    return next
  })

export const aggregatesOf = async (read: PlacementRead, provider: string): Promise<string[]> =>
  (
    await read
      .selectFrom('placement_aggregate')
      .select('aggregate')
      .where('provider_id', '=', provider)
      .orderBy('aggregate')
      .execute()
  ).map((row) => row.aggregate)

/** Exactly these aggregates from now on. Without a generation nothing is compared and the provider keeps its own (before 1.19). */
export const replaceAggregates = (
  db: PlacementDb,
  clock: Clock,
  provider: string,
  aggregates: string[],
  generation?: number,
): Promise<Provider> =>
  db.transaction(async (tx) => {
    const found =
      generation === undefined ? await findProvider(tx, provider) : await nextGeneration(tx, clock.now(), provider, generation)
    if (!found) throw noProvider(provider)
    await tx.deleteFrom('placement_aggregate').where('provider_id', '=', provider).execute()
    const rows = aggregates.map((aggregate) => ({ provider_id: provider, aggregate }))
    if (rows.length > 0) await tx.insertInto('placement_aggregate').values(rows).execute()
    return found
  })
