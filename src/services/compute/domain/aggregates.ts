import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { uuid } from '../../../kit/ids.ts'
import type { AggregateRow, ComputeTables } from '../tables.ts'
import { next } from './counter.ts'

export type Aggregate = {
  number: number
  uuid: string
  name: string
  metadata: Record<string, string>
  hosts: string[]
  createdAt: number
  updatedAt: number
}

export type Aggregates = ReturnType<typeof openAggregates>

/** The zone of hosts that no aggregate puts elsewhere. */
export const defaultZone = 'nova'
export const internalZone = 'internal'

/** Hosts grouped by admins; a group may be a zone. */
export function openAggregates(db: Db<ComputeTables>, clock: Clock) {
  const gather = async (rows: AggregateRow[]): Promise<Aggregate[]> => {
    const members = await db.read.selectFrom('compute_aggregate_host').selectAll().orderBy('host').execute()
    return rows.map((row) => ({
      number: row.number,
      uuid: row.uuid,
      name: row.name,
      metadata: fromJson(row.metadata),
      hosts: members.filter((member) => member.aggregate === row.number).map((member) => member.host),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }))
  }
  const rows = () => db.read.selectFrom('compute_aggregate').selectAll().orderBy('number')
  const list = async () => gather(await rows().execute())
  const taken = (name: string) => new Problem('conflict', `Aggregate ${name} already exists.`)
  return {
    list,
    async find(number: number): Promise<Aggregate | undefined> {
      return (await gather(await rows().where('number', '=', number).execute()))[0]
    },
    /** Zone of each host that has one of its own. */
    async zones(): Promise<Map<string, string>> {
      const zoned = (await list()).filter((one) => one.metadata['availability_zone'] !== undefined)
      return new Map(zoned.flatMap((one) => one.hosts.map((host) => [host, one.metadata['availability_zone']!])))
    },
    async create(name: string, zone: string | undefined): Promise<number> {
      const at = clock.now()
      return db.transaction(async (tx) => {
        const number = await next(tx, 'aggregate')
        const metadata = toJson(zone === undefined ? {} : { availability_zone: zone })
        const made = await tx
          .insertInto('compute_aggregate')
          .values({ number, uuid: uuid(), name, metadata, created_at: at, updated_at: at })
          .onConflict((conflict) => conflict.doNothing())
          .returning('number')
          .executeTakeFirst()
        if (!made) throw taken(name)
        return number
      })
    },
    async update(number: number, set: { name?: string; metadata?: Record<string, string> }): Promise<void> {
      await db.transaction(async (tx) => {
        if (set.name !== undefined) {
          const other = await tx
            .selectFrom('compute_aggregate')
            .select('number')
            .where('name', '=', set.name)
            .where('number', '<>', number)
            .executeTakeFirst()
          if (other) throw taken(set.name)
        }
        await tx
          .updateTable('compute_aggregate')
          .set({
            updated_at: clock.now(),
            ...(set.name === undefined ? {} : { name: set.name }),
            ...(set.metadata === undefined ? {} : { metadata: toJson(set.metadata) }),
          })
          .where('number', '=', number)
          .execute()
      })
    },
    /** False: somebody put a host into it meanwhile. */
    remove: (number: number): Promise<boolean> =>
      db.transaction(async (tx) => {
        const member = await tx
          .selectFrom('compute_aggregate_host')
          .select('host')
          .where('aggregate', '=', number)
          .executeTakeFirst()
        if (member) return false
        await tx.deleteFrom('compute_aggregate').where('number', '=', number).execute()
        return true
      }),
    addHost: (number: number, host: string): Promise<boolean> =>
      db.transaction(async (tx) => {
        const made = await tx
          .insertInto('compute_aggregate_host')
          .values({ aggregate: number, host })
          .onConflict((conflict) => conflict.doNothing())
          .returning('host')
          .executeTakeFirst()
        return made !== undefined
      }),
    removeHost: (number: number, host: string): Promise<boolean> =>
      db.transaction(async (tx) => {
        const gone = await tx
          .deleteFrom('compute_aggregate_host')
          .where('aggregate', '=', number)
          .where('host', '=', host)
          .returning('host')
          .executeTakeFirst()
        return gone !== undefined
      }),
  }
}
