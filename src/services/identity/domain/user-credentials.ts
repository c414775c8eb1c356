import { fromBit, fromJson } from '../../../kit/db/columns.ts'
import type { Extra, Reader } from './names.ts'

/** What logging in needs of a user. */
export type Credentials = {
  id: string
  name: string
  domainId: string
  domainName: string
  /** The user and its domain are. */
  enabled: boolean
  defaultProjectId: string
  passwordHash: string
  passwordExpiresAt: number | undefined
  passwordCreatedAt: number
  /** The user chose it, not an administrator. */
  passwordSelfService: boolean
  /** Wrong passwords since the last right one, and when the last one was. */
  failedCount: number
  failedAt: number
  lastActiveAt: number
  options: Extra
  /** In a directory, which knows the password. */
  isElsewhere: boolean
}

type Named = {
  id?: string | undefined
  name?: string | undefined
  domain?: { id?: string | undefined; name?: string | undefined } | undefined
}

/** One query, whichever way the user is named, so that it takes the same time whether there is one or not. */
export async function findCredentials(read: Reader, { id, name, domain }: Named): Promise<Credentials | undefined> {
  const query = read
    .selectFrom('identity_user as user')
    .innerJoin('identity_project as domain', 'domain.id', 'user.domain_id')
    .selectAll('user')
    .select(['domain.enabled as domain_enabled', 'domain.name as domain_name'])
  const found =
    id !== undefined
      ? query.where('user.id', '=', id)
      : query
          .where('user.name', '=', name ?? '')
          .where(domain?.id !== undefined ? 'domain.id' : 'domain.name', '=', domain?.id ?? domain?.name ?? '')
          .where('domain.is_domain', '=', 1)
  const row = await found.executeTakeFirst()
  if (!row) return undefined
  return {
    id: row.id,
    name: row.name,
    domainId: row.domain_id,
    domainName: row.domain_name,
    enabled: fromBit(row.enabled) && fromBit(row.domain_enabled),
    defaultProjectId: row.default_project_id,
    passwordHash: row.password_hash,
    passwordExpiresAt: row.password_expires_at || undefined,
    passwordCreatedAt: row.password_created_at,
    passwordSelfService: fromBit(row.password_self_service),
    failedCount: row.failed_count,
    failedAt: row.failed_at,
    lastActiveAt: row.last_active_at,
    options: fromJson(row.options),
    isElsewhere: row.local_id !== '',
  }
}
