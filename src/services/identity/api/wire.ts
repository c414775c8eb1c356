import { type TSchema, Type } from 'typebox'
import { parseTime } from '../../../kit/clock.ts'
import { type Listing, type PageAsk, pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Ask, Query } from '../../../kit/http/endpoint.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import { defaultDomainId } from '../domain/bootstrap.ts'
import type { Page } from '../domain/lists.ts'
import type { Extra } from '../domain/names.ts'

/** A flag in a query: to be there is enough, whatever its value; only 0 says no. */
export const isTrue = (values: string[] | undefined): boolean => values !== undefined && values.at(-1) !== '0'

/** A filter on what is true or false: without a value it means true. */
const isOn = (value: string): boolean => !/^(0|f|false|off|n|no)$/i.test(value)

type Place = Pick<Ask, 'origin' | 'url'>

/** The whole address of something below `/v3`. */
export const linkTo = ({ origin }: Pick<Ask, 'origin'>, path: string): string => `${origin}/v3/${path}`

/** A list with its links; `next` when a limit cut it. */
export function collection<T extends { id: string }>(
  ask: Place,
  name: string,
  { rows, more }: Page<T>,
  show: (row: T) => unknown,
) {
  return {
    [name]: rows.map(show),
    links: { next: more ? nextPage(ask, rows.at(-1)!.id) : null, self: `${ask.origin}${ask.url}`, previous: null },
    ...(more && { truncated: true }),
  }
}

function nextPage({ origin, url }: Place, marker: string): string {
  const next = new URL(url, origin)
  next.searchParams.set('marker', marker)
  return next.toString()
}

/** A list's query. Sort keys that are not known are ignored, as everything else that is not known. */
export const listAsk = (shape: Listing<string>, query: Query): PageAsk<string> =>
  pageAsk(shape, flagged(query), { strictSort: false })

/** `?enabled` alone means true. */
const flagged = (query: Query): Query => {
  const { enabled, is_domain: isDomain } = query
  const bits = { ...(enabled && { enabled }), ...(isDomain && { is_domain: isDomain }) }
  return { ...query, ...Object.fromEntries(Object.keys(bits).map((name) => [name, [String(isOn(query[name]?.at(-1) ?? ''))]])) }
}

/** What a list's rule compares: the domain of the token, to which the list will be narrowed. */
export const ownDomain = ({ caller }: { caller: Caller }) => ({
  target: caller.domainId === undefined ? {} : { domain_id: caller.domainId, domain: { id: caller.domainId } },
})

/** Where a new user, group or project goes when the request does not say. */
export const domainFor = (caller: Caller, asked: string | null | undefined): string => asked || caller.domainId || defaultDomainId

/** What a body has besides the fields we know. */
export const extraOf = (body: object, known: TSchema & { properties: Record<string, unknown> }): Extra =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !(name in known.properties) && name !== 'id' && name !== 'links'))

/** A body's field as a change: absent stays absent. */
export const given = <Name extends string, T>(name: Name, value: T | undefined): { [key in Name]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { [key in Name]?: T }

/** Null takes an option away. */
export const withoutNulls = (options: object): Extra =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))

/** A second rule, where what was asked for decides which one. */
export function assertRule({ can }: Pick<Ask, 'can'>, rule: string): void {
  if (!can(rule))
    throw new Problem('forbidden', `Policy doesn't allow ${rule}.`, { code: 'PolicyNotAuthorized', detail: { rule } })
}

/** A text of a body that was not checked yet: only to find out where, and whose, a new row will be. */
export function textIn(body: unknown, key: string, name: string): string | undefined {
  const value = (body as { [key: string]: { [name: string]: unknown } | null } | null | undefined)?.[key]?.[name]
  return typeof value === 'string' ? value : undefined
}

/** When something ends, in microseconds: ISO 8601 and still to come. */
export function endOf(text: string | null | undefined, now: number): number | undefined {
  if (text === null || text === undefined) return undefined
  const at = parseTime(text)
  if (at === undefined) throw new Problem('invalid', `Unable to parse expiration time ${text.slice(0, 100)}`)
  if (at <= now) throw new Problem('invalid', 'Expiration time must be in the future.')
  return at
}

export function assertSameId(body: object, id: string): void {
  const other = (body as { id?: unknown }).id
  if (other !== undefined && other !== id) throw new Problem('invalid', 'Cannot change ID')
}

export function assertSameDomain(asked: string | null | undefined, domainId: string): void {
  if (asked !== undefined && (asked ?? '') !== domainId) throw new Problem('invalid', 'Cannot change Domain ID')
}

export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-]+$' })
export const NullableId = Type.Union([Id, Type.Null()])
export const NullableText = Type.Union([Type.String(), Type.Null()])
export const Options = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false })
export const NullableBoolean = Type.Union([Type.Boolean(), Type.Null()])

export const one = <Name extends string, S extends TSchema>(name: Name, schema: S) =>
  Type.Object({ [name]: schema } as { [key in Name]: S })
