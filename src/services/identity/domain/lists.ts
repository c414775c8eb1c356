import type { Filter, PageAsk } from '../../../kit/db/listing.ts'

const literally = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** A text's filters: exact, and the inexact ones by suffix of the name (`name__contains`, `name__startswith`, …). These never mind case. */
export const textFilters = <Column extends string>(name: string, column: Column): Record<string, Filter<Column>> => {
  const like = (pattern: (text: string) => string): Filter<Column> => ({
    column,
    op: 'pattern',
    value: (text) => pattern(literally(text)),
  })
  const inexact = {
    contains: like((text) => `%${text}%`),
    startswith: like((text) => `${text}%`),
    endswith: like((text) => `%${text}`),
  }
  return {
    [name]: { column },
    ...Object.fromEntries(
      Object.entries(inexact).flatMap(([suffix, filter]) => [
        [`${name}__${suffix}`, filter],
        [`${name}__i${suffix}`, filter],
      ]),
    ),
  }
}

/** Lists are whole unless a limit is asked for. */
export const noLimit = 1_000_000

/** The same list, of one domain only. */
export const within = (ask: PageAsk<string>, domainId: string | undefined): PageAsk<string> =>
  domainId === undefined ? ask : { ...ask, filters: [...ask.filters, { column: 'domain_id', op: '=', values: [domainId] }] }

export type Page<T> = { rows: T[]; more: boolean }

export const mapPage = <From, To>({ rows, more }: Page<From>, to: (row: From) => To): Page<To> => ({ rows: rows.map(to), more })
