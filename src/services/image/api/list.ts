import { type Micros, parseTime, second } from '../../../kit/clock.ts'
import { type FilterOp, type Listing, listing, type PageAsk, pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Query } from '../../../kit/http/endpoint.ts'
import type { MemberStatus } from '../domain/image.ts'
import type { ListFilter } from '../domain/images.ts'

type Column = 'id' | 'name' | 'status' | 'disk_format' | 'container_format' | 'size_bytes' | 'created_at' | 'updated_at'

export const imageListing: Listing<string> = listing<Column>({
  filters: {},
  sorts: {
    id: 'id',
    name: 'name',
    status: 'status',
    disk_format: 'disk_format',
    container_format: 'container_format',
    size: 'size_bytes',
    created_at: 'created_at',
    updated_at: 'updated_at',
  },
  defaultSort: [
    ['created_at', 'desc'],
    ['id', 'desc'],
  ],
  key: 'id',
  maxLimit: 1000,
}) as Listing<string>

/** Glance's own default when no limit is asked for. */
const usualLimit = 25

const paging = new Set([
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'member_status',
  'visibility',
  'owner',
  'os_hidden',
  'tag',
])
const texts: Record<string, string> = {
  id: 'id',
  name: 'name',
  status: 'status',
  disk_format: 'disk_format',
  container_format: 'container_format',
  checksum: 'md5',
  os_hash_value: 'sha512',
}
const numbers: Record<string, [column: string, op: FilterOp]> = {
  size: ['size_bytes', '='],
  size_min: ['size_bytes', '>='],
  size_max: ['size_bytes', '<='],
  min_ram: ['min_ram_mb', '='],
  min_disk: ['min_disk_gb', '='],
  virtual_size: ['virtual_size_bytes', '='],
}
const times: Record<string, 'created_at' | 'updated_at'> = { created_at: 'created_at', updated_at: 'updated_at' }

const invalid = (message: string) => new Problem('invalid', message)

export type ListAsk = { filter: ListFilter; page: PageAsk<string> }

/** What a list was asked for. Throws invalid; a name that is no attribute filters by custom property. */
export function readList(query: Query): ListAsk {
  const page = pageAsk(imageListing, { limit: [String(usualLimit)], ...sorted(query) })
  const properties: Record<string, string> = {}
  for (const [name, values] of Object.entries(query)) {
    if (paging.has(name)) continue
    const value = values.at(-1)!
    const found = attributeFilters(name, value)
    if (found) page.filters.push(...found)
    else properties[name] = value
  }
  return { filter: { ...listFilter(query, properties), notWithin: othersThan(query) }, page }
}

/** Without a direction everything is in descending order; two ways of saying it cannot be mixed. */
function sorted(query: Query): Query {
  const { sort, sort_key: keys = [], sort_dir: dirs = ['desc'] } = query
  if (sort && (query['sort_key'] || query['sort_dir'])) throw invalid('Old and new sorting syntax cannot be combined')
  if (dirs.length > 1 && dirs.length !== keys.length) throw invalid('Number of sort dirs does not match the number of sort keys')
  if (!sort) return keys.length === 0 ? { ...query, sort: dirs.map((dir) => `created_at:${dir}`) } : { ...query, sort_dir: dirs }
  const whole = sort.flatMap((text) => text.split(',')).map((part) => (part.includes(':') ? part : `${part}:desc`))
  return { ...query, sort: whole }
}

function listFilter(query: Query, properties: Record<string, string>): Omit<ListFilter, 'notWithin'> {
  const visibility = query['visibility']?.at(-1)
  if (visibility !== undefined && !['public', 'private', 'shared', 'community', 'all'].includes(visibility))
    throw invalid(`Invalid visibility value: ${visibility}`)
  const memberStatus = query['member_status']?.at(-1) ?? 'accepted'
  if (!['all', 'accepted', 'pending', 'rejected'].includes(memberStatus)) throw invalid(`Invalid status: ${memberStatus}`)
  const hidden = query['os_hidden']?.at(-1) ?? 'false'
  if (!/^(true|false)$/i.test(hidden)) throw invalid(`Invalid value for os_hidden: ${hidden}`)
  const owner = query['owner']?.at(-1)
  return {
    memberStatus: memberStatus as MemberStatus | 'all',
    hidden: hidden.toLowerCase() === 'true',
    tags: query['tag'] ?? [],
    properties,
    ...(visibility === undefined ? {} : { visibility }),
    ...(owner === undefined ? {} : { owner }),
  }
}

type Filters = PageAsk<string>['filters']

/** Undefined: it is no attribute. */
function attributeFilters(name: string, value: string): Filters | undefined {
  if (name === 'changes-since') throw invalid('The "changes-since" filter is no longer available on v2.')
  if (name === 'protected') return [{ column: 'protected', op: 'bit', values: [value] }]
  const column = texts[name]
  if (column !== undefined) return [{ column, op: '=', values: value.startsWith('in:') ? splitList(value.slice(3)) : [value] }]
  const number = numbers[name]
  if (number) return numberFilters(name, value, ...number)
  return times[name] === undefined ? undefined : timeFilters(times[name], readTime(name, value))
}

/** Of what has no size yet nothing can be said: it is below zero here. */
function numberFilters(name: string, value: string, column: string, op: FilterOp): Filters {
  if (!/^-?\d+$/.test(value)) throw invalid(`Invalid value for ${name}: ${value} is not an integer.`)
  return [
    { column, op, values: [Number(value)] },
    { column, op: '>=', values: [0] },
  ]
}

const readTime = (name: string, value: string): { comparison: string; at: Micros } => {
  const [, comparison = 'eq', text = ''] = /^(?:(gt|gte|lt|lte|eq|neq):)?(.*)$/.exec(value) ?? []
  const at = parseTime(text)
  if (at === undefined) throw invalid(`Invalid value for ${name}: ${value}`)
  return { comparison, at: Math.floor(at / second) * second }
}

/** Times are shown in whole seconds, so they are compared in whole seconds. */
function timeFilters(column: string, { comparison, at }: { comparison: string; at: Micros }): Filters {
  const from = (micros: Micros): Filters[number] => ({ column, op: '>=', values: [micros] })
  const before = (micros: Micros): Filters[number] => ({ column, op: '<', values: [micros] })
  if (comparison === 'gt') return [from(at + second)]
  if (comparison === 'gte') return [from(at)]
  if (comparison === 'lt') return [before(at)]
  if (comparison === 'lte') return [before(at + second)]
  return comparison === 'eq' ? [from(at), before(at + second)] : []
}

const othersThan = (query: Query): ListFilter['notWithin'] =>
  Object.entries(times).flatMap(([name, column]) => {
    const value = query[name]?.at(-1)
    if (value === undefined) return []
    const { comparison, at } = readTime(name, value)
    return comparison === 'neq' ? [{ column, from: at, until: at + second }] : []
  })

/** `a,b,"c,d"`: a value with a comma stands in quotes. */
function splitList(text: string): string[] {
  const parts = text.match(/"[^"]*"|[^,"]+/g) ?? []
  if (parts.join(',') !== text) throw invalid('Invalid filter value: the quote is not closed or not separated by a comma.')
  return parts.map((part) => part.replace(/^"(.*)"$/, '$1'))
}
