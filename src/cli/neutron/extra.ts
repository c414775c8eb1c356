import { isOption, Misused, readPairs, type Values } from './arguments.ts'

/** What was asked for is not understood, or cannot work: exit code 1. */
export class Unclear extends Error {
  /** What to do instead; empty when the message says it. */
  readonly hint: string

  constructor(message: string, hint = '') {
    super(message)
    this.hint = hint
  }
}

const types = {
  bool: (text: string): unknown => text.toLowerCase() === 'true',
  int: (text: string): unknown => {
    if (/^[+-]?\d+$/.test(text)) return Number(text)
    throw new Misused(`invalid int value: '${text}'`)
  },
  dict: (text: string): unknown => readPairs(text, 'type=dict', {}),
  str: (text: string): unknown => text,
}
type Type = keyof typeof types

type Field = { name: string; type?: Type; isList: boolean; isClear: boolean; isInline: boolean; values: string[] }

/**
 * Options the client has no name for become fields of the API: `--key value`, `--key=value`, `--key type=bool True`,
 * `--key list=true a b`, `--key action=clear`; without a value it is true, with several it is a list.
 */
export function readExtra(words: readonly string[]): Values {
  const invalid = () => new Unclear(`Invalid values_specs ${words.join(' ')}`)
  const fields: Field[] = []
  for (const word of words) {
    const current = fields.at(-1)
    if (word.startsWith('---')) throw invalid()
    if (word.startsWith('--')) fields.push(openField(word, fields, words))
    else if (!current) throw invalid()
    else if (word.startsWith('type=') && current.type === undefined) current.type = typeOf(word, words)
    else if (word === 'list=true') current.isList = true
    else if (word === 'action=clear') current.isClear = true
    else if (current.isInline || isOption(word)) throw invalid()
    else current.values.push(word)
  }
  return Object.fromEntries(fields.map((field) => [field.name, readField(field, invalid)]))
}

function openField(word: string, fields: readonly Field[], words: readonly string[]): Field {
  const at = word.indexOf('=')
  const name = (at < 0 ? word : word.slice(0, at)).slice(2).replaceAll('-', '_')
  if (fields.some((field) => field.name === name)) throw new Unclear(`Duplicated options ${words.join(' ')}`)
  return { name, isList: false, isClear: false, isInline: at >= 0, values: at < 0 ? [] : [word.slice(at + 1)] }
}

function typeOf(word: string, words: readonly string[]): Type {
  const name = word.slice('type='.length)
  if (Object.hasOwn(types, name)) return name as Type
  throw new Unclear(`Invalid value_specs ${words.join(' ')}: type ${name} is not supported`)
}

function readField({ type, isList, isClear, values }: Field, invalid: () => Error): unknown {
  if (isClear) return null
  if (values.length === 0) {
    if (type !== undefined || isList) throw invalid()
    return true
  }
  const read = values.map(types[type ?? 'str'])
  return isList || read.length > 1 ? read : read[0]
}
