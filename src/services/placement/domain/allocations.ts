import { sql } from 'kysely'
import type { PlacementRead } from '../tables.ts'

export type Allocation = {
  consumer: string
  projectId: string
  userId: string
  type: string
  consumerGeneration: number
  provider: string
  providerGeneration: number
  resource: string
  used: number
  updatedAt: number
}

/** Of a consumer or of a provider, with what is known of both. */
export async function allocationsWhere(
  read: PlacementRead,
  column: 'consumer_id' | 'provider_id',
  id: string,
): Promise<Allocation[]> {
  const rows = await read
    .selectFrom('placement_allocation as a')
    .innerJoin('placement_consumer as c', 'c.id', 'a.consumer_id')
    .innerJoin('placement_provider as p', 'p.id', 'a.provider_id')
    .select(['a.consumer_id', 'a.provider_id', 'a.class', 'a.used', 'a.updated_at'])
    .select(['c.project_id', 'c.user_id', 'c.type', 'c.generation as consumer_generation', 'p.generation as provider_generation'])
    .where(`a.${column}`, '=', id)
    .orderBy('a.consumer_id')
    .orderBy('a.provider_id')
    .orderBy('a.class')
    .execute()
  return rows.map((row) => ({
    consumer: row.consumer_id,
    projectId: row.project_id,
    userId: row.user_id,
    type: row.type,
    consumerGeneration: row.consumer_generation,
    provider: row.provider_id,
    providerGeneration: row.provider_generation,
    resource: row.class,
    used: row.used,
    updatedAt: row.updated_at,
  }))
}

/** What the consumers of a project (and user, and type; '' is the type of those of none) hold in all, and how many they are, by type. */
export async function usageOf(
  read: PlacementRead,
  { projectId, userId, type }: { projectId: string; userId: string | undefined; type: string | undefined },
): Promise<{ type: string; resource: string; used: number; consumers: number }[]> {
  const of = read
    .selectFrom('placement_allocation as a')
    .innerJoin('placement_consumer as c', 'c.id', 'a.consumer_id')
    .where('c.project_id', '=', projectId)
    .$if(userId !== undefined, (query) => query.where('c.user_id', '=', userId!))
    .$if(type !== undefined, (query) => query.where('c.type', '=', type!))
  const sums = await of
    .select(['c.type', 'a.class', sql<number>`cast(sum(a.used) as bigint)`.as('used')])
    .groupBy(['c.type', 'a.class'])
    .orderBy('a.class')
    .execute()
  const counts = await of
    .select(['c.type', sql<number>`cast(count(distinct a.consumer_id) as bigint)`.as('consumers')])
    .groupBy('c.type')
    .execute()
  const count = new Map(counts.map((row) => [row.type, row.consumers]))
  return sums.map((row) => ({ type: row.type, resource: row.class, used: row.used, consumers: count.get(row.type) ?? 0 }))
}
