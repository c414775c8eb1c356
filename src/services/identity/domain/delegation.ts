import type { Caller } from '../../../kit/policy/caller.ts'
import { type ApplicationCredential, findApplicationCredential } from './application-credentials.ts'
import type { Reader } from './names.ts'
import type { Payload } from './payload.ts'
import { findTrust, pedigree, type Trust } from './trusts.ts'

/** Under whose name a token acts, whose roles it has, and what narrows them. */
export type Delegation = {
  actorId: string
  /** Has the roles: the first trustor of a chain of trusts. */
  ownerId: string
  /** All of them must be enabled, and who revokes one's tokens revokes this one. */
  userIds: string[]
  trust: Trust | undefined
  credential: ApplicationCredential | undefined
}

/** Undefined: the trust or application credential is gone, or is not for this user. */
export async function delegationOf(read: Reader, { userId, via }: Payload): Promise<Delegation | undefined> {
  const own = { actorId: userId, ownerId: userId, userIds: [userId], trust: undefined, credential: undefined }
  if (via === undefined) return own
  if (via.kind === 'application_credential') {
    const credential = await findApplicationCredential(read, via.id)
    return credential?.userId === userId ? { ...own, credential } : undefined
  }
  const trust = await findTrust(read, via.id)
  if (trust?.trusteeId !== userId) return undefined
  const chain = [trust, ...(await pedigree(read, trust))]
  return {
    actorId: trust.impersonation ? trust.trustorId : userId,
    ownerId: chain.at(-1)!.trustorId,
    userIds: [...new Set(chain.flatMap((one) => [one.trustorId, one.trusteeId]))],
    trust,
    credential: undefined,
  }
}

/**
 * Of the roles the owner has now, those that were delegated, with what they imply. A trust holds as a whole or not at all, an application
 * credential keeps what is left.
 */
export function delegatedRoleIds(
  { trust, credential }: Delegation,
  held: string[],
  implied: (ids: string[]) => string[],
): string[] {
  if (trust) return trust.roleIds.every((id) => held.includes(id)) ? implied(trust.roleIds) : []
  if (!credential) return held
  return implied(credential.roles.map((role) => role.id).filter((id) => held.includes(id)))
}

export function kindOf({ trust, credential }: Delegation, methods: string[]): Caller['delegation'] {
  if (methods.includes('ec2credential')) return 'ec2'
  if (trust) return 'trust'
  if (!credential) return undefined
  return credential.unrestricted ? 'application_credential_unrestricted' : 'application_credential'
}
