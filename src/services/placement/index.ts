import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Placement } from './contract.ts'
import { placementPolicies } from './policy.ts'

export const placementKind: ServiceKind = { name: 'placement', migrations: [], policies: placementPolicies }

export function openPlacement(_deps: Deps): Service<Placement> {
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: {} as Placement,
  }
}
