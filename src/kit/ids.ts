import { randomBytes, randomUUID } from 'node:crypto'

/** A random UUID (RFC 9562 version 4) with dashes. */
export const uuid = (): string => randomUUID()

/** A UUID without dashes, as identity names users, projects and roles. */
export const hexId = (): string => randomUUID().replaceAll('-', '')

/** `req-` and a UUID, as every OpenStack reply carries it. */
export const requestId = (): string => `req-${randomUUID()}`

/** A URL-safe random secret of so many bytes. */
export const secret = (bytes = 32): string => randomBytes(bytes).toString('base64url')

/** The id with dashes, whether it came with or without them; undefined when it is no UUID. */
export function dashed(id: string): string | undefined {
  const hex = id.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export const isUuid = (id: string): boolean => dashed(id) !== undefined
