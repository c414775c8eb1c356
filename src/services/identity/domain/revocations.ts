import { hexId } from '../../../kit/ids.ts'
import type { IdentityTx } from '../tables.ts'
import type { Store } from './store.ts'
import { expiredWindowMicros, tokenLifeMicros } from './token-life.ts'

/** Which tokens are void: those that match everything given. `issuedBefore` in microseconds. */
export type Revocation = {
  auditId?: string
  auditChainId?: string
  userId?: string
  projectId?: string
  /** Of the user, of the project, or the scope itself. */
  domainId?: string
  issuedBefore: number
}

/** Tokens are never stored, so what is void is; and only as long as one of them could still be alive. */
export async function revoke(tx: IdentityTx, what: Revocation): Promise<void> {
  await tx.deleteFrom('identity_revocation').where('expires_at', '<', what.issuedBefore).execute()
  await tx
    .insertInto('identity_revocation')
    .values({
      id: hexId(),
      audit_id: what.auditId ?? '',
      audit_chain_id: what.auditChainId ?? '',
      user_id: what.userId ?? '',
      project_id: what.projectId ?? '',
      domain_id: what.domainId ?? '',
      issued_before: what.issuedBefore,
      expires_at: what.issuedBefore + tokenLifeMicros + expiredWindowMicros,
    })
    .execute()
}

export type TokenFacts = { auditIds: string[]; userId: string; projectId: string; domainIds: string[]; issuedAt: number }

export async function isRevoked({ read }: Store, token: TokenFacts): Promise<boolean> {
  const found = await read
    .selectFrom('identity_revocation')
    .select('id')
    .where('issued_before', '>=', token.issuedAt)
    .where('audit_id', 'in', ['', token.auditIds[0]!])
    .where('audit_chain_id', 'in', ['', token.auditIds.at(-1)!])
    .where('user_id', 'in', ['', token.userId])
    .where('project_id', 'in', ['', token.projectId])
    .where('domain_id', 'in', ['', ...token.domainIds])
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
