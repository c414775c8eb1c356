/** Reads a command's arguments as the original's parser does: what it does not know is kept, for it may be a field of the API. */

export type Option = {
  /** `--tenant-id` */
  flag: string
  short?: string
  /** The spelling with underscores of the first clients is understood too. */
  hasOldSpelling?: boolean
  /** Where the value is kept; also the field of the API it becomes, unless `field` says otherwise. */
  key: string
  /** text: one value; many: may be repeated; set: none; pairs: `a=1,b=2`, may be repeated. */
  kind: 'text' | 'integer' | 'truth' | 'many' | 'set' | 'pairs'
  /** Of kind set: what it means. */
  value?: unknown
  preset?: unknown
  /** The API's field; empty: none. */
  field?: string
  /** The value is the name or id of a thing of this kind. */
  of?: string
  choices?: readonly string[]
  isLowered?: boolean
  isRequired?: boolean
  keys?: { required?: readonly string[]; optional?: readonly string[] }
  /** Of those with the same word only one may be given. */
  apart?: string
  metavar?: string
  help?: string
}

export type Positional = {
  key: string
  metavar: string
  many?: 'optional' | 'more'
  of?: string
  field?: string
  kind?: 'integer'
  choices?: readonly string[]
  help?: string
}

export type Syntax = { positionals: readonly Positional[]; options: readonly Option[] }
export type Values = Record<string, unknown>

/** The command line is not understood: exit code 2. */
export class Misused extends Error {}

/** A word that can only be an option; numbers below zero and words with blanks are values. */
export const isOption = (word: string) =>
  word.startsWith('-') && word !== '-' && !/^-\d+$|^-\d*\.\d+$/.test(word) && !word.includes(' ')

/** Throws Misused with the original's words. */
export function readArguments(words: readonly string[], syntax: Syntax): { values: Values; extra: string[] } {
  const end = words.indexOf('--')
  const known = end < 0 ? words : words.slice(0, end)
  const reading = {
    values: presets(syntax),
    extra: [] as string[],
    left: [...syntax.positionals],
    given: new Map<string, string>(),
  }
  for (let at = 0; at < known.length; )
    at = isOption(known[at]!) ? readOption(known, at, syntax, reading) : readRun(known, at, reading)
  readPositionals([], reading)
  const missing = [
    ...reading.left.filter(({ many }) => many !== 'optional').map(({ metavar }) => metavar),
    ...syntax.options.filter((option) => option.isRequired && !reading.given.has(option.key)).map(({ flag }) => flag),
  ]
  if (missing.length > 0) throw new Misused(`the following arguments are required: ${missing.join(', ')}`)
  return { values: reading.values, extra: [...reading.extra, ...(end < 0 ? [] : words.slice(end + 1))] }
}

type Reading = { values: Values; extra: string[]; left: Positional[]; given: Map<string, string> }

const presets = ({ options }: Syntax): Values =>
  Object.fromEntries(options.flatMap(({ key, preset }) => (preset === undefined ? [] : [[key, preset]])))

function readRun(words: readonly string[], at: number, reading: Reading): number {
  let end = at
  while (end < words.length && !isOption(words[end]!)) end++
  reading.extra.push(...readPositionals(words.slice(at, end), reading))
  return end
}

/** Gives what is over. An optional one that follows directly is done with, given or not: the original has it so. */
function readPositionals(run: string[], reading: Reading): string[] {
  const rest = [...run]
  const starting = rest.length > 0
  while (reading.left.length > 0) {
    const next = reading.left[0]!
    if (rest.length === 0 && (next.many !== 'optional' || !starting)) break
    reading.left.shift()
    if (next.many === 'more') reading.values[next.key] = rest.splice(0)
    else if (rest.length > 0) reading.values[next.key] = readValue(next, next.metavar, rest.shift()!)
  }
  return rest
}

function readOption(words: readonly string[], at: number, syntax: Syntax, reading: Reading): number {
  const word = words[at]!
  const [name, inline] = splitOnce(word)
  const option = findOption(word, name, syntax)
  if (!option) {
    reading.extra.push(word)
    return at + 1
  }
  const other = option.apart === undefined ? undefined : reading.given.get(option.apart)
  if (other !== undefined && other !== option.flag)
    throw new Misused(`argument ${option.flag}: not allowed with argument ${other}`)
  reading.given.set(option.apart ?? option.key, option.flag)
  reading.given.set(option.key, option.flag)
  if (option.kind === 'set') {
    if (inline !== undefined && word !== option.flag)
      throw new Misused(`argument ${option.flag}: ignored explicit argument '${inline}'`)
    reading.values[option.key] = option.value ?? (option.value === null ? null : true)
    return at + 1
  }
  const next = words[at + 1]
  const given = inline ?? (next !== undefined && !isOption(next) ? next : undefined)
  if (given === undefined) throw new Misused(`argument ${spelled(option)}: expected one argument`)
  keep(option, readValue(option, spelled(option), given), reading.values)
  return at + (inline === undefined ? 2 : 1)
}

