import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Identity } from './contract.ts'
import { identityPolicies } from './policy.ts'

export const identityKind: ServiceKind = { name: 'identity', migrations: [], policies: identityPolicies }

/** `weak`: password hashes cost next to nothing, for tests only. */
export type IdentitySettings = { hashing: 'strong' | 'weak' }

export function openIdentity(_deps: Deps, _settings: IdentitySettings): Service<Identity> {
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: {} as Identity,
  }
}
