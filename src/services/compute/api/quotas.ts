import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { everyProject, type Quota } from '../../../kit/quota/quota.ts'
import type { Identity } from '../../identity/contract.ts'
import { defaultLimits } from '../domain/quotas.ts'
import type { ComputeTables } from '../tables.ts'
import { Bool, isTrue, Limit, loose, querySchema, within } from './types.ts'

const ofNetwork = ['fixed_ips', 'floating_ips', 'security_group_rules', 'security_groups']
const ofFiles = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes']
const ofGroups = ['server_groups', 'server_group_members']

/** Resources that a version knows: network's left with 2.36, injected files' with 2.57. */
const resources = (version: number) =>
  Object.keys(defaultLimits).filter(
    (name) => !(version >= 36 && ofNetwork.includes(name)) && !(version >= 57 && ofFiles.includes(name)),
  )
/** Classes show groups only since 2.50, and network's until then. */
const classResources = (version: number) =>
  Object.keys(defaultLimits).filter(
    (name) =>
      !(version < 50 && ofGroups.includes(name)) &&
      !(version >= 50 && ofNetwork.includes(name)) &&
      !(version >= 57 && ofFiles.includes(name)),
  )

const pick = <T>(names: string[], from: Record<string, T>) => Object.fromEntries(names.map((name) => [name, from[name]]))

const setBody = (version: number): TSchema =>
  within(
    'quota_set',
    loose({
      ...pick(resources(version), Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, Limit]))),
      ...(version < 36 ? { networks: Limit } : {}),
      force: Bool,
    } as Record<string, TSchema>),
  )
const classBody = (version: number): TSchema =>
  within('quota_class_set', loose(Object.fromEntries(classResources(version).map((name) => [name, Limit]))))

const query = querySchema({ known: ['user_id'] })

export function quotaEndpoints(quota: Quota<ComputeTables>, identity: () => Identity): Endpoint[] {
  const rule = (verb: string) => `os_compute_api:os-quota-sets:${verb}`
  const target = ({ params }: Pick<Ask, 'params'>) => ({ project_id: params['tenant_id'] })
  const known = async (id: string) => {
    if (!(await identity().project({ id }))) throw new Problem('invalid', `Project ID ${id} is not a valid project.`)
  }
  const defaults = () => quota.limits(everyProject)
  return [
    endpoint({
      on: 'GET /os-quota-sets/{tenant_id}',
      policy: rule('show'),
      query,
      target,
      async handle({ params, version }) {
        const id = params['tenant_id']!
        await known(id)
        return { quota_set: { id, ...pick(resources(version), await quota.limits(id)) } }
      },
    }),
    endpoint({
      on: 'GET /os-quota-sets/{tenant_id}/detail',
      policy: rule('detail'),
      query,
      target,
      async handle({ params, version }) {
        const id = params['tenant_id']!
        await known(id)
        const [limits, used] = [await quota.limits(id), await quota.usage(id)]
        const lines = resources(version).map((name) => [name, { limit: limits[name], in_use: used[name] ?? 0, reserved: 0 }])
        return { quota_set: { id, ...Object.fromEntries(lines) } }
      },
    }),
    endpoint({
      on: 'GET /os-quota-sets/{tenant_id}/defaults',
      policy: rule('defaults'),
      target,
      async handle({ params, version }) {
        const id = params['tenant_id']!
        await known(id)
        return { quota_set: { id, ...pick(resources(version), await defaults()) } }
      },
    }),
    endpoint({
      on: 'PUT /os-quota-sets/{tenant_id}',
      policy: rule('update'),
      query,
      body: setBody,
      target,
      async handle({ params, body, version }) {
        const id = params['tenant_id']!
        await known(id)
        const { force = false, ...wanted } = (body as { quota_set: Record<string, number | string | boolean> }).quota_set
        if ('networks' in wanted) throw new Problem('invalid', 'The networks quota has been removed')
        const limits = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, Number(value)]))
        if (!isTrue(force)) refuseBelow(limits, await quota.usage(id))
        await quota.set(id, limits)
        return { quota_set: pick(resources(version), await quota.limits(id)) }
      },
    }),
    endpoint({
      on: 'DELETE /os-quota-sets/{tenant_id}',
      policy: rule('delete'),
      query,
      status: 202,
      target,
      handle: async ({ params }) => quota.reset(params['tenant_id']!),
    }),
    endpoint({
      on: 'GET /os-quota-class-sets/{quota_class}',
      policy: 'os_compute_api:os-quota-class-sets:show',
      handle: async ({ params, version }) => ({
        quota_class_set: {
          id: params['quota_class'],
          ...pick(classResources(version), await classLimits(params['quota_class']!)),
        },
      }),
    }),
    endpoint({
      on: 'PUT /os-quota-class-sets/{quota_class}',
      policy: 'os_compute_api:os-quota-class-sets:update',
      body: classBody,
      async handle({ params, body, version }) {
        const name = params['quota_class']!
        const { quota_class_set } = body as { quota_class_set: Record<string, number | string> }
        const limits = Object.fromEntries(Object.entries(quota_class_set).map(([resource, value]) => [resource, Number(value)]))
        await quota.set(classKey(name), limits)
        return { quota_class_set: pick(classResources(version), await classLimits(name)) }
      },
    }),
  ]

  /** Only the class `default` means anything: it is the limits of those who have none of their own. Others are kept for who asks. */
  function classLimits(name: string) {
    return quota.limits(classKey(name))
  }
}

