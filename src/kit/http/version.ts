import { Problem } from '../errors.ts'
import type { Dialect } from './dialect.ts'

/**
 * The minor number a request asks for (api-sig microversion specification). No header: the lowest. `latest`: the highest.
 * Throws invalid for text that is no version, not-acceptable for one out of range.
 */
export function negotiate(dialect: Dialect, headers: Record<string, string | undefined>): number {
  const { versions } = dialect
  if (!versions) return 0
  const asked = askedVersion(versions, headers)
  if (asked === undefined) return versions.min
  if (asked === 'latest') return versions.max
  const parsed = /^(\d+)\.(\d+)$/.exec(asked)
  if (!parsed)
    throw new Problem('invalid', `API Version String ${asked} is of invalid format. Must be of format MajorNum.MinorNum.`)
  const [major, minor] = [Number(parsed[1]), Number(parsed[2])]
  if (major !== versions.major || minor < versions.min || minor > versions.max) {
    const [min, max] = [`${versions.major}.${versions.min}`, `${versions.major}.${versions.max}`]
    throw new Problem(
      'not-acceptable',
      `Version ${asked} is not supported by the API. Minimum is ${min} and maximum is ${max}.`,
      {
        detail: { min_version: min, max_version: max },
      },
    )
  }
  return minor
}

function askedVersion(
  versions: NonNullable<Dialect['versions']>,
  headers: Record<string, string | undefined>,
): string | undefined {
  for (const part of (headers['openstack-api-version'] ?? '').split(',')) {
    const [type, version] = part.trim().split(/\s+/)
    if (type?.toLowerCase() === versions.type && version) return version
  }
  return versions.legacyHeader ? headers[versions.legacyHeader.toLowerCase()]?.trim() : undefined
}

const versionHeaders = (dialect: Dialect, version: number): Record<string, string> => {
  const { versions } = dialect
  if (!versions) return {}
  const text = `${versions.major}.${version}`
  const legacy = versions.legacyHeader
  return {
    'OpenStack-API-Version': `${versions.type} ${text}`,
    ...(legacy ? { [legacy]: text } : {}),
    Vary: legacy ? `OpenStack-API-Version, ${legacy}` : 'OpenStack-API-Version',
  }
}

/** What every answer of a service carries, whatever it says. */
export const commonHeaders = (dialect: Dialect, asked: { version: number; requestId: string }): Record<string, string> => ({
  'x-openstack-request-id': asked.requestId,
  ...versionHeaders(dialect, asked.version),
  ...dialect.headers?.(asked),
})
