import { listText, oneText, type Row, type Shape } from '../output.ts'
import { pyJson, pyText } from '../python.ts'
import { type Query, Refused, type Session } from '../session.ts'
import type { Syntax, Values } from './arguments.ts'
import type { Noun } from './nouns/noun.ts'
import { nounOf } from './nouns/nouns.ts'

/** What a command has to work with. */
export type Ask = {
  values: Values
  /** Fields of the API the client has no name for. */
  extra: Values
  shape: Shape
  cloud: Cloud
  say(text: string): void
  /** Beside the answer, on the other stream. */
  warn(text: string): void
}

export type Command = {
  summary: string
  syntax: Syntax
  /** Fields of the API may be given that it has no name for. */
  isOpen?: boolean
  run(ask: Ask): Promise<void>
}

/** The network API in one user's project. */
export type Cloud = {
  session(): Promise<Session>
  call<T>(method: string, path: string, ask?: { query?: Query; body?: unknown }): Promise<T>
}

type Listed = Record<string, Row[]>

export const calledOf = (noun: Noun) => noun.called ?? noun.name

/** Everything a list has, whatever its pages. */
export async function listAll(cloud: Cloud, noun: Noun, query: Query, path = noun.path): Promise<Row[]> {
  const rows: Row[] = []
  let marker: string | undefined
  do {
    const page = await cloud.call<Listed & Record<string, unknown>>('GET', path, {
      query: { ...query, ...(marker && { marker }) },
    })
    const items = page[noun.plural] ?? []
    rows.push(...items)
    const links = (page[`${noun.plural}_links`] ?? []) as unknown as { rel: string }[]
    marker = links.some(({ rel }) => rel === 'next') ? String(items.at(-1)?.['id'] ?? '') : undefined
  } while (marker)
  return rows
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The thing of this id, else the only one of this name. Throws Refused 404, or an Error when several have the name. */
export async function find(cloud: Cloud, noun: Noun, word: string, query: Query = { fields: 'id' }): Promise<Row> {
  // A cloud that has no such things has none of this name either.
  const listed = (filter: Query) =>
    listAll(cloud, noun, { ...filter, ...query }).catch((error) => {
      if (error instanceof Refused && error.status === 404) return []
      throw error
    })
  if (uuid.test(word)) {
    const [byId] = await listed({ id: word })
    if (byId) return byId
  }
  const byName = noun.hasNames === false ? [] : await listed({ name: word })
  if (byName.length === 1) return byName[0]!
  if (byName.length > 1) throw new Several(noun.name, word)
  const by = noun.hasNames === false ? 'id' : 'name or id'
  throw new Missing(noun, word, `Unable to find ${noun.name} with ${by} '${word}'`)
}

export class Several extends Error {
  constructor(name: string, word: string) {
    super(`Multiple ${name} matches found for name '${word}', use an ID to be more specific.`)
  }
}

/** Nothing has this name or id. */
export class Missing extends Refused {
  readonly noun: Noun
  readonly word: string

  constructor(noun: Noun, word: string, message: string) {
    super(404, message)
    this.noun = noun
    this.word = word
  }
}

export const idOf = async (cloud: Cloud, noun: Noun, word: string): Promise<string> =>
  String((await find(cloud, noun, word))['id'])

/** Values of options and words as fields of the API; names of things become ids. */
export async function bodyOf(cloud: Cloud, { positionals, options }: Syntax, values: Values): Promise<Row> {
  const body: Row = {}
  for (const spec of [...positionals, ...options]) {
    const field = spec.field ?? spec.key
    const value = values[spec.key]
    if (field === '' || field.startsWith('shape:') || value === undefined || field in body) continue
    body[field] = spec.of === undefined || value === null ? value : await resolved(cloud, nounOf(spec.of), value)
  }
  return body
}

const resolved = async (cloud: Cloud, noun: Noun, value: unknown): Promise<unknown> => {
  if (!Array.isArray(value)) return idOf(cloud, noun, String(value))
  const ids = []
  for (const word of value) ids.push(await idOf(cloud, noun, String(word)))
  return ids
}

/** A list given by name and again as an unknown field is one list; else the unknown field wins, as it always did. */
export function withExtra(body: Row, extra: Values): Row {
  const joined = Object.entries(extra).map(([key, value]) => {
    const before = body[key]
    const sameKind = Array.isArray(before) && Array.isArray(value) && typeof before[0] === typeof value[0]
    return [key, sameKind ? [...(before as unknown[]), ...(value as unknown[])] : value]
  })
  return { ...body, ...Object.fromEntries(joined) }
}

/** Prints a thing with its fields in order; a table shows lists a line each, with `indent` what is within in several. */
export async function showOne({ shape, say }: Pick<Ask, 'shape' | 'say'>, row: Row, noun?: Noun, indent?: number): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const cell = (key: string, value: unknown) => {
    const special = key === 'rules' ? noun?.cells?.[key] : undefined
    return special ? special(sorted) : cellOf(value, indent)
  }
  const shown = shape.format === 'table' && noun ? mapValues(sorted, cell) : sorted
  say(await oneText(shown, shape))
}

const mapValues = (row: Row, change: (key: string, value: unknown) => unknown): Row =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [key, change(key, value)]))

function cellOf(value: unknown, indent?: number): unknown {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map((item) => (isPlain(item) ? pyJson(item, indent) : pyText(item))).join('\n')
  return isPlain(value) ? pyJson(value, indent) : value
}

const isPlain = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Prints rows under the noun's columns, those that came; administrators see whose each is. */
export async function showList({ shape, say, cloud }: Ask, rows: Row[], noun: Noun): Promise<void> {
  const columns = await columnsOf(cloud, rows, noun, shape)
  const cells = shape.format === 'table' ? (noun.cells ?? {}) : {}
  const body = rows.map((row) => columns.map((column) => (cells[column] ? cells[column](row) : (row[column] ?? ''))))
  say(await listText(columns, body, { ...shape, columns: columns.length === 0 && rows.length > 0 ? shape.columns : [] }))
}

async function columnsOf(cloud: Cloud, rows: Row[], noun: Noun, shape: Shape): Promise<string[]> {
  const there = Object.keys(rows[0] ?? {}).toSorted()
  if (there.length === 0) return []
  if (shape.columns.length > 0) return shape.columns.filter((column) => there.includes(column))
  if (!noun.columns) return there
  const shown = noun.columns.filter((column) => there.includes(column))
  if (!there.includes('tenant_id') || !(await cloud.session()).roles.includes('admin')) return shown
  return shown.toSpliced(Math.max(shown.indexOf('id'), shown.indexOf('name'), 0) + 1, 0, 'tenant_id')
}
