import { Type } from 'typebox'
import type { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import { fault } from '../domain/faults.ts'
import { quotaDefaults } from '../domain/quotas.ts'
import { itemsOf } from './bodies.ts'
import type { Wire } from './endpoints.ts'
import { badBody, int, read } from './kinds.ts'
import { ownTarget } from './resource.ts'

const names = { name: 'quota', plural: 'quotas' }
/** 2^31 - 1: what neutron's column holds. */
const limitKind = int(-1, 2_147_483_647)

const noQuota = (projectId: string): Problem =>
  fault('not-found', 'TenantQuotaNotFound', `Quota for tenant ${projectId} could not be found.`)

const target = ({ params }: Pick<Ask, 'params'>) => ownTarget({ project_id: params['project_id']! })

function limitsIn(body: unknown): Record<string, number> {
  const item = itemsOf(names, body).items[0]!
  const { project_id: _, tenant_id: __, ...given } = item
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(quotaDefaults, name))
  if (unknown.length > 0) throw badBody(`Unrecognized attribute(s) '${unknown.join(', ')}'`)
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, read(name, limitKind, value)]))
}

export function quotaEndpoints({ store }: Wire) {
  const { quota } = store
  const caller = (name: 'tenant' | 'project') =>
    endpoint({
      on: `GET /quotas/${name}`,
      policy: 'token',
      handle: async ({ caller: { projectId } }) => ({ [name]: { [`${name}_id`]: projectId ?? null } }),
    })
  return [
    endpoint({
      on: 'GET /quotas',
      policy: 'get_quota',
      // Of all projects: for those who may see any project's.
      target: () => ({ project_id: ' ', tenant_id: ' ' }),
      async handle() {
        const projects = await quota.projects()
        const limits = await Promise.all(projects.map((id) => quota.limits(id)))
        return { quotas: projects.map((id, at) => ({ ...limits[at], project_id: id, tenant_id: id })) }
      },
    }),
    caller('tenant'),
    caller('project'),
    endpoint({
      on: 'GET /quotas/{project_id}',
      policy: 'get_quota',
      target,
      handle: async ({ params }) => ({ quota: await quota.limits(params['project_id']!) }),
    }),
    endpoint({
      on: 'GET /quotas/{project_id}/default',
      policy: 'get_quota',
      target,
      handle: async () => ({ quota: quota.defaults }),
    }),
    endpoint({
      on: 'GET /quotas/{project_id}/details',
      policy: 'get_quota',
      target,
      async handle({ params }) {
        const [limits, used] = [await quota.limits(params['project_id']!), await quota.usage(params['project_id']!)]
        const details = Object.entries(limits).map(([name, limit]) => [name, { limit, used: used[name] ?? 0, reserved: 0 }])
        return { quota: Object.fromEntries(details) }
      },
    }),
    endpoint({
      on: 'PUT /quotas/{project_id}',
      policy: 'update_quota',
      target,
      body: Type.Unknown(),
      async handle({ params, body }) {
        await quota.set(params['project_id']!, limitsIn(body))
        return { quota: await quota.limits(params['project_id']!) }
      },
    }),
    endpoint({
      on: 'DELETE /quotas/{project_id}',
      policy: 'delete_quota',
      target,
      async handle({ params }) {
        if (!(await quota.projects()).includes(params['project_id']!)) throw noQuota(params['project_id']!)
        await quota.reset(params['project_id']!)
      },
    }),
  ]
}
