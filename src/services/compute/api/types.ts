import { type TSchema, Type } from 'typebox'

/** Printable, and no blank at either end. */
export const Name = Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\p{Z})[^\\p{C}\\p{Zl}\\p{Zp}]+(?<!\\p{Z})$' })
export const Description = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  maxLength: 255,
  pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$',
})
export const LongDescription = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 65535 })
export const Uuid = Type.String({ format: 'uuid' })
export const Fqdn = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9\\-._]*$' })
export const Tag = Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$' })
export const Ip = Type.Unsafe<string>({ type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] })

const words = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes']
const noWords = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']
export const Bool = Type.Unsafe<boolean | string>({ enum: [true, ...words, false, ...noWords] })
export const isTrue = (value: unknown): boolean => value === true || words.includes(String(value))

const whole = (minimum: number, pattern: string, maximum?: number) =>
  Type.Unsafe<number | string>({ type: ['integer', 'string'], pattern, minLength: 1, minimum, ...(maximum ? { maximum } : {}) })
export const maxInt = 0x7fffffff
/** Integers may come as text; text is not bounded by a schema's minimum, so zero is kept out by the pattern. */
export const Positive = whole(1, '^[0-9]*[1-9][0-9]*$', maxInt)
export const NotNegative = whole(0, '^[0-9]+$', maxInt)
export const Limit = whole(-1, '^-?[0-9]+$', maxInt)

/** Keys and values of server metadata. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: 'string', maxLength: 255 } },
  additionalProperties: false,
})

export const strict = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
/** An object of which nothing is required. */
export const loose = (properties: Record<string, TSchema>, required: string[] = []) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', properties, required, additionalProperties: false })
export const within = (name: string, inner: TSchema) =>
  Type.Unsafe<Record<string, Record<string, unknown>>>({
    type: 'object',
    properties: { [name]: inner },
    required: [name],
    additionalProperties: false,
  })

const values = { type: 'array', items: { type: 'string' } }
const numbers = { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' } }
const times = { type: 'array', items: { type: 'string', format: 'date-time' } }

type QueryShape = { known?: string[]; times?: string[]; paged?: boolean; since?: Record<string, number> }

/** Query parameters: unknown ones are ignored before 2.75 and refused from then on. */
export const querySchema = ({ known = [], times: timed = [], paged = false, since = {} }: QueryShape) => {
  return (version: number): TSchema => {
    const is = (name: string) => version >= (since[name] ?? 0)
    return Type.Unsafe({
      type: 'object',
      properties: {
        ...Object.fromEntries(known.filter(is).map((name) => [name, values])),
        ...Object.fromEntries(timed.filter(is).map((name) => [name, times])),
        ...(paged ? { limit: numbers, marker: values } : {}),
      },
      additionalProperties: version < 75,
    })
  }
}
export const noQuery = querySchema({})
