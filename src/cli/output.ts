import { pyJson, pyText } from './python.ts'
import { type Align, fittingWidths, tableLines, widthOf } from './table.ts'

export type Row = Record<string, unknown>

/** What the options of output said. */
export type Shape = {
  format: string
  columns: string[]
  quote: string
  noindent: boolean
  prefix: string
  maxWidth: number
  fitWidth: boolean
  printEmpty: boolean
  sortColumns: string[]
  sortDown: boolean
}

export const listFormats = ['csv', 'json', 'table', 'value', 'yaml']
export const oneFormats = ['json', 'shell', 'table', 'value', 'yaml']

/** Rows under these columns. Throws when none of the columns asked for is there. */
export async function listText(columns: string[], rows: unknown[][], shape: Shape): Promise<string> {
  const kept = pick(columns, shape)
  const cells = sorted(columns, rows, shape).map((row) => kept.map((at) => row[at]))
  const names = kept.map((at) => columns[at]!)
  switch (shape.format) {
    case 'json':
      return `${jsonOf(
        cells.map((row) => toObject(names, row)),
        shape,
      )}\n`
    case 'csv':
      return [names, ...cells].map((row) => `${row.map((cell) => csvCell(cell, shape.quote)).join(',')}\n`).join('')
    case 'value':
      return cells.map((row) => `${row.map(pyText).join(' ')}\n`).join('')
    case 'yaml':
      return yamlOf(cells.map((row) => toObject(names, row)))
    default:
      return tableText(names, cells, shape)
  }
}

/** One thing, a line a field. */
export async function oneText(fields: Row, shape: Shape): Promise<string> {
  const names = Object.keys(fields)
  const kept = pick(names, shape).map((at) => names[at]!)
  switch (shape.format) {
    case 'json':
      return `${jsonOf(
        toObject(
          kept,
          kept.map((name) => fields[name]),
        ),
        shape,
      )}\n`
    case 'value':
      return kept.map((name) => `${pyText(fields[name])}\n`).join('')
    case 'yaml':
      return yamlOf(
        toObject(
          kept,
          kept.map((name) => fields[name]),
        ),
      )
    case 'shell':
      return kept.map((name) => `${shape.prefix}${shellName(name)}="${pyText(fields[name]).replaceAll('"', '\\"')}"\n`).join('')
    default: {
      const rows = kept.map((name) => [name, cellText(fields[name])])
      return rows.length === 0 ? '\n' : `${fitted(['Field', 'Value'], rows, [], shape, 16).join('\n')}\n`
    }
  }
}

const shellName = (name: string) => name.toLowerCase().replace(/[ :-]/g, '_')
const toObject = (names: string[], row: unknown[]): Row => Object.fromEntries(names.map((name, at) => [name, row[at]]))
const jsonOf = (value: unknown, shape: Shape) => pyJson(value, shape.noindent ? undefined : 2)
const cellText = (value: unknown) => pyText(value).replaceAll('\r\n', '\n').replaceAll('\r', ' ')

function pick(columns: string[], { columns: wanted }: Shape): number[] {
  if (wanted.length === 0) return columns.map((_, at) => at)
  const kept = columns.flatMap((column, at) => (wanted.includes(column) ? [at] : []))
  if (kept.length > 0) return kept
  throw new Error(`No recognized column names in ${pyText(wanted)}. Recognized columns are ${pyText(columns)}.`)
}

function tableText(names: string[], rows: unknown[][], shape: Shape): string {
  if (rows.length === 0 && !shape.printEmpty) return '\n'
  const align = (rows[0] ?? []).map((value): Align => (typeof value === 'number' ? 'right' : 'left'))
  return `${fitted(
    names,
    rows.map((row) => row.map(cellText)),
    align,
    shape,
    8,
  ).join('\n')}\n`
}

function fitted(header: string[], rows: string[][], align: Align[], shape: Shape, least: number): string[] {
  const total = shape.maxWidth > 0 ? shape.maxWidth : shape.fitWidth ? (process.stdout.columns ?? 0) : 0
  if (total <= 0) return tableLines(header, rows, align)
  const natural = header.map((_, at) => Math.max(...[header, ...rows].flatMap((row) => row[at]!.split('\n').map(widthOf))))
  return tableLines(header, rows, align, fittingWidths(natural, total, least))
}

function sorted(columns: string[], rows: unknown[][], { sortColumns, sortDown }: Shape): unknown[][] {
  const keys = sortColumns.map((name) => columns.indexOf(name)).filter((at) => at >= 0)
  const order = (a: unknown, b: unknown) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b
    const [left, right] = [pyText(a), pyText(b)]
    return left < right ? -1 : left > right ? 1 : 0
  }
  return rows.toSorted((a, b) => keys.reduce((found, at) => found || order(a[at], b[at]), 0) * (sortDown ? -1 : 1))
}

function csvCell(value: unknown, quote: string): string {
  const text = value === null || value === undefined ? '' : pyText(value)
  const isNumber = typeof value === 'number' || typeof value === 'boolean'
  if (quote === 'none') return text.replace(/[\\,"\n]/g, (found) => `\\${found}`)
  const needed = quote === 'all' || (quote === 'nonnumeric' ? !isNumber : /[,"\r\n]/.test(text))
  return needed ? `"${text.replaceAll('"', '""')}"` : text
}

async function yamlOf(value: unknown): Promise<string> {
  // Loaded only when asked for: it costs more than everything else here.
  const { stringify } = await import('yaml')
  // Version 1.1, as PyYAML writes it, quotes what looks like a time or a yes.
  return stringify(value, { version: '1.1', sortMapEntries: true, lineWidth: 0, singleQuote: true, indentSeq: false })
}
