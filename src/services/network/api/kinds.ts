import { Problem } from '../../../kit/errors.ts'
import { isUuid } from '../../../kit/ids.ts'
import { canonicalIp, parseCidr } from '../domain/ip.ts'

/** Reads one value of a request. Throws a `Refusal` that says why it is none of its kind. */
export type Kind<Value> = (value: unknown) => Value

class Refusal extends Error {}

const refuse = (why: string): never => {
  throw new Refusal(why)
}

export const shown = (value: unknown): string => {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)
}

export const text =
  (most = 255): Kind<string> =>
  (value) => {
    if (typeof value !== 'string') return refuse(`'${shown(value)}' is not a valid string`)
    if (value.length > most) return refuse(`'${shown(value)}' exceeds maximum length of ${most}`)
    // PostgreSQL keeps no NUL in text.
    return value.includes('\0') ? refuse('a string may not have a NUL character') : value
  }

export const filled =
  (most = 255): Kind<string> =>
  (value) => {
    const read = text(most)(value)
    return read.trim() === '' ? refuse(`'${shown(value)}' Blank strings are not permitted`) : read
  }

export const bool: Kind<boolean> = (value) => {
  if (typeof value === 'boolean') return value
  const word = String(value).toLowerCase()
  if (word === 'true' || word === '1') return true
  return word === 'false' || word === '0' ? false : refuse(`'${shown(value)}' cannot be converted to boolean`)
}

export const int =
  (from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER): Kind<number> =>
  (value) => {
    const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value))
    const read = Number(value)
    if (!isNumber || !Number.isSafeInteger(read)) return refuse(`'${shown(value)}' is not an integer`)
    if (read < from) return refuse(`'${read}' is too small - must be at least '${from}'`)
    return read > to ? refuse(`'${read}' is too large - must be no larger than '${to}'`) : read
  }

export const id: Kind<string> = (value) =>
  typeof value === 'string' && isUuid(value) ? value : refuse(`'${shown(value)}' is not a valid UUID`)

export const oneOf =
  <Word extends string>(...words: Word[]): Kind<Word> =>
  (value) =>
    words.includes(value as Word)
      ? (value as Word)
      : refuse(`'${shown(value)}' is not in [${words.map((word) => `'${word}'`).join(', ')}]`)

/** Null, as `undefined`-less value `or`. */
export const nullable =
  <Value>(kind: Kind<Value>): Kind<Value | null> =>
  (value) =>
    value === null ? null : kind(value)

export const ip: Kind<string> = (value) =>
  (typeof value === 'string' ? canonicalIp(value) : undefined) ?? refuse(`'${shown(value)}' is not a valid IP address`)

export const cidr: Kind<string> = (value) => {
  const read = typeof value === 'string' && value.includes('/') ? parseCidr(value) : undefined
  if (!read) return refuse(`'${shown(value)}' is not a valid IP subnet`)
  const [address] = (value as string).split('/')
  if (canonicalIp(address!) !== read.text.split('/')[0])
    return refuse(`'${shown(value)}' isn't a recognized IP subnet cidr, '${read.text}' is recommended`)
  return read.text
}

/** An address or a prefix of addresses. */
export const ipOrCidr: Kind<string> = (value) => {
  const read = typeof value === 'string' ? parseCidr(value) : undefined
  if (!read) return refuse(`'${shown(value)}' is neither a valid IP address, nor is it a valid IP subnet`)
  return (value as string).includes('/') ? read.text : canonicalIp(value as string)!
}

/** A unicast address of a card, in lower case with colons. */
export const mac: Kind<string> = (value) => {
  const read = typeof value === 'string' ? value.toLowerCase().replaceAll('-', ':') : ''
  const valid = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(read) && read !== '00:00:00:00:00:00'
  return valid && (Number.parseInt(read.slice(0, 2), 16) & 1) === 0
    ? read
    : refuse(`'${shown(value)}' is not a valid MAC address`)
}

export const listOf =
  <Value>(kind: Kind<Value>, most = 100): Kind<Value[]> =>
  (value) => {
    if (value === null) return []
    if (!Array.isArray(value)) return refuse(`'${shown(value)}' is not a list`)
    if (value.length > most) return refuse(`a list of ${value.length} is too long - must have no more than ${most}`)
    return value.map(kind)
  }

/** The same, where nothing may be there twice. */
export const setOf =
  <Value>(kind: Kind<Value>, what = 'items in the list', most = 100): Kind<Value[]> =>
  (value) => {
    const read = listOf(kind, most)(value)
    const keys = read.map((item) => JSON.stringify(item))
    const twice = read.find((_, at) => keys.indexOf(keys[at]!) !== at)
    return twice === undefined ? read : refuse(`Duplicate ${what}: '${shown(twice)}'`)
  }

type Fields = Record<string, Kind<unknown>>
type Read<Shape extends Fields> = { [Name in keyof Shape]?: ReturnType<Shape[Name]> }

/** An object with these keys and no others. */
export const dict =
  <Shape extends Fields>(fields: Shape, required: (keyof Shape & string)[] = []): Kind<Read<Shape>> =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse(`'${shown(value)}' is not a dictionary`)
    const extra = Object.keys(value).filter((key) => !Object.hasOwn(fields, key))
    if (extra.length > 0) return refuse(`Unexpected keys supplied: ${extra.join(', ')}`)
    const missing = required.filter((key) => !Object.hasOwn(value, key))
    if (missing.length > 0)
      return refuse(
        `Validation of dictionary's keys failed. Expected keys: ${required.join(', ')} Provided keys: ${Object.keys(value).join(', ')}`,
      )
    const read = Object.entries(value).map(([key, item]) => [key, fields[key]!(item)])
    return Object.fromEntries(read) as Read<Shape>
  }

export const object: Kind<Record<string, unknown>> = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(`'${shown(value)}' is not a dictionary`)

export const badBody = (message: string): Problem => new Problem('invalid', message, { code: 'HTTPBadRequest' })

/** Reads the value of an attribute, in the words of this API when it is wrong. */
export function read<Value>(name: string, kind: Kind<Value>, value: unknown): Value {
  try {
    return kind(value)
  } catch (error) {
    if (error instanceof Refusal)
      throw new Problem('invalid', `Invalid input for ${name}. Reason: ${error.message}.`, { code: 'HTTPBadRequest' })
    throw error
  }
}
