import type { Filter, PageAsk } from '../../../kit/db/listing.ts'

/** A text's filters: exact, and the inexact ones by suffix of the name (`name__contains`, `name__startswith`, …; the `i` ones ignore case). */
export const textFilters = <Column extends string>(name: string, column: Column): Record<string, Filter<Column>> => ({
  [name]: { column },
  [`${name}__contains`]: { column, op: 'like' },
  [`${name}__icontains`]: { column, op: 'like' },
  [`${name}__startswith`]: { column, op: 'prefix' },
  [`${name}__istartswith`]: { column, op: 'prefix' },
  [`${name}__endswith`]: { column, op: 'suffix' },
  [`${name}__iendswith`]: { column, op: 'suffix' },
})

/** Lists are whole unless a limit is asked for. */
export const noLimit = 1_000_000

/** The same list, of one domain only. */
export const within = (ask: PageAsk<string>, domainId: string | undefined): PageAsk<string> =>
  domainId === undefined ? ask : { ...ask, filters: [...ask.filters, { column: 'domain_id', op: '=', values: [domainId] }] }

export type Page<T> = { rows: T[]; more: boolean }

export const mapPage = <From, To>({ rows, more }: Page<From>, to: (row: From) => To): Page<To> => ({ rows: rows.map(to), more })
