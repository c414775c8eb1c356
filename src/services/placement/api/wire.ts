import { Type } from 'typebox'
import type { Micros } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Reply, reply } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import type { Provider } from '../domain/providers.ts'
import { findProvider } from '../domain/providers.ts'
import type { PlacementDb } from '../tables.ts'

export const maxInt = 0x7fffffff
export const Uuid = Type.String({ format: 'uuid' })
export const ClassName = '^[A-Z0-9_]+$'
export const CustomName = '^CUSTOM_[A-Z0-9_]+$'
export const UuidKey = '^[0-9a-fA-F-]{36}$'
export const Texts = Type.Array(Type.String())

/** From 1.15 on answers say how new they are: `newest` is the time of their newest part, now when they have none. */
export function fresh(
  { version }: Pick<Ask, 'version'>,
  newest: Micros | undefined,
  parts: { status?: number; body?: unknown; headers?: Record<string, string> },
): Reply {
  const { headers = {}, ...rest } = parts
  const at = new Date(newest ? newest / 1000 : Date.now()).toUTCString()
  const since115 = version >= 15 ? { 'last-modified': at, 'cache-control': 'no-cache' } : {}
  return reply({ ...rest, headers: { ...headers, ...since115 } })
}

export const newestOf = (items: { updatedAt: number }[]): Micros | undefined =>
  items.reduce<number | undefined>((newest, { updatedAt }) => Math.max(newest ?? 0, updatedAt), undefined)

/** What an endpoint below `/resource_providers/{uuid}` is about. */
export const providerSubject = (db: PlacementDb) => ({
  subject: ({ params }: Pick<Ask, 'params'>): Promise<Provider | undefined> =>
    findProvider(db.read, dashed(params['uuid']!) ?? params['uuid']!),
  missing: ({ uuid }: Record<string, string>) => `No resource provider with uuid ${uuid} found`,
})

export function uuidOf(text: string, what: string): string {
  const id = dashed(text)
  if (id === undefined) throw new Problem('invalid', `Malformed ${what}: ${text}`)
  return id
}
