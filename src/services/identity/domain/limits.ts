import type { Clock } from '../../../kit/clock.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTx } from '../tables.ts'
import { type LimitModel, modelOf } from './limit-models.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { duplicate, type Reader } from './names.ts'
import { findProject } from './project-tree.ts'
import { expecting } from './refusals.ts'
import { findRegion } from './regions.ts'
import { findRegistered, noLimitFor } from './registered-limits.ts'
import { findService } from './services.ts'
import type { Store } from './store.ts'

/** How much of a resource a project or domain has, in place of the registered limit. Of `projectId` and `domainId` one is empty. */
export type Limit = {
  id: string
  projectId: string
  domainId: string
  serviceId: string
  regionId: string
  resourceName: string
  resourceLimit: number
  description: string | null
}
export type LimitChange = Partial<Pick<Limit, 'resourceLimit' | 'description'>>

export const limitListing = listing<string>({
  filters: {
    service_id: { column: 'registered.service_id' },
    region_id: { column: 'registered.region_id' },
    resource_name: { column: 'registered.resource_name' },
    project_id: { column: 'limit.project_id' },
    domain_id: { column: 'limit.domain_id' },
  },
  sorts: { id: 'limit.id', resource_name: 'registered.resource_name' },
  defaultSort: [['limit.created_at', 'asc']],
  key: 'limit.id',
  maxLimit: noLimit,
})

/** Those of one project, or of a domain and the projects in it. */
export type LimitPlace = { projectId: string } | { domainId: string }

export type Limits = {
  model: LimitModel
  find(id: string): Promise<Limit | undefined>
  list(ask: PageAsk<string>, within?: LimitPlace): Promise<Page<Limit>>
  /** All or none. Throws forbidden where nothing is registered, or the model does not allow it. */
  create(limits: Omit<Limit, 'id'>[]): Promise<Limit[]>
  update(id: string, change: LimitChange): Promise<Limit>
  remove(id: string): Promise<void>
}

export function openLimits(store: Store, clock: Clock, modelName: LimitModel['name']): Limits {
  const model = modelOf(modelName)
  const find = async (read: Reader, id: string) => {
    const row = await limitRows(read).where('limit.id', '=', id).executeTakeFirst()
    return row && limitOf(row)
  }
  const present = async (read: Reader, id: string) => {
    const found = await find(read, id)
    if (!found) throw noLimitFor('limit', id)
    return found
  }
  return {
    model,
    find: (id) => find(store.read, id),
    async list(ask, within) {
      let query = limitRows(store.read)
      if (within && 'projectId' in within) query = query.where('limit.project_id', '=', within.projectId)
      if (within && 'domainId' in within)
        query = query.where((eb) =>
          eb.or([
            eb('limit.domain_id', '=', within.domainId),
            eb('limit.project_id', 'in', eb.selectFrom('identity_project').select('id').where('domain_id', '=', within.domainId)),
          ]),
        )
      return mapPage(await page(query, limitListing, ask), limitOf)
    },
    create: (asked) =>
      store.write(async (tx) => {
        const limits: Limit[] = []
        for (const ask of asked) limits.push({ ...(await placed(tx, ask)), id: hexId() })
        for (const limit of limits) await model.assertFits(tx, limit, limits)
        for (const limit of limits) await insertLimit(tx, limit, clock)
        return limits
      }),
    update: (id, change) =>
      store.write(async (tx) => {
        const next = { ...(await present(tx, id)), ...change }
        await model.assertFits(tx, next, [next])
        await tx
          .updateTable('identity_limit')
          .set({ resource_limit: next.resourceLimit, description: next.description })
          .where('id', '=', id)
          .execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        await present(tx, id)
        await tx.deleteFrom('identity_limit').where('id', '=', id).execute()
      }),
  }
}

const limitRows = (read: Reader) =>
  (read as Store['read'])
    .selectFrom('identity_limit as limit')
    .innerJoin('identity_registered_limit as registered', 'registered.id', 'limit.registered_limit_id')
    .selectAll('limit')
    .select(['registered.service_id', 'registered.region_id', 'registered.resource_name'])

type Row = Awaited<ReturnType<ReturnType<typeof limitRows>['executeTakeFirstOrThrow']>>

const limitOf = (row: Row): Limit => ({
  id: row.id,
  projectId: row.project_id,
  domainId: row.domain_id,
  serviceId: row.service_id,
  regionId: row.region_id,
  resourceName: row.resource_name,
  resourceLimit: row.resource_limit,
  description: row.description,
})

/** What it is for exists; a project that is a domain counts as one. */
async function placed(tx: IdentityTx, limit: Omit<Limit, 'id'>): Promise<Omit<Limit, 'id'>> {
  if (!(await findService(tx, limit.serviceId))) throw expecting('service_id', 'limit')
  if (limit.regionId !== '' && !(await findRegion(tx, limit.regionId))) throw expecting('region_id', 'limit')
  const place = await findProject(tx, limit.projectId || limit.domainId)
  if (!place || (limit.projectId === '' && !place.isDomain))
    throw expecting(limit.projectId === '' ? 'domain_id' : 'project_id', 'limit')
  return place.isDomain ? { ...limit, projectId: '', domainId: place.id } : limit
}

async function insertLimit(tx: IdentityTx, limit: Limit, clock: Clock): Promise<void> {
  const registered = await findRegistered(tx, limit)
  if (!registered) throw new Problem('forbidden', 'Unable to create a limit that has no corresponding registered limit.')
  const row = {
    id: limit.id,
    registered_limit_id: registered.id,
    project_id: limit.projectId,
    domain_id: limit.domainId,
    resource_limit: limit.resourceLimit,
    description: limit.description,
    created_at: clock.now(),
  }
  const made = await tx
    .insertInto('identity_limit')
    .values(row)
    .onConflict((conflict) => conflict.columns(['registered_limit_id', 'project_id', 'domain_id']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!made) throw duplicate('limit', `resource name ${limit.resourceName}`)
}

/** The limits in force for a project: its own, else those registered. By name of the resource; -1: none. */
export async function limitsInForce(
  { read }: Store,
  { serviceType, projectId }: { serviceType: string; projectId: string },
): Promise<Record<string, number>> {
  const registered = await read
    .selectFrom('identity_registered_limit as registered')
    .innerJoin('identity_service as service', 'service.id', 'registered.service_id')
    .select(['registered.id', 'registered.resource_name', 'registered.default_limit'])
    .where('service.type', '=', serviceType)
    .execute()
  const own = await read
    .selectFrom('identity_limit')
    .select(['registered_limit_id', 'resource_limit'])
    .where('project_id', '=', projectId)
    .execute()
  const chosen = new Map(own.map((row) => [row.registered_limit_id, row.resource_limit]))
  return Object.fromEntries(registered.map((row) => [row.resource_name, chosen.get(row.id) ?? row.default_limit]))
}
