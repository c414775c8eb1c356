import { dhcpAgent } from '../agents/dhcp/index.ts'
import type { AgentKind, ControllerLink, HostInventory, Question } from '../agents/document.ts'
import { portAgent } from '../agents/port/index.ts'
import { type Agent, type Rounds, startRounds } from '../agents/rounds.ts'
import { routerAgent } from '../agents/router/index.ts'
import { vmAgent } from '../agents/vm/index.ts'
import type { Dhcpd } from '../drivers/dhcpd/driver.ts'
import type { Hypervisor } from '../drivers/hypervisor/driver.ts'
import type { Netns } from '../drivers/netns/driver.ts'
import type { Vswitch } from '../drivers/vswitch/driver.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'

export type HostDrivers = { hypervisor: Hypervisor; vswitch: Vswitch; netns: Netns; dhcpd: Dhcpd }

export type HostAgentsOptions = {
  drivers: HostDrivers
  link: ControllerLink
  clock: Clock
  log: Log
  /** Where the last documents are kept; undefined: nowhere. */
  stateDir?: string
  /** 0: rounds are stepped by hand. */
  everyMs?: number
}

export type HostAgents = {
  rounds: Record<AgentKind, Rounds>
  ask(question: Question): Promise<unknown>
  close(): Promise<void>
}

/** All agents of one host over its drivers, real or simulated. */
export function startHostAgents({ drivers, link, clock, log, ...options }: HostAgentsOptions): HostAgents {
  const { hypervisor, vswitch, netns, dhcpd } = drivers
  const vm = vmAgent({ driver: hypervisor, clock, log })
  const port = portAgent({ driver: vswitch, log })
  const router = routerAgent({ driver: netns, link, log })
  const dhcp = dhcpAgent({ netns, dhcpd, link, log })
  /** The other agents wait for the devices that the port agent makes; a switch that was restarted made them all anew. */
  let lastPorts = ''
  const unwatch = vswitch.watch(() => {
    lastPorts = ''
  })
  const told: ControllerLink = {
    ...link,
    async report(kind, seen) {
      const text = kind === 'port' ? JSON.stringify(seen) : lastPorts
      // Before it is told: the devices are there whether or not a controller listens.
      if (text !== lastPorts) for (const one of [rounds.router, rounds.dhcp, rounds.vm]) one.hint()
      lastPorts = text
      await link.report(kind, seen)
    },
  }
  const start = <Item, Seen>(agent: Agent<Item, Seen>): Rounds => startRounds({ agent, link: told, log, ...options })
  const rounds = { port: start(port), router: start(router), dhcp: start(dhcp), vm: start(vm) }

  const inventory = async (): Promise<HostInventory> => {
    const guests = await vm.inventory()
    const ports = await port.inventory()
    const routers = await router.inventory()
    const servers = await dhcp.inventory()
    return {
      vms: guests.vms,
      ports: ports.ports,
      namespaces: [...new Set([...routers.namespaces, ...servers.namespaces])],
      files: [...guests.files, ...servers.files],
      problems: [...new Set([...guests.problems, ...ports.problems, ...routers.problems, ...servers.problems])],
    }
  }
  return {
    rounds,
    ask: async (question) => (question.ask === 'console-log' ? vm.consoleLog(question.vm, question.bytes) : inventory()),
    async close() {
      unwatch()
      for (const one of Object.values(rounds)) await one.close()
    },
  }
}
