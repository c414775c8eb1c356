import { sql } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { type Listing, listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { ComputeTables, FlavorRow } from '../tables.ts'

export type Flavor = {
  id: string
  name: string
  memoryMb: number
  vcpus: number
  rootGb: number
  ephemeralGb: number
  swapMb: number
  rxtxFactor: number
  isPublic: boolean
  description: string | null
  extraSpecs: Record<string, string>
}

/** Whose flavors: everybody's public ones, and those a project was given. Admins may ask for all. */
export type FlavorScope = { projectId: string | undefined; all: boolean; isPublic: boolean | undefined }

export type Flavors = ReturnType<typeof openFlavors>

export const flavorListing: Listing<keyof FlavorRow> = listing<keyof FlavorRow>({
  filters: {
    minRam: { column: 'memory_mb', op: '>=', value: Number },
    minDisk: { column: 'root_gb', op: '>=', value: Number },
  },
  sorts: {
    flavorid: 'id',
    id: 'id',
    name: 'name',
    memory_mb: 'memory_mb',
    vcpus: 'vcpus',
    root_gb: 'root_gb',
    ephemeral_gb: 'ephemeral_gb',
    swap: 'swap_mb',
    rxtx_factor: 'rxtx_factor',
    is_public: 'is_public',
    created_at: 'created_at',
    updated_at: 'updated_at',
  },
  defaultSort: [['id', 'asc']],
  key: 'id',
})

const flavorOf = (row: FlavorRow): Flavor => ({
  id: row.id,
  name: row.name,
  memoryMb: row.memory_mb,
  vcpus: row.vcpus,
  rootGb: row.root_gb,
  ephemeralGb: row.ephemeral_gb,
  swapMb: row.swap_mb,
  rxtxFactor: Number(row.rxtx_factor),
  isPublic: fromBit(row.is_public),
  description: row.description,
  extraSpecs: fromJson(row.extra_specs),
})

export function openFlavors(db: Db<ComputeTables>, clock: Clock) {
  const row = (id: string) => db.read.selectFrom('compute_flavor').selectAll().where('id', '=', id).executeTakeFirst()

  const insert = async (tx: Tx<ComputeTables>, flavor: Flavor) => {
    const at = clock.now()
    const same = (column: 'id' | 'name', value: string) =>
      tx.selectFrom('compute_flavor').select('id').where(column, '=', value).executeTakeFirst()
    if (await same('name', flavor.name)) throw new Problem('conflict', `Flavor with name ${flavor.name} already exists.`)
    if (await same('id', flavor.id)) throw new Problem('conflict', `Flavor with ID ${flavor.id} already exists.`)
    const made = await tx
      .insertInto('compute_flavor')
      .values({
        id: flavor.id,
        name: flavor.name,
        memory_mb: flavor.memoryMb,
        vcpus: flavor.vcpus,
        root_gb: flavor.rootGb,
        ephemeral_gb: flavor.ephemeralGb,
        swap_mb: flavor.swapMb,
        rxtx_factor: String(flavor.rxtxFactor),
        is_public: toBit(flavor.isPublic),
        description: flavor.description,
        extra_specs: toJson(flavor.extraSpecs),
        created_at: at,
        updated_at: at,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!made) throw new Problem('conflict', `Flavor with name ${flavor.name} already exists.`)
  }

  /** Reads and writes the specs in one transaction, so that two writers do not lose each other's. */
  const changeSpecs = (id: string, change: (specs: Record<string, string>) => Record<string, string>) =>
    db.transaction(async (tx) => {
      // The write comes first: on PostgreSQL it locks the row until both are done.
      const found = await tx
        .updateTable('compute_flavor')
        .set({ updated_at: clock.now() })
        .where('id', '=', id)
        .returning('extra_specs')
        .executeTakeFirst()
      if (!found) throw new Problem('not-found', `Flavor ${id} could not be found.`)
      const specs = change(fromJson(found.extra_specs))
      await tx
        .updateTable('compute_flavor')
        .set({ extra_specs: toJson(specs) })
        .where('id', '=', id)
        .execute()
      return specs
    })

  return {
    async find(id: string): Promise<Flavor | undefined> {
      const found = await row(id)
      return found && flavorOf(found)
    },
    /** Undefined also when the flavor is private and not this project's. */
    async findFor(id: string, scope: { projectId: string | undefined; all: boolean }): Promise<Flavor | undefined> {
      const found = await row(id)
      if (!found || scope.all || fromBit(found.is_public)) return found && flavorOf(found)
      const access = await db.read
        .selectFrom('compute_flavor_access')
        .select('flavor_id')
        .where('flavor_id', '=', id)
        .where('project_id', '=', scope.projectId ?? '')
        .executeTakeFirst()
      return access && flavorOf(found)
    },
    async list(scope: FlavorScope, ask: PageAsk<keyof FlavorRow>): Promise<{ flavors: Flavor[]; more: boolean }> {
      let query = db.read.selectFrom('compute_flavor').selectAll()
      if (scope.isPublic === false) query = query.where('is_public', '=', 0)
      if (scope.isPublic === true)
        query = query.where((eb) =>
          eb.or([
            eb('is_public', '=', 1),
            eb(
              'id',
              'in',
              eb
                .selectFrom('compute_flavor_access')
                .select('flavor_id')
                .where('project_id', '=', scope.projectId ?? ''),
            ),
          ]),
        )
      const { rows, more } = await page(query, flavorListing, ask)
      return { flavors: rows.map(flavorOf), more }
    },
    create: (flavor: Flavor) => db.transaction((tx) => insert(tx, flavor)),
    async describe(id: string, description: string | null): Promise<void> {
      await db.transaction((tx) =>
        tx.updateTable('compute_flavor').set({ description, updated_at: clock.now() }).where('id', '=', id).execute(),
      )
    },
    remove: (id: string) =>
      db.transaction(async (tx) => {
        await tx.deleteFrom('compute_flavor_access').where('flavor_id', '=', id).execute()
        await tx.deleteFrom('compute_flavor').where('id', '=', id).execute()
      }),
    setSpecs: (id: string, specs: Record<string, string>) => changeSpecs(id, (old) => ({ ...old, ...specs })),
    async removeSpec(id: string, key: string): Promise<void> {
      await changeSpecs(id, ({ [key]: _, ...rest }) => rest)
    },
    async projectsWith(id: string): Promise<string[]> {
      const rows = await db.read
        .selectFrom('compute_flavor_access')
        .select('project_id')
        .where('flavor_id', '=', id)
        .orderBy('project_id')
        .execute()
      return rows.map((found) => found.project_id)
    },
    async grant(id: string, projectId: string): Promise<void> {
      const made = await db.transaction((tx) =>
        tx
          .insertInto('compute_flavor_access')
          .values({ flavor_id: id, project_id: projectId })
          .onConflict((conflict) => conflict.doNothing())
          .returning(sql<string>`flavor_id`.as('id'))
          .executeTakeFirst(),
      )
      if (!made)
        throw new Problem('conflict', `Flavor access already exists for flavor ${id} and project ${projectId} combination.`)
    },
    async revoke(id: string, projectId: string): Promise<void> {
      const gone = await db.transaction((tx) =>
        tx
          .deleteFrom('compute_flavor_access')
          .where('flavor_id', '=', id)
          .where('project_id', '=', projectId)
          .returning('flavor_id')
          .executeTakeFirst(),
      )
      if (!gone) throw new Problem('not-found', `Flavor access not found for ${id} / ${projectId} combination.`)
    },
  }
}
