import { type TSchema, Type } from 'typebox'
import { parseTime } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Ask, Query } from '../../../kit/http/endpoint.ts'
import type { Network } from '../../network/contract.ts'
import { likePattern } from '../domain/patterns.ts'
import type { Condition, ServerColumn, ServerSelection } from '../domain/server-list.ts'
import { serverListing } from '../domain/server-list.ts'
import { meanings, otherStatuses } from '../domain/states.ts'
import { isTrue } from './types.ts'

type Op = 'exact' | 'number' | 'pattern' | 'bool' | 'since' | 'before' | 'time'

/** Filters that are a condition on one column. */
const columns: Record<string, [ServerColumn, Op]> = {
  user_id: ['user_id', 'exact'],
  launch_index: ['launch_index', 'number'],
  image_ref: ['image_id', 'exact'],
  image: ['image_id', 'exact'],
  hostname: ['hostname', 'pattern'],
  key_name: ['key_name', 'pattern'],
  power_state: ['power_state', 'number'],
  vm_state: ['vm_state', 'exact'],
  task_state: ['task_state', 'exact'],
  host: ['host', 'exact'],
  node: ['host', 'pattern'],
  flavor: ['flavor_id', 'exact'],
  reservation_id: ['reservation_id', 'pattern'],
  launched_at: ['launched_at', 'time'],
  terminated_at: ['terminated_at', 'time'],
  created_at: ['created_at', 'time'],
  availability_zone: ['zone', 'pattern'],
  name: ['name', 'pattern'],
  display_name: ['name', 'pattern'],
  description: ['description', 'pattern'],
  display_description: ['description', 'pattern'],
  locked_by: ['locked_by', 'pattern'],
  uuid: ['id', 'exact'],
  config_drive: ['config_drive', 'bool'],
  access_ip_v4: ['access_ip_v4', 'pattern'],
  access_ip_v6: ['access_ip_v6', 'pattern'],
  auto_disk_config: ['disk_config', 'exact'],
  progress: ['progress', 'number'],
  locked: ['locked', 'bool'],
  'changes-since': ['updated_at', 'since'],
  'changes-before': ['updated_at', 'before'],
}
/** Understood, and true of no server here: kernels and ramdisks of old images. */
const fruitless = ['kernel_id', 'ramdisk_id', 'root_device_name']
const others = [
  'status',
  'ip',
  'ip6',
  'all_tenants',
  'project_id',
  'tenant_id',
  'deleted',
  'soft_deleted',
  'sort_key',
  'sort_dir',
]
const tagFilters = ['tags', 'tags-any', 'not-tags', 'not-tags-any']
/** Names of the inner tables of old: asking for them is a mistake, not an unknown word. */
const refused = [
  'block_device_mapping',
  'services',
  'metadata',
  'system_metadata',
  'info_cache',
  'security_groups',
  'pci_devices',
]
const since: Record<string, number> = {
  locked: 73,
  'changes-before': 66,
  ...Object.fromEntries(tagFilters.map((name) => [name, 26])),
}

const values = { type: 'array', items: { type: 'string' } }
const timed = { type: 'array', items: { type: 'string', format: 'date-time' } }

/** Sort keys that were ignored until 2.75 and are refused since. */
const ignoredSortKeys = [
  'architecture',
  'cell_name',
  'cleaned',
  'default_ephemeral_device',
  'default_swap_device',
  'deleted',
  'deleted_at',
  'disable_terminate',
  'display_description',
  'ephemeral_gb',
  'ephemeral_key_uuid',
  'id',
  'kernel_id',
  'key_data',
  'launched_on',
  'memory_mb',
  'os_type',
  'ramdisk_id',
  'reservation_id',
  'root_device_name',
  'root_gb',
  'shutdown_terminate',
  'user_data',
  'vcpus',
  'vm_mode',
]

