import { mkdir, statfs } from 'node:fs/promises'
import { cpus, totalmem, uptime } from 'node:os'
import { join } from 'node:path'
import type { AgentKind, HostFacts, HostInventory, Question } from '../agents/document.ts'
import { openDnsmasq } from '../drivers/dhcpd/dnsmasq/dnsmasq.ts'
import { type Accelerator, probeAccelerator } from '../drivers/hypervisor/qemu/accelerator.ts'
import { openQemu } from '../drivers/hypervisor/qemu/qemu.ts'
import { openLinuxNetns } from '../drivers/netns/linux/linux.ts'
import { openOvs, probeDatapath } from '../drivers/vswitch/ovs/ovs.ts'
import { systemClock } from '../kit/clock.ts'
import { explainError } from '../kit/errors.ts'
import { type Exec, openExec } from '../kit/exec/exec.ts'
import { openLinkClient } from '../kit/link/client.ts'
import type { Log } from '../kit/log.ts'
import { agentLink } from './agent-link.ts'
import type { Config, Secrets } from './config.ts'
import { type HostAgents, type HostDrivers, startHostAgents } from './host-agents.ts'
import { liveSwitch } from './live-switch.ts'
import { type NeutronFiles, openNeutronFiles } from './neutron-files.ts'

/** Facts are a heartbeat: a host that sent none for a minute is down. */
const heartbeatMs = 20_000

export type HostOptions = {
  config: Config
  secrets: Pick<Secrets, 'linkKey' | 'linkCertificate'>
  log: Log
  /** Where files of neutron's plugins may be. Default /etc/neutron/plugins. */
  neutronFolder?: string
}

/** The agents of this machine, over QEMU, Open vSwitch, namespaces and dnsmasq. As root. What they made runs on when they end. */
export async function startHost({ config, secrets, log, neutronFolder }: HostOptions): Promise<{ close(): Promise<void> }> {
  const { agent } = config
  const clock = systemClock()
  const exec = openExec(log)
  await mkdir(agent.stateDir, { recursive: true, mode: 0o711 })
  const client = openLinkClient({
    url: agent.controller,
    ...(secrets.linkCertificate && { certificate: secrets.linkCertificate }),
    key: secrets.linkKey,
    host: agent.name,
    log,
  })
  const link = agentLink(client)
  const accelerator = await chooseAccelerator(exec, agent.virt)
  const datapath = await probeDatapath()
  const files = await openNeutronFiles({
    folder: neutronFolder,
    stateFile: join(agent.stateDir, 'neutron-files.json'),
    isAgent: true,
    log,
  })
  /** Files stand above the configuration. */
  const reach = () => ({ bridgeMappings: agent.bridgeMappings, tunnelIp: agent.tunnelIp, ...files.overlay().agent })
  const netns = openLinuxNetns({ exec, log, stateDir: join(agent.stateDir, 'namespaces') })
  const address = agent.address ?? agent.tunnelIp
  const vswitch = liveSwitch(() =>
    openOvs({ exec, log, ...agent, ...reach(), datapath, cards: cardsOf(agent), holds: netns.holds }),
  )
  const drivers: HostDrivers = {
    netns,
    vswitch,
    dhcpd: openDnsmasq({ exec, log }),
    hypervisor: openQemu({ exec, log, clock, stateDir: agent.stateDir, blob: link.blob, accelerator, address }),
  }
  // The way to the controller may lead through a bridge that has yet to get its address.
  await vswitch.prepare().catch((error) => log.warn({ error: explainError(error) }, 'the switch is not ready yet'))
  const agents = startHostAgents({ drivers, link, clock, log, stateDir: agent.stateDir })
  const facts = await factsOf(exec, config, accelerator, datapath)
  const tell = () =>
    void link
      .facts({ ...facts, ...reach(), address: agent.address ?? reach().tunnelIp, isNetworkHost: agent.isNetworkHost ?? true })
      .catch((error) => log.debug({ error: explainError(error) }, 'no controller heard the heartbeat'))
  const beat = setInterval(tell, heartbeatMs)
  client.listen({
    hint: (kind) => agents.rounds[kind as AgentKind]?.hint(),
    ask: (question) => answer(agents, files, question as Question),
    connected() {
      log.info({ controller: agent.controller, accelerator, datapath }, 'connected')
      tell()
      // What was asked for while nobody could be told.
      for (const one of Object.values(agents.rounds)) one.hint()
    },
  })
  const unwatch = files.watch(() => {
    log.info(reach(), 'files of neutron say something else; bridges that are not there are made')
    void vswitch.reopen().then(() => agents.rounds.port.hint())
    tell()
  })
  return {
    async close() {
      unwatch()
      clearInterval(beat)
      client.close()
      await agents.close()
    },
  }
}

const cardsOf = ({ uplinks = [], tunnelInterface, stateDir, controller }: Config['agent']) => {
  const { hostname, port } = new URL(controller)
  return { uplinks, tunnelInterface, stateDir, controller: { host: hostname, port: Number(port) } }
}

/** With what is broken in files. */
async function answer(agents: HostAgents, files: NeutronFiles, question: Question): Promise<unknown> {
  const said = await agents.ask(question)
  if (question.ask !== 'inventory') return said
  const inventory = said as HostInventory
  return { ...inventory, problems: [...inventory.problems, ...files.problems()] }
}

const chooseAccelerator = async (exec: Exec, virt: Config['agent']['virt']): Promise<Accelerator> => {
  if (virt === 'auto') return probeAccelerator(exec)
  return virt === 'kvm' ? 'kvm' : 'tcg'
}

async function factsOf(
  exec: Exec,
  { agent }: Config,
  accelerator: Accelerator,
  datapath: HostFacts['datapath'],
): Promise<HostFacts> {
  const { blocks, bsize } = await statfs(agent.stateDir)
  return {
    name: agent.name,
    cpus: cpus().length,
    memoryMb: Math.floor(totalmem() / 2 ** 20),
    diskGb: Math.floor((blocks * bsize) / 2 ** 30),
    accelerator,
    hypervisorVersion: versionNumber(await exec.run(['qemu-system-x86_64', '--version'])),
    address: agent.address ?? agent.tunnelIp,
    tunnelIp: agent.tunnelIp,
    bridgeMappings: agent.bridgeMappings,
    datapath,
    cpuModel: cpus()[0]?.model ?? '',
    bootedAt: (Date.now() - uptime() * 1000) * 1000,
  }
}

/** `QEMU emulator version 7.2.19 (…)` as 7002019, as the API shows it. */
const versionNumber = (text: string): number => {
  const [, major = '0', minor = '0', patch = '0'] = /version (\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []
  return Number(major) * 1_000_000 + Number(minor) * 1000 + Number(patch)
}
