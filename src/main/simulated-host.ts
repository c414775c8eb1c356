import type { ControllerLink, HostFacts } from '../agents/document.ts'
import { type Agent, type Rounds, startRounds } from '../agents/rounds.ts'
import { vmAgent } from '../agents/vm/index.ts'
import { openSim, type SimHost, simHost } from '../drivers/hypervisor/sim/sim.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { LocalHost } from './local-hosts.ts'

export type SimulatedHostOptions = {
  name: string
  link: ControllerLink
  clock: Clock
  log: Log
  /** 0: rounds are stepped by hand. */
  everyMs?: number
  facts?: Partial<HostFacts>
}

export type SimulatedHost = LocalHost & { hypervisor: SimHost }

/** A host made of memory, with the same agents as a real one. */
export function simulatedHost({ name, link, clock, log, everyMs = 30_000, facts = {} }: SimulatedHostOptions): SimulatedHost {
  const hypervisor = simHost()
  const vm = vmAgent({ driver: openSim({ host: hypervisor, clock }), clock, log })
  const start = <Item, Seen>(agent: Agent<Item, Seen>): Rounds => startRounds({ agent, link, log, everyMs })
  const rounds = { vm: start(vm) }
  const bootedAt = clock.now()
  return {
    name,
    hypervisor,
    rounds,
    facts: async () => ({
      name,
      cpus: 16,
      memoryMb: 65_536,
      diskGb: 1000,
      accelerator: 'kvm',
      hypervisorVersion: 7_002_000,
      tunnelIp: '192.0.2.1',
      bridgeMappings: { extnet: 'br-ex' },
      datapath: 'sim',
      cpuModel: 'sim',
      bootedAt,
      ...facts,
    }),
    async ask(question) {
      if (question.ask === 'console-log') return vm.consoleLog(question.vm, question.bytes)
      const { vms, files, problems } = await vm.inventory()
      return { vms, ports: [], namespaces: [], files, problems }
    },
    async close() {
      for (const one of Object.values(rounds)) await one.close()
    },
  }
}