export function serverQuery(version: number): TSchema {
  const names = [...Object.keys(columns), ...fruitless, ...others, ...tagFilters, ...refused].filter(
    (name) => version >= (since[name] ?? 0),
  )
  return Type.Unsafe({
    type: 'object',
    properties: {
      ...Object.fromEntries(names.map((name) => [name, name.startsWith('changes-') ? timed : values])),
      limit: { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' } },
      marker: values,
    },
    additionalProperties: version < 75,
  })
}

/** Filters that anybody may use; the rest is for admins and ignored otherwise. */
function allowedToAll(version: number): Set<string> {
  const from = (minor: number, names: string[]) => (version >= minor ? names : [])
  return new Set([
    ...['reservation_id', 'name', 'display_name', 'status', 'image', 'image_ref', 'flavor', 'ip', 'changes-since', 'all_tenants'],
    ...from(5, ['ip6']),
    ...from(26, tagFilters),
    ...from(66, ['changes-before']),
    ...from(73, ['locked']),
    ...from(83, ['availability_zone', 'config_drive', 'key_name', 'created_at', 'launched_at', 'terminated_at']),
    ...from(83, ['power_state', 'task_state', 'vm_state', 'progress', 'user_id']),
  ])
}

const nothing: Condition = { column: 'id', op: '=', values: [''] }

function condition(name: string, texts: string[]): Condition {
  const [column, op] = columns[name]!
  const text = texts.at(-1)!
  switch (op) {
    case 'exact':
      return { column, op: '=', values: texts }
    case 'number':
      return /^\d+$/.test(text) ? { column, op: '=', values: [Number(text)] } : nothing
    case 'bool':
      return { column, op: '=', values: [isTrue(text) ? 1 : 0] }
    case 'pattern':
      return { column, op: 'pattern', values: texts.map((one) => patternOf(name, one)) }
    case 'since':
      return { column, op: '>=', values: [timeOf(name, text)] }
    case 'before':
      return { column, op: '<=', values: [timeOf(name, text)] }
    case 'time':
      return { column, op: '=', values: [timeOf(name, text)] }
    default:
      return op satisfies never
  }
}

function patternOf(name: string, text: string): string {
  const pattern = likePattern(text)
  if (pattern === undefined)
    throw new Problem(
      'invalid',
      `Invalid filter ${name}: only text, '.', '.*', '^' at the start and '$' at the end are understood.`,
    )
  return pattern
}

export function timeOf(name: string, text: string): number {
  const at = parseTime(text)
  if (at === undefined) throw new Problem('invalid', `Invalid filter field: ${name}.`)
  return at
}

const noSuchStatus = 'Invalid status value'

function statesOf(texts: string[], version: number): ServerSelection['states'] {
  const words = texts.map((text) => text.toLowerCase())
  const known = words.filter((word) => meanings(word) !== undefined || otherStatuses.includes(word))
  if (known.length === 0 && version >= 38) throw new Problem('invalid', noSuchStatus)
  return words.flatMap((word) => (meanings(word) ?? []).map(({ vmState, taskStates }) => ({ vmState, taskStates })))
}

/** What a request's query selects. Throws invalid, or forbidden for what only admins may ask. */
export async function selectionOf(ask: Ask, network: Network, rule: string): Promise<ServerSelection> {
  const { query, version, caller, can } = ask
  const isAdmin = can('os_compute_api:servers:allow_all_filters')
  const allowed = allowedToAll(version)
  const all = query['all_tenants'] !== undefined && (query['all_tenants'][0] === '' || isAllTenants(query['all_tenants'][0]!))
  if (all && !can(`${rule}:get_all_tenants`))
    throw new Problem('forbidden', `Policy doesn't allow ${rule}:get_all_tenants to be performed.`)
  for (const name of Object.keys(query))
    if (isAdmin && (refused.includes(name) || name.startsWith('_')))
      throw new Problem('invalid', `Invalid filter field: ${name}.`)
  const asked: Query = Object.fromEntries(
    Object.entries(query).filter(([name]) => (isAdmin || allowed.has(name)) && version >= (since[name] ?? 0)),
  )
  const states = asked['status'] ? statesOf(asked['status'], version) : undefined
  const wantsDeleted = states?.length === 1 && states[0]!.vmState === 'deleted'
  if (wantsDeleted && !isAdmin) throw new Problem('forbidden', 'Only administrators may list deleted instances')
  checkTimes(asked)
  const conditions = Object.keys(columns)
    .filter((name) => asked[name] !== undefined)
    .map((name) => condition(name, asked[name]!))
  if (fruitless.some((name) => asked[name] !== undefined)) conditions.push(nothing)
  if (all) {
    const project = asked['project_id'] ?? asked['tenant_id']
    if (project) conditions.push({ column: 'project_id', op: '=', values: project })
  }
  const list = (name: string) =>
    (asked[name] ?? [])
      .slice(-1)
      .flatMap((text) => text.split(','))
      .filter((tag) => tag !== '')
  return {
    projectId: all ? undefined : caller.projectId,
    userId: all || caller.projectId !== undefined ? undefined : caller.userId,
    conditions: asked['soft_deleted'] && isTrue(asked['soft_deleted'][0]) ? [...conditions, nothing] : conditions,
    states,
    deleted: wantsDeleted ? true : deletedOf(asked),
    ids: await idsByAddress(asked, network),
    tags: { all: list('tags'), any: list('tags-any'), notAll: list('not-tags'), notAny: list('not-tags-any') },
  }
}

function isAllTenants(text: string): boolean {
  if (/^(1|t|true|on|y|yes)$/i.test(text)) return true
  if (/^(0|f|false|off|n|no)$/i.test(text)) return false
  throw new Problem(
    'invalid',
    `Unrecognized value '${text}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'`,
  )
}

function deletedOf(asked: Query): boolean | undefined {
  if (asked['deleted']) return isTrue(asked['deleted'].at(-1))
  return asked['changes-since'] || asked['changes-before'] ? undefined : false
}

function checkTimes(asked: Query): void {
  const [from, to] = [asked['changes-since']?.at(-1), asked['changes-before']?.at(-1)]
  if (from === undefined || to === undefined) return
  if (timeOf('changes-before', to) < timeOf('changes-since', from))
    throw new Problem('invalid', 'The value of changes-since must be less than or equal to changes-before.')
}

async function idsByAddress(asked: Query, network: Network): Promise<string[] | undefined> {
  const find = (name: 'ip' | 'ip6', version: 4 | 6) =>
    asked[name] ? network.ownersByAddress({ pattern: asked[name].at(-1)!, version }) : undefined
  const [four, six] = [await find('ip', 4), await find('ip6', 6)]
  if (!four || !six) return four ?? six
  // Either address will do.
  return [...new Set([...four, ...six])]
}

/** The order asked for, without the keys that old clients may still name. */
export function sortsIn({ query, version, can }: Pick<Ask, 'query' | 'version' | 'can'>): Query {
  const keys = (query['sort_key'] ?? []).map((key) => key.trim())
  const isIgnored = (key: string) => version < 75 && (ignoredSortKeys.includes(key) || (key === 'locked' && version < 73))
  const unknown = keys.find((key) => !isIgnored(key) && serverListing.sorts[key] === undefined)
  if (unknown !== undefined)
    throw new Problem(
      'invalid',
      `Invalid input for query parameters ${0}. Value: ${unknown}. '${unknown}' is not one of the sort keys`,
    )
  for (const key of ['host', 'node'])
    if (keys.includes(key) && !can('context_is_admin'))
      throw new Problem('forbidden', `Only administrators can sort servers by ${key}`)
  const { sort_key: _key, sort_dir: _dir, sort: _sort, ...rest } = query
  const dirs = query['sort_dir'] ?? []
  const pairs = keys.map((key, at): [string, string] => [key, dirs[at] ?? 'desc']).filter(([key]) => !isIgnored(key))
  if (pairs.length === 0) return rest
  return { ...rest, sort_key: pairs.map(([key]) => key), sort_dir: pairs.map(([, dir]) => dir) }
}
