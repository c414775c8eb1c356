import { Problem } from '../../../kit/errors.ts'
import type { IdentityTx } from '../tables.ts'
import { findProject } from './project-tree.ts'
import { findRegistered } from './registered-limits.ts'

type Limit = {
  projectId: string
  domainId: string
  serviceId: string
  regionId: string
  resourceName: string
  resourceLimit: number
}

/** How the limits of a domain and of the projects in it go together. */
export type LimitModel = {
  name: 'flat' | 'strict_two_level'
  description: string
  /** Levels of projects below a domain. */
  maxDepth: number
  /** Throws forbidden. `together`: what is made with it, and not there yet. */
  assertFits(tx: IdentityTx, limit: Limit, together: Limit[]): Promise<void>
}

export const modelOf = (name: LimitModel['name']): LimitModel => (name === 'flat' ? flat : strictTwoLevel)

const flat: LimitModel = {
  name: 'flat',
  description: 'Limit enforcement and validation does not take project hierarchy into consideration.',
  maxDepth: 5,
  async assertFits() {},
}

const strictTwoLevel: LimitModel = {
  name: 'strict_two_level',
  description: 'This model requires project hierarchy never exceeds a depth of two',
  maxDepth: 1,
  async assertFits(tx, limit, together) {
    if (limit.projectId !== '') return assertWithinDomain(tx, limit, together)
    const largest = Math.max(...(await limitsInDomain(tx, limit, together)).map(measure), Number.NEGATIVE_INFINITY)
    if (measure(limit.resourceLimit) < largest) throw misfit(limit)
  },
}

/** -1 is more than any number. */
const measure = (limit: number): number => (limit < 0 ? Number.POSITIVE_INFINITY : limit)

async function assertWithinDomain(tx: IdentityTx, limit: Limit, together: Limit[]): Promise<void> {
  const project = await findProject(tx, limit.projectId)
  const domainId = project?.domainId ?? ''
  const beside = together.find((one) => one.domainId === domainId && isSameResource(one, limit))
  const above = beside?.resourceLimit ?? (await limitOfDomain(tx, domainId, limit))
  if (above !== undefined && measure(limit.resourceLimit) > measure(above)) throw misfit(limit)
}

const isSameResource = (one: Limit, other: Limit): boolean =>
  one.serviceId === other.serviceId && one.regionId === other.regionId && one.resourceName === other.resourceName

async function limitOfDomain(tx: IdentityTx, domainId: string, limit: Limit): Promise<number | undefined> {
  const registered = await findRegistered(tx, limit)
  if (!registered) return undefined
  const row = await tx
    .selectFrom('identity_limit')
    .select('resource_limit')
    .where('registered_limit_id', '=', registered.id)
    .where('domain_id', '=', domainId)
    .executeTakeFirst()
  return row?.resource_limit ?? registered.defaultLimit
}

async function limitsInDomain(tx: IdentityTx, limit: Limit, together: Limit[]): Promise<number[]> {
  const rows = await tx
    .selectFrom('identity_limit as limit')
    .innerJoin('identity_registered_limit as registered', 'registered.id', 'limit.registered_limit_id')
    .innerJoin('identity_project as project', 'project.id', 'limit.project_id')
    .select('limit.resource_limit')
    .where('project.domain_id', '=', limit.domainId)
    .where('registered.service_id', '=', limit.serviceId)
    .where('registered.region_id', '=', limit.regionId)
    .where('registered.resource_name', '=', limit.resourceName)
    .execute()
  const beside: number[] = []
  for (const one of together)
    if (one.projectId !== '' && isSameResource(one, limit)) {
      const project = await findProject(tx, one.projectId)
      if (project?.domainId === limit.domainId) beside.push(one.resourceLimit)
    }
  return [...rows.map((row) => row.resource_limit), ...beside]
}

function misfit({ projectId, domainId, resourceName, resourceLimit, serviceId, regionId }: Limit): Problem {
  const level = projectId === '' ? `domain_id: ${domainId}` : `project_id: ${projectId}`
  return new Problem(
    'forbidden',
    `Invalid resource limit: The resource limit (${level}, resource_name: ${resourceName}, resource_limit: ${resourceLimit}, service_id: ${serviceId}, region_id: ${regionId || 'None'}) doesn't satisfy current hierarchy model..`,
  )
}