const spelled = ({ short, flag }: Option) => (short === undefined ? flag : `${short}/${flag}`)

function keep(option: Option, value: unknown, values: Values): void {
  const before = values[option.key]
  values[option.key] =
    option.kind === 'many' || option.kind === 'pairs' ? [...(Array.isArray(before) ? before : []), value] : value
}

const splitOnce = (word: string): [string, string | undefined] => {
  const at = word.startsWith('--') ? word.indexOf('=') : word.length > 2 ? 2 : -1
  if (at < 0) return [word, undefined]
  return [word.slice(0, at), word.slice(word.startsWith('--') ? at + 1 : at)]
}

const spellings = ({ flag, hasOldSpelling }: Option) =>
  hasOldSpelling ? [flag, `--${flag.slice(2).replaceAll('-', '_')}`] : [flag]

/** A whole name, or the beginning of only one. */
function findOption(word: string, name: string, { options }: Syntax): Option | undefined {
  const exact = options.find((option) => option.flag === word || option.short === name || spellings(option).includes(name))
  if (exact || !name.startsWith('--')) return exact
  const begun = options.filter((option) => spellings(option).some((flag) => flag.startsWith(name)))
  if (begun.length > 1) throw new Misused(`ambiguous option: ${word} could match ${begun.map(({ flag }) => flag).join(', ')}`)
  return begun[0]
}

function readValue(spec: Option | Positional, name: string, text: string): unknown {
  const value = 'isLowered' in spec && spec.isLowered ? text.toLowerCase() : text
  const choices = spec.kind === 'truth' ? ['True', 'true', 'False', 'false'] : spec.choices
  if (spec.kind === 'pairs') return readPairs(value, name, spec.keys ?? {})
  if (spec.kind === 'integer' && !/^[+-]?\d+$/.test(value)) throw new Misused(`argument ${name}: invalid int value: '${value}'`)
  if (choices && !choices.includes(value)) {
    const allowed = choices.map((choice) => (spec.kind === 'integer' ? choice : `'${choice}'`)).join(', ')
    throw new Misused(
      `argument ${name}: invalid choice: ${spec.kind === 'integer' ? value : `'${value}'`} (choose from ${allowed})`,
    )
  }
  return spec.kind === 'integer' ? Number(value) : value
}

/** `start=10.0.0.2,end=10.0.0.9`; a comma without a key after it belongs to the value before. */
export function readPairs(text: string, name: string, keys: NonNullable<Option['keys']>): Record<string, string> {
  const wrong = (why: string) => new Misused(`argument ${name}: ${why}`)
  const parts: string[] = []
  for (const part of text === '' ? [] : text.split(',')) {
    if (part.includes('=')) parts.push(part)
    else if (parts.length === 0) throw wrong(`missing value for key '${part}'`)
    else parts[parts.length - 1] += `,${part}`
  }
  const found = Object.fromEntries(parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))
  const { required = [], optional = [] } = keys
  const allowed = [...required, ...optional].toSorted()
  const strange = Object.keys(found).filter((key) => !allowed.includes(key))
  if (allowed.length > 0 && strange.length > 0)
    throw wrong(`Invalid key(s) '${strange.toSorted().join(', ')}' specified. Valid key(s): '${allowed.join(', ')}'.`)
  const lacking = required.filter((key) => !(key in found))
  if (lacking.length > 0) throw wrong(`Required key(s) '${lacking.join(', ')}' not specified.`)
  return found
}

export function usageOf(program: string, { positionals, options }: Syntax): string {
  const words = options
    .filter(({ help }) => help !== undefined)
    .map((option) => {
      const text = option.kind === 'set' ? option.flag : `${option.flag} ${option.metavar ?? option.key.toUpperCase()}`
      return option.isRequired ? text : `[${text}]`
    })
  const names = positionals
    .filter(({ help }) => help !== undefined)
    .map(({ metavar, many }) =>
      many === 'optional' ? `[${metavar}]` : many === 'more' ? `${metavar} [${metavar} ...]` : metavar,
    )
  return wrapped(`usage: ${program}`, ['[-h]', ...words, ...names])
}

function wrapped(start: string, words: string[]): string {
  const lines = [start]
  for (const word of words) {
    if (lines.at(-1)!.length + word.length + 1 > 78) lines.push(' '.repeat(Math.min(start.length, 24)))
    lines[lines.length - 1] += ` ${word}`
  }
  return lines.join('\n')
}
