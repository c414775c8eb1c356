import type { Row } from '../../output.ts'
import { pyJson } from '../../python.ts'
import type { Option, Positional } from '../arguments.ts'

/** A kind of thing the network API has: how it is asked for, shown and made. */
export type Noun = {
  /** As the API names one in a body, and the client in its messages. */
  name: string
  plural: string
  path: string
  /** As the client calls it in messages, where that is not the API's name. */
  called?: string
  /** Columns of a list; all that come when there are none. */
  columns?: readonly string[]
  /** How a table shows a cell; other forms show what the API gave. */
  cells?: Record<string, (row: Row) => string>
  /** False: only ids are understood. */
  hasNames?: boolean
  /** Indent of JSON within a table's cell. */
  indent?: number
  filters?: readonly Option[]
  create?: { positionals: readonly Positional[]; options: readonly Option[] }
  update?: { options: readonly Option[] }
}

export const lines =
  (key: string, show: (item: unknown) => string = pyJson) =>
  (row: Row) =>
    Array.isArray(row[key]) ? row[key].map((item) => show(item)).join('\n') : ''

export const plain = (name: string, path: string, columns: string[], more: Partial<Noun> = {}): Noun => ({
  name,
  plural: `${name}s`,
  path,
  columns,
  ...more,
})
