import type { Identity } from '../identity/contract.ts'
import type { Images } from '../image/contract.ts'
import type { Network } from '../network/contract.ts'
import type { Placement } from '../placement/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Compute } from './contract.ts'
import { computePolicies } from './policy.ts'

export const computeKind: ServiceKind = { name: 'compute', migrations: [], policies: computePolicies }

export type ComputeNeeds = { identity: Identity; images: Images; network: Network; placement: Placement }

export function openCompute(_deps: Deps, _needs: ComputeNeeds): Service<Compute> {
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: {} as Compute,
  }
}