const classKey = (name: string) => (name === 'default' ? everyProject : `class:${name}`)

function refuseBelow(limits: Record<string, number>, used: Record<string, number>): void {
  for (const [resource, limit] of Object.entries(limits)) {
    const minimum = used[resource] ?? 0
    if (limit >= 0 && limit < minimum)
      throw new Problem(
        'invalid',
        `Quota limit ${limit} for ${resource} must be greater than or equal to already used and reserved ${minimum}.`,
      )
  }
}

/** `limits`: what clients ask before they create. */
export function limitEndpoints(quota: Quota<ComputeTables>): Endpoint[] {
  const names: Record<string, string[]> = {
    ram: ['maxTotalRAMSize'],
    instances: ['maxTotalInstances'],
    cores: ['maxTotalCores'],
    key_pairs: ['maxTotalKeypairs'],
    floating_ips: ['maxTotalFloatingIps'],
    metadata_items: ['maxServerMeta', 'maxImageMeta'],
    injected_files: ['maxPersonality'],
    injected_file_content_bytes: ['maxPersonalitySize'],
    security_groups: ['maxSecurityGroups'],
    security_group_rules: ['maxSecurityGroupRules'],
    server_groups: ['maxServerGroups'],
    server_group_members: ['maxServerGroupMembers'],
  }
  const uses: Record<string, string> = {
    ram: 'totalRAMUsed',
    cores: 'totalCoresUsed',
    instances: 'totalInstancesUsed',
    floating_ips: 'totalFloatingIpsUsed',
    security_groups: 'totalSecurityGroupsUsed',
    server_groups: 'totalServerGroupsUsed',
  }
  return [
    endpoint({
      on: 'GET /limits',
      policy: 'os_compute_api:limits',
      query: (version) => Type.Unsafe({ ...querySchema({ known: ['tenant_id', 'reserved'] })(version) }),
      async handle({ query: asked, caller, can, version }) {
        const other = asked['tenant_id']?.[0]
        const rule = 'os_compute_api:limits:other_project'
        if (other !== undefined && !can(rule))
          throw new Problem('forbidden', `Policy doesn't allow ${rule} to be performed.`, { code: 'PolicyNotAuthorized' })
        const id = other ?? caller.projectId ?? ''
        const [limits, used] = [await quota.limits(id), await quota.usage(id)]
        const shown = resources(version)
        const most = shown.flatMap((resource) =>
          (names[resource] ?? [])
            .filter((name) => name !== 'maxImageMeta' || version < 39)
            .map((name) => [name, limits[resource]] as const),
        )
        const held = shown.flatMap((resource) => (uses[resource] ? [[uses[resource], used[resource] ?? 0] as const] : []))
        return { limits: { rate: [], absolute: Object.fromEntries([...most, ...held]) } }
      },
    }),
  ]
}
