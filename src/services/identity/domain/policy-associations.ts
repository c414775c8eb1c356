import { Problem } from '../../../kit/errors.ts'
import type { IdentityTx } from '../tables.ts'
import { type CatalogEndpoint, endpointOf } from './endpoints.ts'
import { existing, type Reader } from './names.ts'
import { findPolicy, type PolicyText } from './policies.ts'
import { findRegion } from './regions.ts'
import { findService } from './services.ts'
import type { Store } from './store.ts'

/** What a policy is for: an endpoint, a service, or a service in a region and what is below it. What is not meant is empty. */
export type Association = { policyId: string; endpointId: string; serviceId: string; regionId: string }

export type PolicyAssociations = {
  /** Takes the place of the policy that was there. */
  put(association: Association): Promise<void>
  /** Throws not-found when one of them, or the association, is not there. */
  check(association: Association): Promise<void>
  remove(association: Association): Promise<void>
  endpointsOf(policyId: string): Promise<CatalogEndpoint[]>
  /** The nearest: of the endpoint itself, of its service in its region or one above, of its service. */
  policyFor(endpointId: string): Promise<PolicyText | undefined>
}

export function openPolicyAssociations(store: Store): PolicyAssociations {
  const { read } = store
  const assertThere = async (on: Reader, association: Association) => {
    await assertParts(on, association)
    if (!(await whose(on, association, association.policyId)))
      throw new Problem('not-found', 'Could not find policy association.')
  }
  return {
    put: (association) =>
      store.write(async (tx) => {
        await assertParts(tx, association)
        await drop(tx, association)
        const { policyId: policy_id, endpointId: endpoint_id, serviceId: service_id, regionId: region_id } = association
        await tx.insertInto('identity_policy_association').values({ policy_id, endpoint_id, service_id, region_id }).execute()
      }),
    check: (association) => assertThere(read, association),
    remove: (association) =>
      store.write(async (tx) => {
        await assertThere(tx, association)
        await drop(tx, association)
      }),
    async endpointsOf(policyId) {
      existing(await findPolicy(read, policyId), 'policy', policyId)
      const rows = await read.selectFrom('identity_policy_association').selectAll().where('policy_id', '=', policyId).execute()
      const all = (await read.selectFrom('identity_endpoint').selectAll().orderBy('created_at').execute()).map(endpointOf)
      const above = await regionsAbove(read)
      return all.filter(({ id, serviceId, regionId }) =>
        rows.some(
          (row) =>
            row.endpoint_id === id ||
            (row.service_id === serviceId && (row.region_id === '' || above(regionId).includes(row.region_id))),
        ),
      )
    },
    async policyFor(endpointId) {
      const row = await read.selectFrom('identity_endpoint').selectAll().where('id', '=', endpointId).executeTakeFirst()
      const { serviceId, regionId } = endpointOf(existing(row, 'endpoint', endpointId))
      const above = await regionsAbove(read)
      const places = [
        { endpointId, serviceId: '', regionId: '' },
        ...above(regionId).map((id) => ({ endpointId: '', serviceId, regionId: id })),
        { endpointId: '', serviceId, regionId: '' },
      ]
      for (const place of places) {
        const found = await whose(read, place)
        if (found !== undefined) return findPolicy(read, found)
      }
      return undefined
    },
  }
}

type Place = Omit<Association, 'policyId'>

async function whose(read: Reader, { endpointId, serviceId, regionId }: Place, policyId?: string): Promise<string | undefined> {
  let query = read
    .selectFrom('identity_policy_association')
    .select('policy_id')
    .where('endpoint_id', '=', endpointId)
    .where('service_id', '=', serviceId)
    .where('region_id', '=', regionId)
  if (policyId !== undefined) query = query.where('policy_id', '=', policyId)
  return (await query.executeTakeFirst())?.policy_id
}

async function drop(tx: IdentityTx, { endpointId, serviceId, regionId }: Place): Promise<void> {
  await tx
    .deleteFrom('identity_policy_association')
    .where('endpoint_id', '=', endpointId)
    .where('service_id', '=', serviceId)
    .where('region_id', '=', regionId)
    .execute()
}

async function assertParts(read: Reader, { policyId, endpointId, serviceId, regionId }: Association): Promise<void> {
  existing(await findPolicy(read, policyId), 'policy', policyId)
  if (endpointId !== '') {
    const endpoint = read.selectFrom('identity_endpoint').select('id').where('id', '=', endpointId)
    existing(await endpoint.executeTakeFirst(), 'endpoint', endpointId)
  }
  if (serviceId !== '') existing(await findService(read, serviceId), 'service', serviceId)
  if (regionId !== '') existing(await findRegion(read, regionId), 'region', regionId)
}

/** A region and all above it, nearest first. */
async function regionsAbove(read: Reader): Promise<(id: string) => string[]> {
  const rows = await read.selectFrom('identity_region').select(['id', 'parent_id']).execute()
  const parents = new Map(rows.map((row) => [row.id, row.parent_id]))
  return (id) => {
    const found: string[] = []
    for (let at = id; at !== ''; at = parents.get(at) ?? '') found.push(at)
    return found
  }
}
