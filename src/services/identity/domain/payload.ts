import { randomBytes } from 'node:crypto'
import { type Packed, pack, unpack } from './msgpack.ts'

/** All that a token says; everything else is looked up when it is used. Times in microseconds. */
export type Payload = {
  userId: string
  methods: string[]
  scope: PayloadScope
  issuedAt: number
  expiresAt: number
  /** How far identity's writes were when the login began: what was revoked since then concerns this token. */
  generation: number
  /** The token's own, then that of the first token of its chain. */
  auditIds: string[]
  /** What the token was delegated by. */
  via?: Via | undefined
}

export type Via = { kind: 'trust' | 'application_credential'; id: string }

export type PayloadScope =
  | { kind: 'unscoped' }
  | { kind: 'project'; id: string }
  | { kind: 'domain'; id: string }
  | { kind: 'system' }

/** A bit each; the order is stored in tokens, so it only grows. */
const methodBits = ['external', 'password', 'token', 'oauth1', 'mapped', 'application_credential', 'totp', 'ec2credential']
const scopeVersions = { unscoped: 0, domain: 1, project: 2, system: 8 } as const
/** Both are of a project. */
const viaVersions = { trust: 3, application_credential: 9 } as const

/** 16 random bytes in 22 characters. */
export const newAuditId = (): string => randomBytes(16).toString('base64url')

/** The layout of identity's fernet payloads (version, user, methods, scope, expiry, audit ids), with whole microseconds; and when it was issued, and the generation. */
export const packPayload = ({ userId, methods, scope, issuedAt, expiresAt, generation, auditIds, via }: Payload): Buffer =>
  pack([
    via ? viaVersions[via.kind] : scopeVersions[scope.kind],
    packId(userId),
    packMethods(methods),
    'id' in scope ? packId(scope.id) : scope.kind,
    expiresAt,
    auditIds.map((id) => Buffer.from(id, 'base64url')),
    issuedAt,
    generation,
    ...(via ? [packId(via.id)] : []),
  ])

export const packMethods = (methods: string[]): number =>
  methods.reduce((bits, method) => bits | (1 << methodBits.indexOf(method)), 0)

export const unpackMethods = (bits: number): string[] => methodBits.filter((_, at) => bits & (1 << at))

/** Throws on anything that `packPayload` did not make. */
export function unpackPayload(bytes: Buffer): Payload {
  const [version, user, bits, scope, expiresAt, auditIds, issuedAt, generation, via] = unpack(bytes) as [
    number,
    Packed,
    number,
    Packed,
    number,
    Buffer[],
    number,
    number,
    Packed | undefined,
  ]
  return {
    userId: unpackId(user),
    methods: unpackMethods(bits),
    scope: unpackScope(version, scope),
    issuedAt,
    expiresAt,
    generation,
    auditIds: auditIds.map((id) => id.toString('base64url')),
    ...(via !== undefined && { via: { kind: viaOf(version), id: unpackId(via) } }),
  }
}

function unpackScope(version: number, scope: Packed): PayloadScope {
  if (version === scopeVersions.unscoped) return { kind: 'unscoped' }
  if (version === scopeVersions.system) return { kind: 'system' }
  if (version === scopeVersions.project || isVia(version)) return { kind: 'project', id: unpackId(scope) }
  if (version === scopeVersions.domain) return { kind: 'domain', id: unpackId(scope) }
  throw new Error(`an unknown version of payload: ${version}`)
}

const isVia = (version: number): boolean => version === viaVersions.trust || version === viaVersions.application_credential

const viaOf = (version: number): Via['kind'] => (version === viaVersions.trust ? 'trust' : 'application_credential')

/** A UUID in hex takes half the room as bytes. */
export const packId = (id: string): Packed => (/^[0-9a-f]{32}$/.test(id) ? Buffer.from(id, 'hex') : id)

export const unpackId = (packed: Packed): string => (Buffer.isBuffer(packed) ? packed.toString('hex') : String(packed))
