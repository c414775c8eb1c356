import type { Row } from '../output.ts'
import { Refused } from '../session.ts'
import type { Option, Syntax } from './arguments.ts'
import {
  type Ask,
  bodyOf,
  type Cloud,
  type Command,
  calledOf,
  find,
  idOf,
  listAll,
  Several,
  showList,
  showOne,
  withExtra,
} from './command.ts'
import { Unclear } from './extra.ts'
import type { Noun } from './nouns/noun.ts'
import { listOutput, oneOutput } from './output-options.ts'

const details: Option[] = [
  { flag: '--show-details', short: '-D', hasOldSpelling: true, key: 'verbose', field: '', kind: 'set', help: 'show more' },
  {
    flag: '--field',
    short: '-F',
    key: 'fields',
    field: '',
    kind: 'many',
    metavar: 'FIELD',
    help: 'a field to ask for; may be repeated',
  },
  { flag: '--fields', key: 'fields', field: '', kind: 'many' },
]
const paging: Option[] = [
  {
    flag: '--page-size',
    short: '-P',
    key: 'limit',
    field: '',
    kind: 'integer',
    metavar: 'SIZE',
    help: 'how many to ask for at once',
  },
  {
    flag: '--sort-key',
    key: 'sort_key',
    field: '',
    kind: 'many',
    metavar: 'FIELD',
    help: 'a field to order by; may be repeated',
  },
  {
    flag: '--sort-dir',
    key: 'sort_dir',
    field: '',
    kind: 'many',
    choices: ['asc', 'desc'],
    metavar: '{asc,desc}',
    help: 'direction of the order; may be repeated',
  },
]
const owner: Option = {
  flag: '--tenant-id',
  hasOldSpelling: true,
  key: 'tenant_id',
  kind: 'text',
  metavar: 'TENANT_ID',
  help: 'id of the project it is for',
}

/** What a list's query is, from the options of paging and the noun's filters. */
export function queryOf(
  { values, extra }: Pick<Ask, 'values' | 'extra'>,
  filters: readonly Option[] = [],
): Record<string, string | string[]> {
  const keys = (values['sort_key'] as string[] | undefined) ?? []
  const directions = keys.map((_, at) => (values['sort_dir'] as string[] | undefined)?.[at] ?? 'asc')
  const given = Object.fromEntries(filters.map((option) => [option.field ?? option.key, values[option.key]]))
  const all = {
    fields: values['fields'],
    verbose: values['verbose'] === true ? 'True' : undefined,
    ...given,
    ...extra,
    limit: values['limit'],
    sort_key: keys.length > 0 ? keys : undefined,
    sort_dir: keys.length > 0 ? directions : undefined,
  }
  const said = (value: unknown) => (value === true ? 'True' : String(value))
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [[key, Array.isArray(value) ? value.map(said) : said(value)]],
    ),
  )
}

type ListOptions = {
  summary: string
  more?: Partial<Syntax>
  /** Where the rows come from, when not from the noun's own path. */
  path?(ask: Ask): Promise<string>
  query?: (ask: Ask) => Promise<Record<string, string>>
  /** Adds what the client shows besides. */
  extend?(rows: Row[], ask: Ask): Promise<Row[]>
  isOpen?: boolean
}

export const listCommand = (noun: Noun, { summary, more, path, query, extend, isOpen = true }: ListOptions): Command => ({
  summary,
  isOpen,
  syntax: {
    positionals: more?.positionals ?? [],
    options: [...listOutput, ...details, ...paging, ...(noun.filters ?? []), ...(more?.options ?? [])],
  },
  async run(ask) {
    const asked = { ...queryOf(ask, noun.filters), ...(await query?.(ask)) }
    const rows = await listAll(ask.cloud, noun, asked, await path?.(ask))
    await showList(ask, extend ? await extend(rows, ask) : rows, noun)
  },
})

const idWord = (noun: Noun) => ({
  key: 'id',
  metavar: noun.name.toUpperCase(),
  help: noun.hasNames === false ? 'its id' : 'its name or id',
})

