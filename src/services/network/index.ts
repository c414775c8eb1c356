import type { SegmentType } from '../../agents/document.ts'
import type { Compute } from '../compute/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Network } from './contract.ts'
import { networkPolicies } from './policy.ts'

export const networkKind: ServiceKind = { name: 'network', migrations: [], policies: networkPolicies }

export type NetworkNeeds = { compute: Compute }

/** Ranges are inclusive; physical networks by name. */
export type NetworkSettings = {
  /** What kinds tenants' networks may become, in order of preference. */
  tenantTypes: SegmentType[]
  /** Physical networks that may be used flat; `*`: any. */
  flat: string[]
  vlanRanges: { physicalNetwork: string; from: number; to: number }[]
  vniRanges: [number, number][]
  tunnelIdRanges: [number, number][]
  /** MTU of the physical networks: overlays get less (50 bytes for VXLAN over IPv4, 42 for GRE). */
  physicalMtu: number
}

export function openNetwork(_deps: Deps, _needs: NetworkNeeds, _settings: NetworkSettings): Service<Network> {
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: {} as Network,
  }
}
