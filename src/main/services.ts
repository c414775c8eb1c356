import type { connect } from '../kit/contract/contract.ts'
import type { Compute } from '../services/compute/contract.ts'
import { computeKind, openCompute } from '../services/compute/index.ts'
import type { Identity } from '../services/identity/contract.ts'
import { type IdentitySettings, identityKind, openIdentity } from '../services/identity/index.ts'
import type { Images } from '../services/image/contract.ts'
import { type ImageSettings, imageKind, openImages } from '../services/image/index.ts'
import type { Network } from '../services/network/contract.ts'
import { type NetworkSettings, networkKind, openNetwork } from '../services/network/index.ts'
import type { Placement } from '../services/placement/contract.ts'
import { openPlacement, placementKind } from '../services/placement/index.ts'
import type { Deps, Service, ServiceKind } from '../services/service.ts'

export const serviceNames = ['identity', 'image', 'placement', 'network', 'compute'] as const
export type ServiceName = (typeof serviceNames)[number]

export type Contracts = { identity: Identity; images: Images; placement: Placement; network: Network; compute: Compute }

export const kinds: ServiceKind[] = [identityKind, imageKind, placementKind, networkKind, computeKind]

type Settings = { image: ImageSettings; identity: IdentitySettings; network: NetworkSettings }

/**
 * Opens all services and binds their contracts. Services need each other in a circle (network tells compute, compute asks network), so each
 * gets the one object of contracts and may look into it only once all are open.
 */
export function openServices(
  deps: (name: ServiceName) => Deps,
  bind: typeof connect,
  settings: Settings,
): { services: Record<ServiceName, Service>; contracts: Contracts } {
  const contracts = {} as Contracts
  const identity = openIdentity(deps('identity'), settings.identity)
  const image = openImages(deps('image'), contracts, settings.image)
  const placement = openPlacement(deps('placement'))
  const network = openNetwork(deps('network'), contracts, settings.network)
  const compute = openCompute(deps('compute'), contracts)
  Object.assign(contracts, {
    identity: bind('identity', identity.contract),
    images: bind('images', image.contract),
    placement: bind('placement', placement.contract),
    network: bind('network', network.contract),
    compute: bind('compute', compute.contract),
  } satisfies Contracts)
  return { services: { identity, image, placement, network, compute }, contracts }
}
