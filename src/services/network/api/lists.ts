import { type SelectQueryBuilder, sql } from 'kysely'
import { type Filter, type Listing, page, pageAsk } from '../../../kit/db/listing.ts'
import type { Ask, Query } from '../../../kit/http/endpoint.ts'
import type { On } from '../domain/store.ts'
import type { NetworkTables, Standard } from '../tables.ts'
import { changedSince } from './filters.ts'
import { badBody } from './kinds.ts'
import type { Attribute, Condition, Resource } from './resource.ts'

const controls = new Set(['fields', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse', 'changed_since'])
/** Without `limit` everything is given, as neutron does. */
const everything = 1_000_000

const isCondition = (filter: Filter<string> | Condition): filter is Condition => 'where' in filter

function listingOf<Item>(attributes: Record<string, Attribute<Item>>): Listing<string> {
  const entries = Object.entries(attributes)
  const filters = entries.flatMap(([name, { filter }]) => (filter && !isCondition(filter) ? [[name, filter] as const] : []))
  return {
    filters: Object.fromEntries(filters),
    sorts: Object.fromEntries(entries.flatMap(([name, { sort }]) => (sort ? [[name, sort]] : []))),
    defaultSort: [['created_at', 'asc']],
    key: 'id',
    maxLimit: everything,
  }
}

export type Found<Row> = { rows: Row[]; links: { rel: string; href: string }[] }

type AnyRows = SelectQueryBuilder<NetworkTables, 'network_network', Standard>

/** Rows that the caller may know of and asked for, in the order asked for. */
export async function find<Row extends Standard, Item extends Row>(
  on: On,
  resource: Resource<Row, Item>,
  ask: Pick<Ask, 'query' | 'caller' | 'origin' | 'url'>,
  seesAll: boolean,
): Promise<Found<Row>> {
  const { attributes } = resource
  checkNames(resource, ask.query)
  // Every resource's table begins with the same columns: for paging it is as good as any.
  let query = on.selectFrom(resource.table as 'network_network').selectAll() as unknown as AnyRows
  if (!seesAll) query = query.where(resource.visible(ask.caller.projectId ?? ' '))
  for (const [name, values] of Object.entries(ask.query)) {
    const filter = attributes[name]?.filter
    if (filter && isCondition(filter)) query = query.where(filter.where(values))
  }
  for (const condition of [...tagConditions(ask.query, resource.table), ...changedSince(ask.query['changed_since'])])
    query = query.where(condition)
  const limit = Number(ask.query['limit']?.at(-1) ?? 0)
  const asked = limit === 0 ? { ...ask.query, limit: [String(everything)] } : ask.query
  const wanted = pageAsk(listingOf(attributes), checkLimit(asked), { reverse: true })
  const { rows } = await page(query, listingOf(attributes), wanted)
  return { rows: rows as Row[], links: limit === 0 ? [] : linksOf(rows, limit, ask) }
}

function checkLimit(query: Query): Query {
  const limit = query['limit']?.at(-1)
  if (limit !== undefined && !/^\d+$/.test(limit)) throw badBody(`Limit must be an integer 0 or greater and not '${limit}'`)
  return query
}

function checkNames<Row extends Standard, Item extends Row>({ attributes }: Resource<Row, Item>, query: Query): void {
  const unknown = Object.keys(query).filter(
    (name) => !controls.has(name) && !tagFilters.has(name) && attributes[name]?.filter === undefined,
  )
  if (unknown.length > 0) throw badBody(`[${unknown.map((name) => `'${name}'`).join(', ')}] is invalid attribute for filtering`)
}

const tagFilters = new Set(['tags', 'tags-any', 'not-tags', 'not-tags-any'])

/** `tags`: all of them; `tags-any`: one of them; `not-…`: the contrary. */
function tagConditions(query: Query, table: string) {
  const id = sql.ref(`${table}.id`)
  const words = (name: string) => (query[name] ?? []).flatMap((value) => value.split(',')).filter((tag) => tag !== '')
  const any = (tags: string[]) => sql<boolean>`${id} in (select resource_id from network_tag where tag in (${sql.join(tags)}))`
  const all = (tags: string[]) =>
    sql<boolean>`(select count(*) from network_tag t where t.resource_id = ${id} and t.tag in (${sql.join(tags)})) = ${sql.lit(new Set(tags).size)}`
  const not = (condition: ReturnType<typeof any>) => sql<boolean>`not (${condition})`
  const kinds = {
    tags: all,
    'tags-any': any,
    'not-tags': (tags: string[]) => not(all(tags)),
    'not-tags-any': (tags: string[]) => not(any(tags)),
  }
  return Object.entries(kinds).flatMap(([name, condition]) => (words(name).length > 0 ? [condition(words(name))] : []))
}

/** A full page has a next one, maybe; going backwards the same for the previous one. */
function linksOf(rows: Standard[], limit: number, { query, origin, url }: Pick<Ask, 'query' | 'origin' | 'url'>) {
  const reverse = query['page_reverse']?.at(-1)?.toLowerCase() === 'true'
  const short = rows.length < limit
  const href = (marker: string | undefined, backwards: boolean) => {
    const params = new URLSearchParams()
    for (const [name, values] of Object.entries(query))
      if (name !== 'marker' && name !== 'page_reverse') for (const value of values) params.append(name, value)
    if (marker !== undefined) params.set('marker', marker)
    if (backwards) params.set('page_reverse', 'True')
    return `${origin}${url.split('?')[0]}?${params}`
  }
  return [
    ...(short && !reverse ? [] : [{ rel: 'next', href: href(rows.at(-1)?.id, false) }]),
    ...(short && reverse ? [] : [{ rel: 'previous', href: href(rows[0]?.id, true) }]),
  ]
}
