import type { RawBuilder } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { afterCommit, context } from '../../../kit/context.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { Hosts } from '../../service.ts'
import type { ComputeTables, ServerRow } from '../tables.ts'
import { type Nic, type Server, serverOf } from './server.ts'

export const serverKind = 'compute.server'

export type Servers = ReturnType<typeof openServers>

/** Columns to change, and what must still be so for that. */
export type Change = { [Column in keyof ServerRow]?: ServerRow[Column] | RawBuilder<ServerRow[Column]> }
type Still = Partial<Pick<ServerRow, 'vm_state' | 'task_state' | 'host' | 'generation' | 'deleted' | 'metadata'>>

export const noSuchServer = (id: string) => new Problem('not-found', `Instance ${id} could not be found.`)

export function openServers(db: Db<ComputeTables>, clock: Clock, work: Work, hosts: Hosts) {
  const find = async (id: string): Promise<Server | undefined> => {
    const row = await db.read.selectFrom('compute_server').selectAll().where('id', '=', id).executeTakeFirst()
    return row && serverOf(row)
  }
  /** False: the world moved on since it was looked at. */
  const change = async (tx: Tx<ComputeTables>, id: string, set: Change, still: Still = {}): Promise<boolean> => {
    let update = tx
      .updateTable('compute_server')
      .set({ updated_at: clock.now(), ...set })
      .where('id', '=', id)
    for (const [column, value] of Object.entries(still)) update = update.where(column as keyof ServerRow, '=', value as never)
    const done = await update.returning('id').executeTakeFirst()
    return done !== undefined
  }
  return {
    find,
    /** A server that is not deleted. */
    async living(id: string): Promise<Server | undefined> {
      const server = await find(id)
      return server && !server.deleted ? server : undefined
    },
    change,
    /** The same, in a transaction of its own. */
    save: (id: string, set: Change, still: Still = {}): Promise<boolean> => db.transaction((tx) => change(tx, id, set, still)),
    /** What a host should do has changed: tell it after the commit, and have the machine look. */
    async tell(tx: Tx<ComputeTables>, server: Pick<Server, 'id' | 'host'>): Promise<void> {
      await work.wake(serverKind, server.id, tx as never)
      if (server.host !== '') afterCommit(() => hosts.hint(server.host, 'vm'))
    },
    /** Their machines look again, and follow. Unknown ids are ignored. */
    portsChanged: (ids: string[]): Promise<void> =>
      db.transaction(async (tx) => {
        if (ids.length === 0) return
        const rows = await tx
          .updateTable('compute_server')
          .set((eb) => ({ ports_changed: eb('ports_changed', '+', 1) }))
          .where('id', 'in', ids)
          .where('deleted', '=', 0)
          .returning('id')
          .execute()
        for (const { id } of rows) await work.wake(serverKind, id, tx as never)
      }),
    /** Columns of a change that the host is to carry out: a new generation, asked for by this request. */
    next: (server: Pick<Server, 'generation' | 'requestId'>): Change => ({
      generation: server.generation + 1,
      request_id: context().requestId ?? server.requestId,
    }),
    async tagsOf(ids: string[]): Promise<Map<string, string[]>> {
      const found = new Map<string, string[]>(ids.map((id) => [id, []]))
      if (ids.length === 0) return found
      const rows = await db.read
        .selectFrom('compute_server_tag')
        .selectAll()
        .where('server_id', 'in', ids)
        .orderBy('tag')
        .execute()
      for (const row of rows) found.get(row.server_id)!.push(row.tag)
      return found
    },
    /** Replaces all tags, or changes them; gives those that are there afterwards. */
    setTags: (id: string, tags: string[]): Promise<string[]> =>
      db.transaction(async (tx) => {
        await tx.deleteFrom('compute_server_tag').where('server_id', '=', id).execute()
        const wanted = [...new Set(tags)].sort()
        if (wanted.length > 0)
          await tx
            .insertInto('compute_server_tag')
            .values(wanted.map((tag) => ({ server_id: id, tag })))
            .execute()
        return wanted
      }),
    /** False: it was there already. */
    addTag: (id: string, tag: string): Promise<boolean> =>
      db.transaction(async (tx) => {
        const made = await tx
          .insertInto('compute_server_tag')
          .values({ server_id: id, tag })
          .onConflict((conflict) => conflict.doNothing())
          .returning('tag')
          .executeTakeFirst()
        return made !== undefined
      }),
    removeTag: (id: string, tag: string): Promise<boolean> =>
      db.transaction(async (tx) => {
        const gone = await tx
          .deleteFrom('compute_server_tag')
          .where('server_id', '=', id)
          .where('tag', '=', tag)
          .returning('tag')
          .executeTakeFirst()
        return gone !== undefined
      }),
    /** Reads, changes and writes metadata so that two writers do not lose each other's. */
    setMetadata: (id: string, next: (old: Record<string, string>) => Record<string, string>) =>
      db.transaction(async (tx) => {
        // The write comes first: on PostgreSQL it locks the row until both are done.
        const row = await tx
          .updateTable('compute_server')
          .set({ updated_at: clock.now() })
          .where('id', '=', id)
          .returning('metadata')
          .executeTakeFirst()
        if (!row) throw noSuchServer(id)
        const metadata = next(fromJson(row.metadata))
        await change(tx, id, { metadata: toJson(metadata) })
        return metadata
      }),
    /** Changes what ports the server should have; its machine follows. */
    setNics: (id: string, next: (old: Nic[]) => Nic[]): Promise<void> =>
      db.transaction(async (tx) => {
        const row = await tx
          .updateTable('compute_server')
          .set((eb) => ({ ports_changed: eb('ports_changed', '+', 1) }))
          .where('id', '=', id)
          .where('deleted', '=', 0)
          .returning('nics')
          .executeTakeFirst()
        if (!row) throw noSuchServer(id)
        await change(tx, id, { nics: toJson(next(fromJson(row.nics))) })
        await work.wake(serverKind, id, tx as never)
      }),
    /** On these hosts. */
    async ofHosts(names: string[]): Promise<Server[]> {
      if (names.length === 0) return []
      const rows = await db.read
        .selectFrom('compute_server')
        .selectAll()
        .where('host', 'in', names)
        .where('deleted', '=', 0)
        .orderBy('created_at')
        .execute()
      return rows.map(serverOf)
    },
    async ofGroup(groupId: string): Promise<Server[]> {
      const rows = await db.read
        .selectFrom('compute_server')
        .selectAll()
        .where('group_id', '=', groupId)
        .where('deleted', '=', 0)
        .orderBy('created_at')
        .execute()
      return rows.map(serverOf)
    },
  }
}
