import type { Candidate } from '../../placement/contract.ts'
import { defaultZone } from './aggregates.ts'
import type { ComputeHost } from './hosts.ts'
import type { FlavorSnapshot, Server } from './server.ts'

export type GroupRule = { policy: string; maxPerHost: number; hosts: string[] }

export type Circumstances = {
  hosts: ComputeHost[]
  /** Zone by host, where it is not the default one. */
  zones: Map<string, string>
  group: GroupRule | undefined
}

/** `from`: the host it is to leave. `unfiltered`: whoever asked knows what they do. */
export type Placed = Pick<Server, 'pinnedZone' | 'forcedHost' | 'refusedHosts'> & { from?: string; unfiltered?: boolean }
type Filter = (server: Placed, host: ComputeHost, around: Circumstances) => string | undefined

export const zoneOf = (zones: Map<string, string>, host: string): string => zones.get(host) ?? defaultZone

/** Each gives the reason why the server may not go there; undefined: it may. These nobody is spared. */
const always: Filter[] = [
  ({ forcedHost }, { name }) =>
    forcedHost !== '' && forcedHost !== name ? `ForcedHost: only ${forcedHost} was asked for` : undefined,
  ({ from }, { name }) => (from === name ? 'It is there already' : undefined),
  (_, { up }) => (up ? undefined : 'ComputeFilter: the host is down'),
]

const filters: Filter[] = [
  ...always,
  ({ refusedHosts }, { name }) => (refusedHosts.includes(name) ? 'RetryFilter: it failed there before' : undefined),
  (_, { enabled, disabledReason }) =>
    enabled ? undefined : `ComputeFilter: the service is disabled${disabledReason ? ` (${disabledReason})` : ''}`,
  ({ pinnedZone }, { name }, { zones }) =>
    pinnedZone === '' || pinnedZone === zoneOf(zones, name)
      ? undefined
      : `AvailabilityZoneFilter: the host is in zone ${zoneOf(zones, name)}, not ${pinnedZone}`,
  (_, { name }, { group }) => {
    if (group?.policy === 'anti-affinity' && group.hosts.filter((host) => host === name).length >= group.maxPerHost)
      return 'ServerGroupAntiAffinityFilter: the host has enough of the group'
    if (group?.policy === 'affinity' && group.hosts.length > 0 && !group.hosts.includes(name))
      return `ServerGroupAffinityFilter: the group is on ${group.hosts[0]}`
    return undefined
  },
]

/** Hosts that may have the server, best first, and for each other one the reason. Pure. */
export function choose(
  server: Placed,
  candidates: Candidate[],
  around: Circumstances,
): { chosen: Candidate[]; refused: Record<string, string> } {
  const hosts = new Map(around.hosts.map((host) => [host.nodeId, host]))
  const refused: Record<string, string> = {}
  const chosen = candidates.filter((candidate) => {
    const host = hosts.get(candidate.provider)
    if (!host) return false
    const reason = (server.unfiltered ? always : filters)
      .map((filter) => filter(server, host, around))
      .find((found) => found !== undefined)
    if (reason !== undefined) refused[host.name] = reason
    return reason === undefined
  })
  const weigh = ({ name, free }: Candidate) => {
    const together = around.group?.hosts.filter((host) => host === name).length ?? 0
    const soft =
      around.group?.policy === 'soft-affinity' ? together : around.group?.policy === 'soft-anti-affinity' ? -together : 0
    return soft * 1e9 + (free['MEMORY_MB'] ?? 0)
  }
  return { chosen: chosen.sort((a, b) => weigh(b) - weigh(a)), refused }
}

/** What placement is asked for. `resources:X=n` of the flavor's extra specs overrides; 0 leaves it out. */
export function resourcesOf(flavor: FlavorSnapshot): Record<string, number> {
  const disk = flavor.rootGb + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024)
  const all: Record<string, number> = { VCPU: flavor.vcpus, MEMORY_MB: flavor.memoryMb, DISK_GB: disk }
  for (const [name, value] of Object.entries(flavor.extraSpecs))
    if (name.startsWith('resources:')) all[name.slice('resources:'.length)] = Number(value)
  return Object.fromEntries(Object.entries(all).filter(([, amount]) => amount > 0))
}

export const traitsAsked = ({ extraSpecs }: FlavorSnapshot, kind: 'required' | 'forbidden'): string[] =>
  Object.entries(extraSpecs)
    .filter(([name, value]) => name.startsWith('trait:') && value === kind)
    .map(([name]) => name.slice('trait:'.length))
