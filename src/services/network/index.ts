import type { Compute } from '../compute/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { agentEndpoints, zoneEndpoints } from './api/agents.ts'
import { networkDialect } from './api/dialect.ts'
import { extensionEndpoints } from './api/extensions.ts'
import { floatingIpPoolEndpoints } from './api/floating-ip-pools.ts'
import { floatingIpEndpoints, floatingIpResource } from './api/floating-ips.ts'
import { hostingEndpoints } from './api/hosting.ts'
import { ipAvailabilityEndpoints } from './api/ip-availability.ts'
import { networkEndpoints, networkResource } from './api/networks.ts'
import { portEndpoints, portResource } from './api/ports.ts'
import { quotaEndpoints } from './api/quotas.ts'
import { routerEndpoints, routerResource } from './api/routers.ts'
import { groupEndpoints, groupResource, ruleEndpoints } from './api/security-groups.ts'
import { subnetEndpoints, subnetResource } from './api/subnets.ts'
import { tagEndpoints } from './api/tags.ts'
import { versionEndpoints } from './api/versions.ts'
import type { Network } from './contract.ts'
import { networkDesk } from './desk.ts'
import { audit } from './domain/audit.ts'
import { explain } from './domain/explain.ts'
import { securityGroupsOf } from './domain/groups-of.ts'
import { check } from './domain/nic-checks.ts'
import { bind, ensurePort, openAt, release } from './domain/nics.ts'
import { changeSecurityGroup, securityGroups } from './domain/server-groups.ts'
import { ownersByAddress, portsOf } from './domain/server-ports.ts'
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
      ...tagEndpoints(wire, networkResource),
      ...tagEndpoints(wire, subnetResource),
      ...tagEndpoints(wire, portResource),
      ...tagEndpoints(wire, routerResource),
      ...tagEndpoints(wire, floatingIpResource),
      ...tagEndpoints(wire, groupResource(wire)),
      ...quotaEndpoints(wire),
      ...agentEndpoints(wire),
      ...zoneEndpoints(wire),
      ...hostingEndpoints(wire),
      ...ipAvailabilityEndpoints(wire),
      ...floatingIpPoolEndpoints(wire),
      ...extensionEndpoints(),
      ...versionEndpoints(),
    ],
    machines: [hostWork(store)],
    desk: networkDesk(store, () => needs.compute),
    contract: {
      check: check(store),
      securityGroups: securityGroups(store),
      ensurePort: ensurePort(store),
      bind: bind(store),
      openAt: openAt(store),
      release: release(store),
      portsOf: ({ owners }) => portsOf(store.read, owners),
      securityGroupsOf: securityGroupsOf(store),
      changeSecurityGroup: changeSecurityGroup(store),
      ownersByAddress: ownersByAddress(store),
      explain: (ask) => explain(store, ask),
    },
    audit: () => audit(store),
  }
}
