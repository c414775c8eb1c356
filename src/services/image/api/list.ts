import { parseTime } from '../../../kit/clock.ts'
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
const times: Record<string, string> = { created_at: 'created_at', updated_at: 'updated_at' }
const comparisons: Record<string, FilterOp> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '!=' }

const invalid = (message: string) => new Problem('invalid', message)

export type ListAsk = { filter: ListFilter; page: PageAsk<string> }

/** What a list was asked for. Throws invalid; a name that is no attribute filters by custom property. */
export function readList(query: Query): ListAsk {
  const page = pageAsk(imageListing, { limit: [String(usualLimit)], ...sorted(query) })
  const properties: Record<string, string> = {}
  for (const [name, values] of Object.entries(query)) {
    if (paging.has(name)) continue
    const value = values.at(-1)!
    const filter = attributeFilter(name, value)
    if (filter) page.filters.push(filter)
    else properties[name] = value
  }
  return { filter: listFilter(query, properties), page }
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

function listFilter(query: Query, properties: Record<string, string>): ListFilter {
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

function attributeFilter(name: string, value: string): PageAsk<string>['filters'][number] | undefined {
  if (name === 'changes-since') throw invalid('The "changes-since" filter is no longer available on v2.')
  if (name === 'protected') return { column: 'protected', op: 'bit', values: [value] }
  const column = texts[name]
  if (column !== undefined) return { column, op: '=', values: value.startsWith('in:') ? splitList(value.slice(3)) : [value] }
  const number = numbers[name]
  if (number) {
    if (!/^-?\d+$/.test(value)) throw invalid(`Invalid value for ${name}: ${value} is not an integer.`)
    return { column: number[0], op: number[1], values: [Number(value)] }
  }
  return times[name] === undefined ? undefined : timeFilter(name, value)
}

function timeFilter(name: string, value: string) {
  const [, comparison = 'eq', text = ''] = /^(?:(gt|gte|lt|lte|eq|neq):)?(.*)$/.exec(value) ?? []
  const at = parseTime(text)
  const op = comparisons[comparison]
  if (at === undefined || op === undefined) throw invalid(`Invalid value for ${name}: ${value}`)
  return { column: times[name]!, op, values: [at] }
}

/** `a,b,"c,d"`: a value with a comma stands in quotes. */
function splitList(text: string): string[] {
  const parts = text.match(/"[^"]*"|[^,"]+/g) ?? []
  if (parts.join(',') !== text) throw invalid('Invalid filter value: the quote is not closed or not separated by a comma.')
  return parts.map((part) => part.replace(/^"(.*)"$/, '$1'))
}
