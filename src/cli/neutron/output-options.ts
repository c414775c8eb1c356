import type { Shape } from '../output.ts'
import { listFormats, oneFormats } from '../output.ts'
import type { Option, Values } from './arguments.ts'

const column = {
  flag: '--column',
  short: '-c',
  key: 'shape:columns',
  kind: 'many',
  metavar: 'COLUMN',
  help: 'a column to show; may be repeated',
} as const
const table: Option[] = [
  { flag: '--max-width', key: 'shape:maxWidth', kind: 'integer', metavar: '<integer>', help: 'widest line of a table' },
  { flag: '--fit-width', key: 'shape:fitWidth', kind: 'set', help: 'fit the table to the terminal' },
  { flag: '--print-empty', key: 'shape:printEmpty', kind: 'set', help: 'print a table without rows too' },
  { flag: '--noindent', key: 'shape:noindent', kind: 'set', help: 'JSON on one line' },
]
const format = (choices: string[]): Option => ({
  flag: '--format',
  short: '-f',
  key: 'shape:format',
  kind: 'text',
  choices,
  metavar: `{${choices.join(',')}}`,
  help: 'form of the output, default table',
})

export const listOutput: Option[] = [
  format(listFormats),
  column,
  {
    flag: '--quote',
    key: 'shape:quote',
    kind: 'text',
    choices: ['all', 'minimal', 'none', 'nonnumeric'],
    metavar: '{all,minimal,none,nonnumeric}',
    help: 'what csv puts in quotes',
  },
  ...table,
  { flag: '--sort-column', key: 'shape:sortColumns', kind: 'many', metavar: 'SORT_COLUMN', help: 'a column to order by' },
  { flag: '--sort-ascending', key: 'shape:sortDown', kind: 'set', value: false, apart: 'order', help: 'order upwards' },
  { flag: '--sort-descending', key: 'shape:sortDown', kind: 'set', value: true, apart: 'order', help: 'order downwards' },
]

export const oneOutput: Option[] = [
  format(oneFormats),
  column,
  { flag: '--prefix', key: 'shape:prefix', kind: 'text', metavar: 'PREFIX', help: 'put before each name of -f shell' },
  ...table,
]

export const shapeOf = (values: Values, env: NodeJS.ProcessEnv): Shape => ({
  format: (values['shape:format'] as string | undefined) ?? 'table',
  columns: (values['shape:columns'] as string[] | undefined) ?? [],
  quote: (values['shape:quote'] as string | undefined) ?? 'nonnumeric',
  noindent: values['shape:noindent'] === true,
  prefix: (values['shape:prefix'] as string | undefined) ?? '',
  maxWidth: (values['shape:maxWidth'] as number | undefined) ?? Number(env['CLIFF_MAX_TERM_WIDTH'] ?? 0),
  fitWidth: values['shape:fitWidth'] === true || env['CLIFF_FIT_WIDTH'] === '1',
  printEmpty: values['shape:printEmpty'] === true,
  sortColumns: (values['shape:sortColumns'] as string[] | undefined) ?? [],
  sortDown: values['shape:sortDown'] === true,
})
