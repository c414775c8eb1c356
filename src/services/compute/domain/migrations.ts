import { randomBytes } from 'node:crypto'
import type { Power } from '../../../agents/document.ts'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { type Listing, listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { uuid } from '../../../kit/ids.ts'
import type { ComputeTables, MigrationRow } from '../tables.ts'
import { next } from './counter.ts'
import type { FlavorSnapshot, Server } from './server.ts'

export type MigrationType = 'migration' | 'resize' | 'live-migration' | 'evacuation'

/** As clients know them; which of them there are depends on the type. */
export type MigrationStatus =
  | 'accepted'
  | 'preparing'
  | 'running'
  | 'pre-migrating'
  | 'migrating'
  | 'post-migrating'
  | 'finished'
  | 'confirming'
  | 'reverting'
  | 'completed'
  | 'confirmed'
  | 'reverted'
  | 'done'
  | 'cancelled'
  | 'failed'
  | 'error'

/** Of a live migration that is under way (compute API, "servers/migrations"). */
export const inProgress: MigrationStatus[] = ['preparing', 'running', 'post-migrating']

export type MigrationProgress = Record<'memory' | 'disk', { total: number; sent: number; left: number }>

export type Migration = {
  number: number
  uuid: string
  serverId: string
  projectId: string
  userId: string
  type: MigrationType
  status: MigrationStatus
  sourceHost: string
  /** Empty until one is chosen. */
  destHost: string
  destAddress: string
  askedHost: string
  unfiltered: boolean
  oldFlavor: FlavorSnapshot
  newFlavor: FlavorSnapshot
  /** How the server was when it was asked for. */
  power: Power
  cancelled: boolean
  forced: boolean
  error: string
  progress: MigrationProgress
  createdAt: number
  updatedAt: number
}

const migrationOf = (row: MigrationRow): Migration => ({
  number: row.number,
  uuid: row.uuid,
  serverId: row.server_id,
  projectId: row.project_id,
  userId: row.user_id,
  type: row.type as MigrationType,
  status: row.status as MigrationStatus,
  sourceHost: row.source_host,
  destHost: row.dest_host,
  destAddress: row.dest_address,
  askedHost: row.asked_host,
  unfiltered: fromBit(row.unfiltered),
  oldFlavor: fromJson(row.old_flavor),
  newFlavor: fromJson(row.new_flavor),
  power: row.power as Power,
  cancelled: fromBit(row.cancelled),
  forced: fromBit(row.forced),
  error: row.error,
  progress: {
    memory: { total: row.memory_total, sent: row.memory_sent, left: row.memory_left },
    disk: { total: row.disk_total, sent: row.disk_sent, left: row.disk_left },
  },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export const migrationListing: Listing<keyof MigrationRow> = listing<keyof MigrationRow>({
  filters: {
    status: { column: 'status' },
    migration_type: { column: 'type' },
    instance_uuid: { column: 'server_id' },
    source_compute: { column: 'source_host' },
    user_id: { column: 'user_id' },
    project_id: { column: 'project_id' },
  },
  sorts: {},
  defaultSort: [
    ['created_at', 'desc'],
    ['number', 'desc'],
  ],
  key: 'uuid',
})

export type NewMigration = {
  type: MigrationType
  userId: string
  askedHost: string
  unfiltered: boolean
  newFlavor: FlavorSnapshot
  power: Power
  /** It is known already that it cannot be. */
  error?: string
}

export type MigrationChange = Partial<
  Pick<MigrationRow, 'status' | 'dest_host' | 'dest_address' | 'cancelled' | 'forced' | 'error'>
>

export type Migrations = ReturnType<typeof openMigrations>

/** What went, goes or should have gone from host to host. */
export function openMigrations(db: Db<ComputeTables>, clock: Clock) {
  const all = () => db.read.selectFrom('compute_migration').selectAll()
  /** False: it is not as it should `still` be. */
  const change = async (
    tx: Tx<ComputeTables>,
    id: string,
    set: MigrationChange,
    still: MigrationStatus[] = [],
  ): Promise<boolean> => {
    let update = tx
      .updateTable('compute_migration')
      .set({ ...set, updated_at: clock.now() })
      .where('uuid', '=', id)
    if (still.length > 0) update = update.where('status', 'in', still)
    return (await update.returning('uuid').executeTakeFirst()) !== undefined
  }
  return {
    async create(tx: Tx<ComputeTables>, server: Server, ask: NewMigration): Promise<string> {
      const at = clock.now()
      const id = uuid()
      const none = { memory_total: 0, memory_sent: 0, memory_left: 0, disk_total: 0, disk_sent: 0, disk_left: 0 }
      await tx
        .insertInto('compute_migration')
        .values({
          number: await next(tx, 'migration'),
          uuid: id,
          server_id: server.id,
          project_id: server.projectId,
          user_id: ask.userId,
          type: ask.type,
          status: 'accepted',
          source_host: server.host,
          dest_host: '',
          dest_address: '',
          asked_host: ask.askedHost,
          unfiltered: toBit(ask.unfiltered),
          old_flavor: toJson(server.flavor),
          new_flavor: toJson(ask.newFlavor),
          power: ask.power,
          cancelled: 0,
          forced: 0,
          error: ask.error ?? '',
          ...none,
          created_at: at,
          updated_at: at,
        })
        .execute()
      return id
    },
    change,
    save: (id: string, set: MigrationChange, still: MigrationStatus[] = []): Promise<boolean> =>
      db.transaction((tx) => change(tx, id, set, still)),
    async find(id: string): Promise<Migration | undefined> {
      const row = await all().where('uuid', '=', id).executeTakeFirst()
      return row && migrationOf(row)
    },
    async ofServer(serverId: string): Promise<Migration[]> {
      const rows = await all().where('server_id', '=', serverId).orderBy('number').execute()
      return rows.map(migrationOf)
    },
    async progress(id: string, { memory, disk }: MigrationProgress): Promise<void> {
      const bytes = {
        memory_total: memory.total,
        memory_sent: memory.sent,
        memory_left: memory.left,
        disk_total: disk.total,
        disk_sent: disk.sent,
        disk_left: disk.left,
      }
      await db.transaction((tx) =>
        tx
          .updateTable('compute_migration')
          .set({ ...bytes, updated_at: clock.now() })
          .where('uuid', '=', id)
          .execute(),
      )
    },
    /** `host`: at either end of it. Times are of the last change. */
    async list(
      ask: PageAsk<keyof MigrationRow>,
      {
        projectId,
        host,
        since,
        before,
      }: Record<'since' | 'before', number | undefined> & Record<'projectId' | 'host', string | undefined>,
    ): Promise<{ migrations: Migration[]; more: boolean }> {
      let query = all()
      if (projectId !== undefined) query = query.where('project_id', '=', projectId)
      if (host !== undefined) query = query.where((eb) => eb.or([eb('source_host', '=', host), eb('dest_host', '=', host)]))
      if (since !== undefined) query = query.where('updated_at', '>=', since)
      if (before !== undefined) query = query.where('updated_at', '<=', before)
      const { rows, more } = await page(query, migrationListing, ask)
      return { migrations: rows.map(migrationOf), more }
    },
  }
}

/** 32 random bytes as hex: by it the two hosts of a move know each other. */
export const moveKey = (): string => randomBytes(32).toString('hex')
