import { type ReferenceExpression, type SelectQueryBuilder, sql } from 'kysely'
import { Problem } from '../errors.ts'
import type { Query } from '../http/endpoint.ts'

/** `pattern`: text as SQL's LIKE takes it, with a backslash before what is meant literally; case does not count. */
export type FilterOp = '=' | '!=' | '>=' | '<=' | '>' | '<' | 'like' | 'prefix' | 'suffix' | 'pattern' | 'bit'

export type Filter<Column extends string> = {
  column: Column
  op?: FilterOp /** Text of the query to value of the column; undefined matches nothing. */
  value?: (text: string) => string | number | undefined
}

/** What may be asked of a list, and on which column: SQL does the rest, the same on both databases. */
export type Listing<Column extends string> = {
  filters: Record<string, Filter<Column>>
  /** Sort keys by their wire names. Sorted columns are never null. */
  sorts: Record<string, Column>
  defaultSort: [Column, 'asc' | 'desc'][]
  /** Unique, ends every order, and is what markers name. */
  key: Column
  /** Default 1000: also what a list without `limit` gets. */
  maxLimit?: number
}

export const listing = <Column extends string>(definition: Listing<Column>): Listing<Column> => definition

export type PageAsk<Column extends string> = {
  filters: { column: Column; op: FilterOp; values: (string | number)[] }[]
  sorts: [Column, 'asc' | 'desc'][]
  limit: number
  marker: string | undefined
  /** Backwards from the marker (Neutron's page_reverse). */
  reverse: boolean
}

export type ListingStyle = {
  /** Throw invalid on an unknown sort key (Glance, Neutron, Nova) or ignore it. */
  strictSort?: boolean
  /** A limit above the maximum: cut (default) or 400. */
  strictLimit?: boolean
  reverse?: boolean
}

/** Reads `limit`, `marker`, `sort_key` and `sort_dir` (repeated or comma separated), `sort=key:dir`, and the listing's own filters. */
export function pageAsk<Column extends string>(shape: Listing<Column>, query: Query, style: ListingStyle = {}): PageAsk<Column> {
  const max = shape.maxLimit ?? 1000
  return {
    filters: Object.entries(shape.filters).flatMap(([name, filter]) => {
      const asked = query[name]
      if (asked === undefined) return []
      const values = asked.map((text) => (filter.value ? filter.value(text) : text))
      return [{ column: filter.column, op: filter.op ?? '=', values: values.filter((value) => value !== undefined) }]
    }),
    sorts: sortsOf(shape, query, style),
    limit: limitOf(query['limit']?.at(-1), max, style),
    marker: query['marker']?.at(-1) || undefined,
    reverse: (style.reverse ?? false) && query['page_reverse']?.at(-1)?.toLowerCase() === 'true',
  }
}

function limitOf(text: string | undefined, max: number, style: ListingStyle): number {
  if (text === undefined) return max
  if (!/^\d+$/.test(text))
    throw new Problem('invalid', `Invalid input for limit. Value: ${text}. limit must be an integer that is not negative`)
  const limit = Number(text)
  if (limit > max && style.strictLimit) throw new Problem('invalid', `limit must be at most ${max}`)
  return Math.min(limit, max)
}

function sortsOf<Column extends string>(shape: Listing<Column>, query: Query, style: ListingStyle): [Column, 'asc' | 'desc'][] {
  const split = (values: string[] | undefined) => (values ?? []).flatMap((text) => text.split(',')).filter((text) => text !== '')
  const pairs = query['sort']
    ? split(query['sort']).map((text) => text.split(':') as [string, string | undefined])
    : split(query['sort_key']).map((key, at): [string, string | undefined] => [
        key,
        split(query['sort_dir'])[at] ?? split(query['sort_dir']).at(-1),
      ])
  const sorts = pairs.flatMap(([key, dir = 'asc']): [Column, 'asc' | 'desc'][] => {
    const column = shape.sorts[key]
    if (dir !== 'asc' && dir !== 'desc') throw new Problem('invalid', `Unknown sort direction, must be one of: asc, desc`)
    if (column === undefined) {
      if (style.strictSort === false) return []
      throw new Problem('invalid', `Sort key ${key} is not valid.`)
    }
    return [[column, dir]]
  })
  return sorts.length > 0 ? sorts : shape.defaultSort
}

/**
 * Filters, order and page of a query. Gives at most `limit` rows after the marker, and whether there are more.
 * Throws invalid when the marker names no row that the query without filters would find.
 */
export async function page<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  shape: Listing<string>,
  ask: PageAsk<string>,
): Promise<{ rows: O[]; more: boolean }> {
  if (ask.limit === 0) return { rows: [], more: false }
  const ref = (column: string) => column as ReferenceExpression<DB, TB>
  let found = query
  for (const { column, op, values } of ask.filters)
    found = found.where((eb) => eb.or(values.map((value) => compare(eb as never, column, op, value) as never)))
  const sorts: [string, 'asc' | 'desc'][] = ask.sorts.some(([column]) => column === shape.key)
    ? ask.sorts
    : [...ask.sorts, [shape.key, 'asc']]
  const directed = sorts.map(([column, dir]): [string, 'asc' | 'desc'] => [
    column,
    ask.reverse ? (dir === 'asc' ? 'desc' : 'asc') : dir,
  ])
  if (ask.marker !== undefined) {
    const marker = (await query.where(ref(shape.key), '=', ask.marker as never).executeTakeFirst()) as
      | Record<string, unknown>
      | undefined
    if (!marker) throw new Problem('invalid', `marker [${ask.marker}] not found`, { code: 'marker' })
    found = found.where(() => after(directed, marker) as never)
  }
  for (const [column, dir] of directed) found = found.orderBy(ref(column) as never, dir)
  const rows = await found.limit(ask.limit + 1).execute()
  const more = rows.length > ask.limit
  const kept = rows.slice(0, ask.limit)
  return { rows: ask.reverse ? kept.reverse() : kept, more }
}

const bare = (column: string) => column.split('.').at(-1)!

/** Rows after the marker: (a > x) or (a = x and b > y) or … */
function after(sorts: [string, 'asc' | 'desc'][], marker: Record<string, unknown>) {
  const parts = sorts.map(([column, dir], at) => {
    const equal = sorts.slice(0, at).map(([name]) => sql`${sql.ref(name)} = ${marker[bare(name)]}`)
    const beyond = sql`${sql.ref(column)} ${sql.raw(dir === 'asc' ? '>' : '<')} ${marker[bare(column)]}`
    return sql`(${sql.join([...equal, beyond], sql` and `)})`
  })
  return sql<boolean>`(${sql.join(parts, sql` or `)})`
}

type Compare = (column: string, op: string, value: unknown) => unknown

function compare(eb: Compare, column: string, op: FilterOp, value: string | number): unknown {
  if (op === 'like') return eb(column, 'like', `%${escapeLike(String(value))}%`)
  if (op === 'pattern') return sql`lower(${sql.ref(column)}) like ${String(value).toLowerCase()} escape '\\'`
  if (op === 'prefix') return eb(column, 'like', `${escapeLike(String(value))}%`)
  if (op === 'suffix') return eb(column, 'like', `%${escapeLike(String(value))}`)
  if (op === 'bit') return eb(column, '=', /^(true|1|yes|on|t|y)$/i.test(String(value)) ? 1 : 0)
  return eb(column, op, value)
}

const escapeLike = (text: string): string => text.replace(/[%_]/g, '')
