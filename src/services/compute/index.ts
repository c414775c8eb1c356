import { forTables } from '../../kit/db/open.ts'
import type { Identity } from '../identity/contract.ts'
import type { Images } from '../image/contract.ts'
import type { Network } from '../network/contract.ts'
import type { Placement } from '../placement/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { aggregateEndpoints } from './api/aggregates.ts'
import { dialect } from './api/dialect.ts'
import { extraSpecEndpoints, flavorAccessEndpoints } from './api/flavor-extras.ts'
import { flavorEndpoints } from './api/flavors.ts'
import { hypervisorEndpoints } from './api/hypervisors.ts'
import { instanceActionEndpoints } from './api/instance-actions.ts'
import { interfaceEndpoints } from './api/interfaces.ts'
import { keypairEndpoints } from './api/keypairs.ts'
import { migrationEndpoints } from './api/migrations.ts'
import { limitEndpoints, quotaEndpoints } from './api/quotas.ts'
import { removedEndpoints } from './api/removed.ts'
import { securityGroupEndpoints } from './api/security-groups.ts'
import { serverActionEndpoints } from './api/server-actions.ts'
import { serverGroupEndpoints } from './api/server-groups.ts'
import { moveEndpoints } from './api/server-moves.ts'
import { serverFactEndpoints, serverMetadataEndpoints, serverTagEndpoints } from './api/server-parts.ts'
import { serverEndpoints } from './api/servers.ts'
import { serviceEndpoints } from './api/services.ts'
import { usageEndpoints } from './api/usage.ts'
import { extensionEndpoints, versionEndpoints } from './api/versions.ts'
import { zoneEndpoints } from './api/zones.ts'
import type { Compute } from './contract.ts'
import { openAggregates } from './domain/aggregates.ts'
import { auditCompute } from './domain/audit.ts'
import { takeCensus } from './domain/census.ts'
import { createServer } from './domain/create-server.ts'
import { vmDesk } from './domain/documents.ts'
import { explainServer } from './domain/explain.ts'
import { openFlavors } from './domain/flavors.ts'
import { openComputeHosts } from './domain/hosts.ts'
import { openInstanceActions } from './domain/instance-actions.ts'
import { openInterfaces } from './domain/interfaces.ts'
import { openKeypairs } from './domain/keypairs.ts'
import { answerMetadata, notFound } from './domain/metadata/answer.ts'
import { openMigrations } from './domain/migrations.ts'
import { openMoving } from './domain/moving.ts'
import { openPowerActions } from './domain/power.ts'
import { openComputeQuota } from './domain/quotas.ts'
import { openServerGroups } from './domain/server-groups.ts'
import { openServers } from './domain/servers.ts'
import { openComputeServices } from './domain/services.ts'
import { computePolicies } from './policy.ts'
import { type ComputeTables, computeMigrations } from './tables.ts'
import { serverWork } from './work/server.work.ts'
import { openStanding, type ServerWorld } from './work/standing.ts'

export const computeKind: ServiceKind = { name: 'compute', migrations: computeMigrations, policies: computePolicies }

export type ComputeNeeds = { identity: Identity; images: Images; network: Network; placement: Placement }

export function openCompute(deps: Deps, needs: ComputeNeeds): Service<Compute> {
  const { clock, work, hosts } = deps
  const db = forTables<ComputeTables>(deps.db)
  // The others are looked up when they are asked: services need each other in a circle.
  const network = () => needs.network
  const placement = () => needs.placement
  const identity = () => needs.identity
  const images = () => needs.images

  const quota = openComputeQuota(deps.db)
  const flavors = openFlavors(db, clock)
  const keypairs = openKeypairs(db, clock, quota)
  const groups = openServerGroups(db, clock, quota)
  const aggregates = openAggregates(db, clock)
  const computeHosts = openComputeHosts(db, clock, placement)
  const services = openComputeServices(computeHosts, aggregates, () => clock.now())
  const servers = openServers(db, clock, work, hosts)
  const actions = openInstanceActions(db, clock)
  const power = openPowerActions(db, servers, actions, work)
  const interfaces = openInterfaces(db, servers, actions, network)
  const migrations = openMigrations(db, clock)
  const world: ServerWorld = {
    db,
    clock,
    hosts,
    servers,
    actions,
    migrations,
    computeHosts,
    aggregates,
    groups,
    network,
    placement,
  }
  const standing = openStanding(world)
  const { choose } = standing
  const moving = openMoving({ db, work, quota, servers, actions, migrations, computeHosts, flavors, choose })
  const create = createServer({ db, clock, quota, work, flavors, keypairs, groups, actions, images, network })

  const contract: Compute = {
    async portsChanged({ servers: ids }) {
      await servers.portsChanged(ids)
    },
    async metadata({ server: id, path, method }) {
      const server = await servers.living(id)
      if (!server) return notFound
      const ports = (await network().portsOf({ owners: [id] }))[id] ?? []
      return answerMetadata({ server, ports, entropy: 'fresh' }, method, path)
    },
    async explain({ id }) {
      const server = await servers.find(id)
      if (!server) return []
      const migration = server.moveId === '' ? undefined : await migrations.find(server.moveId)
      return explainServer(server, await computeHosts.find(server.host), work, migration)
    },
    services: () => services.list(),
    async enableService({ host, binary, enabled }) {
      if (binary !== 'nova-compute' || !(await computeHosts.find(host))) return false
      await computeHosts.update(host, { enabled, disabledReason: null })
      return true
    },
    census: () => takeCensus({ db, hosts: computeHosts, aggregates, flavors }),
  }

  return {
    dialect,
    endpoints: [
      ...versionEndpoints(),
      ...extensionEndpoints(),
      ...flavorEndpoints(flavors),
      ...extraSpecEndpoints(flavors),
      ...flavorAccessEndpoints(flavors, identity),
      ...keypairEndpoints(keypairs),
      ...serverEndpoints({ db, servers, power, create, computeHosts, network }),
      ...serverActionEndpoints({ servers, power, hosts, network }),
      ...moveEndpoints(servers, moving),
      ...migrationEndpoints(servers, moving),
      ...serverMetadataEndpoints(servers, quota),
      ...serverTagEndpoints(servers),
      ...serverFactEndpoints(servers, network),
      ...securityGroupEndpoints(network),
      ...interfaceEndpoints(servers, interfaces, network),
      ...instanceActionEndpoints(servers, actions),
      ...serverGroupEndpoints(groups),
      ...hypervisorEndpoints(computeHosts, servers, clock),
      ...serviceEndpoints(services, computeHosts, servers),
      ...zoneEndpoints(services),
      ...aggregateEndpoints(aggregates, computeHosts, servers),
      ...quotaEndpoints(quota, identity),
      ...limitEndpoints(quota),
      ...usageEndpoints(db, clock),
      ...removedEndpoints(),
    ],
    machines: [serverWork(world, standing)],
    contract,
    desk: {
      agents: { vm: vmDesk(db, clock, work) },
      facts: (facts) => computeHosts.heard(facts),
    },
    audit: () => auditCompute(deps.db),
  }
}