export const showCommand = (noun: Noun): Command => ({
  summary: `Show a ${words(noun)}.`,
  syntax: { positionals: [idWord(noun)], options: [...oneOutput, ...details] },
  async run(ask) {
    const { cloud, values } = ask
    const id = noun.hasNames === false ? String(values['id']) : await idOf(cloud, noun, String(values['id']))
    const query = queryOf({ values, extra: {} })
    const found = (await cloud.call<Record<string, Row>>('GET', at(noun, id), { query }))[noun.name]
    await showOne(ask, found ?? {}, noun, noun.indent)
  },
})

type CreateOptions = {
  /** Changes the body before it is sent, and throws what the client knows to be wrong. */
  finish?(body: Row, ask: Ask): Promise<Row>
}

export function createCommand(noun: Noun, { finish }: CreateOptions = {}): Command {
  const { positionals = [], options = [] } = noun.create ?? {}
  const syntax: Syntax = { positionals, options: [...oneOutput, owner, ...options] }
  return {
    summary: `Create a ${words(noun)}.`,
    isOpen: true,
    syntax,
    async run(ask) {
      const said = await bodyOf(ask.cloud, syntax, ask.values)
      const body = withExtra(finish ? await finish(said, ask) : said, ask.extra)
      const made = (await ask.cloud.call<Record<string, Row>>('POST', noun.path, { body: { [noun.name]: body } }))[noun.name]
      if (made && ask.shape.format === 'table') ask.say(`Created a new ${noun.name}:\n`)
      await showOne(ask, made ?? { '': '' }, noun)
    },
  }
}

export function updateCommand(noun: Noun, { finish }: CreateOptions = {}): Command {
  const syntax: Syntax = { positionals: [{ ...idWord(noun), field: '' }], options: noun.update?.options ?? [] }
  return {
    summary: `Change a ${words(noun)}.`,
    isOpen: true,
    syntax,
    async run(ask) {
      const said = await bodyOf(ask.cloud, syntax, ask.values)
      const body = withExtra(finish ? await finish(said, ask) : said, ask.extra)
      if (Object.keys(body).length === 0) throw new Unclear(`Must specify new values to update ${calledOf(noun)}`)
      const word = String(ask.values['id'])
      const id = await idOf(ask.cloud, noun, word)
      await ask.cloud.call('PUT', at(noun, id), { body: { [noun.name]: body } })
      ask.say(`Updated ${noun.name}: ${word}\n`)
    },
  }
}

export const deleteCommand = (noun: Noun): Command => ({
  summary: `Delete one or more ${words(noun)}s.`,
  syntax: { positionals: [{ ...idWord(noun), many: 'more' }], options: [] },
  async run({ cloud, values, say }) {
    const outcome: Record<'deleted' | 'missing' | 'several', string[]> = { deleted: [], missing: [], several: [] }
    for (const word of values['id'] as string[]) outcome[await remove(cloud, noun, word)].push(word)
    const called = calledOf(noun)
    if (outcome.deleted.length > 0) say(`Deleted ${called}(s): ${outcome.deleted.join(', ')}\n`)
    const troubles = [
      ...(outcome.missing.length > 0 ? [`Unable to find ${called}(s) with id(s) '${outcome.missing.join(', ')}'.`] : []),
      ...(outcome.several.length > 0
        ? [
            `Multiple ${called}(s) matches found for name(s) '${outcome.several.join(', ')}'. Please use an ID to be more specific.`,
          ]
        : []),
    ]
    if (troubles.length > 0) throw new Error(troubles.join('\n'))
  },
})

async function remove(cloud: Cloud, noun: Noun, word: string): Promise<'deleted' | 'missing' | 'several'> {
  try {
    const id = noun.hasNames === false ? word : String((await find(cloud, noun, word))['id'])
    await cloud.call('DELETE', at(noun, id))
    return 'deleted'
  } catch (error) {
    if (error instanceof Several) return 'several'
    if (error instanceof Refused && error.status === 404) return 'missing'
    throw error
  }
}

export const at = (noun: Noun, id: string) => `${noun.path}/${encodeURIComponent(id)}`
export const words = (noun: Noun) => calledOf(noun).replaceAll('_', ' ')
