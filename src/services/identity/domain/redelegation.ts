import { Problem } from '../../../kit/errors.ts'

/** What two trusts have in common that must fit. */
type Trust = {
  id: string
  projectId: string
  roleIds: string[]
  impersonation: boolean
  expiresAt: number | undefined
  remainingUses: number | undefined
  redelegationCount: number
}

/** How often a trust may be handed on, at most. */
export const maxRedelegations = 3

/** A trust made with another gives nothing that the other does not: not for longer, not elsewhere, not more roles, not another name. */
export function assertRedelegation(parent: Trust, trust: Trust): void {
  const left = parent.redelegationCount
  if (left <= 0 || left > maxRedelegations)
    throw forbidden(`Remaining redelegation depth of ${left} out of allowed range of [0..${maxRedelegations}]`)
  if (trust.remainingUses !== undefined)
    throw forbidden(
      `Field "remaining_uses" is set to ${trust.remainingUses} while it must not be set in order to redelegate a trust`,
    )
  if (parent.expiresAt !== undefined && (trust.expiresAt === undefined || trust.expiresAt > parent.expiresAt))
    throw forbidden('Requested expiration time is more than redelegated trust can provide')
  if (trust.projectId !== parent.projectId) throw forbidden('A redelegated trust is for the same project')
  if (!trust.roleIds.every((id) => parent.roleIds.includes(id)))
    throw forbidden('Some of requested roles are not in redelegated trust')
  if (trust.impersonation && !parent.impersonation)
    throw forbidden(
      `Impersonation is not allowed because redelegated trust does not specify impersonation. Redelegated trust id: ${parent.id}`,
    )
}

const forbidden = (message: string): Problem => new Problem('forbidden', message)
