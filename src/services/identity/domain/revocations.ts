import type { Clock } from '../../../kit/clock.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTx } from '../tables.ts'
import type { Store } from './store.ts'
import { expiredWindowMicros, tokenLifeMicros } from './token-life.ts'

/** Which tokens are void: those made before now that match everything given. */
export type Revocation = {
  auditId?: string
  auditChainId?: string
  userId?: string
  projectId?: string
  /** Of the user, of the project, or the scope itself. */
  domainId?: string
}

/**
 * Tokens are never stored, so what is void is; and only as long as one of them could still be alive. "Before" is told by the generation, not by
 * a clock: a login looks at the generation first and at the password or the other token next, so whatever it saw of the time before this
 * transaction makes a token that is void, wherever and however slowly it is made.
 */
export async function revoke(tx: IdentityTx, what: Revocation, clock: Clock): Promise<void> {
  const now = clock.now()
  await tx.deleteFrom('identity_revocation').where('expires_at', '<', now).execute()
  const { number } = await tx.selectFrom('identity_generation').select('number').where('id', '=', 1).executeTakeFirstOrThrow()
  await tx
    .insertInto('identity_revocation')
    .values({
      id: hexId(),
      audit_id: what.auditId ?? '',
      audit_chain_id: what.auditChainId ?? '',
      user_id: what.userId ?? '',
      project_id: what.projectId ?? '',
      domain_id: what.domainId ?? '',
      generation: number,
      expires_at: now + keptMicros,
    })
    .execute()
}

/** What is not meant is empty. */
export type ListedRevocation = Required<Revocation> & { at: number }

const keptMicros = tokenLifeMicros + expiredWindowMicros

export async function listRevocations({ read }: Store, since: number): Promise<ListedRevocation[]> {
  const rows = await read
    .selectFrom('identity_revocation')
    .selectAll()
    .where('expires_at', '>=', since + keptMicros)
    .orderBy('generation')
    .execute()
  return rows.map((row) => ({
    auditId: row.audit_id,
    auditChainId: row.audit_chain_id,
    userId: row.user_id,
    projectId: row.project_id,
    domainId: row.domain_id,
    at: row.expires_at - keptMicros,
  }))
}

export type TokenFacts = { auditIds: string[]; userIds: string[]; projectId: string; domainIds: string[]; generation: number }

export async function isRevoked({ read }: Store, token: TokenFacts): Promise<boolean> {
  const found = await read
    .selectFrom('identity_revocation')
    .select('id')
    .where('generation', '>', token.generation)
    .where('audit_id', 'in', ['', token.auditIds[0]!])
    .where('audit_chain_id', 'in', ['', token.auditIds.at(-1)!])
    .where('user_id', 'in', ['', ...token.userIds])
    .where('project_id', 'in', ['', token.projectId])
    .where('domain_id', 'in', ['', ...token.domainIds])
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
