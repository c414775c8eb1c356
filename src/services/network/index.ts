import type { Compute } from '../compute/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { networkDialect } from './api/dialect.ts'
import { floatingIpEndpoints } from './api/floating-ips.ts'
import { networkEndpoints } from './api/networks.ts'
import { portEndpoints } from './api/ports.ts'
import { routerEndpoints } from './api/routers.ts'
import { groupEndpoints, ruleEndpoints } from './api/security-groups.ts'
import { subnetEndpoints } from './api/subnets.ts'
import type { Network } from './contract.ts'
import { networkDesk } from './desk.ts'
import * as nics from './domain/nics.ts'
import type { NetworkSettings } from './domain/settings.ts'
import { openStore } from './domain/store.ts'
import { networkPolicies } from './policy.ts'
import { networkMigrations } from './tables.ts'
import { hostWork } from './work/host.work.ts'

export type { NetworkSettings } from './domain/settings.ts'

export const networkKind: ServiceKind = { name: 'network', migrations: networkMigrations, policies: networkPolicies }

export type NetworkNeeds = { compute: Compute }

export function openNetwork(deps: Deps, needs: NetworkNeeds, settings: NetworkSettings): Service<Network> {
  const store = openStore(deps, () => needs.compute, settings)
  const wire = { store, policy: deps.policy }
  return {
    dialect: networkDialect,
    endpoints: [
      ...networkEndpoints(wire),
      ...subnetEndpoints(wire),
      ...portEndpoints(wire),
      ...groupEndpoints(wire),
      ...ruleEndpoints(wire),
      ...routerEndpoints(wire),
      ...floatingIpEndpoints(wire),
    ],
    machines: [hostWork(store)],
    desk: networkDesk(store, () => needs.compute),
    contract: {
      check: nics.check(store),
      securityGroups: nics.securityGroups(store),
      ensurePort: nics.ensurePort(store),
      bind: nics.bind(store),
      release: nics.release(store),
      portsOf: ({ owners }) => nics.portsOf(store.read, owners),
      changeSecurityGroup: nics.changeSecurityGroup(store),
      ownersByAddress: nics.ownersByAddress(store),
      explain: async () => [],
    },
  }
}
