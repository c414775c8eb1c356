import type { ControllerLink, HostFacts } from '../agents/document.ts'
import { openSimDhcpd, type SimDhcpd, simDhcpd } from '../drivers/dhcpd/sim/sim.ts'
import { type SimHost, type SimRoads, simHost, simRoads } from '../drivers/hypervisor/sim/host.ts'
import { openSim } from '../drivers/hypervisor/sim/sim.ts'
import { openSimNetns, type SimNetns, simNetns } from '../drivers/netns/sim/sim.ts'
import { openSimSwitch, type SimSwitch, simSwitch } from '../drivers/vswitch/sim/sim.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { startHostAgents } from './host-agents.ts'
import type { LocalHost } from './local-hosts.ts'

export type SimulatedHostOptions = {
  name: string
  link: ControllerLink
  clock: Clock
  log: Log
  /** 0: rounds are stepped by hand. */
  everyMs?: number
  facts?: Partial<HostFacts>
  /** Shared by the hosts between which guests may move. Default: this host alone. */
  roads?: SimRoads
}

/** What the host is made of: takes faults on request. */
type SimulatedParts = { hypervisor: SimHost; vswitch: SimSwitch; netns: SimNetns; dhcpd: SimDhcpd }

export type SimulatedHost = LocalHost & SimulatedParts

function newParts(roads: SimRoads): SimulatedParts {
  const vswitch = simSwitch()
  const hasDevice = (device: string) => [...vswitch.ports.values()].some(({ port }) => port.device === device)
  return { hypervisor: simHost({}, roads), vswitch, netns: simNetns(hasDevice), dhcpd: simDhcpd() }
}

/** A host made of memory, with the same agents as a real one. */
export function simulatedHost(options: SimulatedHostOptions): SimulatedHost {
  const { name, link, clock, log, everyMs = 30_000, facts = {}, roads = simRoads() } = options
  const parts = newParts(roads)
  const drivers = {
    hypervisor: openSim({ host: parts.hypervisor, clock }),
    vswitch: openSimSwitch({ host: parts.vswitch }),
    netns: openSimNetns({ host: parts.netns }),
    dhcpd: openSimDhcpd({ host: parts.dhcpd, clock }),
  }
  const agents = startHostAgents({ drivers, link, clock, log, everyMs })
  const bootedAt = clock.now()
  return {
    name,
    ...parts,
    ...agents,
    facts: async () => ({
      name,
      cpus: 16,
      memoryMb: 65_536,
      diskGb: 1000,
      accelerator: 'kvm',
      hypervisorVersion: 7_002_000,
      address: '192.0.2.1',
      tunnelIp: '192.0.2.1',
      bridgeMappings: { extnet: 'br-ex' },
      datapath: 'sim',
      cpuModel: 'sim',
      bootedAt,
      ...facts,
    }),
  }
}
