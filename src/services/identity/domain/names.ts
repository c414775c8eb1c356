import type { ReferenceExpression } from 'kysely'
import { Problem } from '../../../kit/errors.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import type { Store } from './store.ts'

export type Reader = Store['read'] | IdentityTx

/** Identity's sentence for what is not there. */
export const couldNotFind = (noun: string, id: string): Problem => new Problem('not-found', `Could not find ${noun}: ${id}.`)

export const existing = <T>(found: T | undefined, noun: string, id: string): T => {
  if (found === undefined) throw couldNotFind(noun, id)
  return found
}

/** What clients add of their own to a user, project or role: kept as it came and shown again. */
export type Extra = Record<string, unknown>

export const duplicate = (noun: string, what: string): Problem =>
  new Problem('conflict', `Conflict occurred attempting to store ${noun} - Duplicate entry found with ${what}.`)

export const duplicateName = (noun: string, name: string, domainId: string): Problem =>
  duplicate(noun, domainId === '' ? `name ${name}` : `name ${name} at domain ID ${domainId}`)

/** Keys whose new value is null go away, others are replaced. */
export function merge(old: Extra, change: Extra): Extra {
  const merged = { ...old, ...change }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined))
}

/** Columns of a user or group that comes from no directory. */
export const ours = { local_id: '', seen_at: 0, gone: 0 }

type Named = 'identity_project' | 'identity_user' | 'identity_group' | 'identity_role'

/** Names are unique within a domain. Call in the writing transaction: writers queue up, so nobody can come between. */
export async function assertFreeName(
  tx: IdentityTx,
  table: Named,
  noun: string,
  row: { id: string; name: string; domain_id: string },
) {
  const ref = (column: string) => column as ReferenceExpression<IdentityTables, Named>
  const other = await tx
    .selectFrom(table)
    .select('id')
    .where(ref('name'), '=', row.name)
    .where(ref('domain_id'), '=', row.domain_id)
    .where(ref('id'), '!=', row.id)
    .executeTakeFirst()
  if (other) throw duplicateName(noun, row.name, row.domain_id)
}
