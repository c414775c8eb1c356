import { mkdir, statfs } from 'node:fs/promises'
import { cpus, totalmem, uptime } from 'node:os'
import { join } from 'node:path'
import type { AgentKind, HostFacts, Question } from '../agents/document.ts'
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
import { type HostDrivers, startHostAgents } from './host-agents.ts'

/** Facts are a heartbeat: a host that sent none for a minute is down. */
const heartbeatMs = 20_000

export type HostOptions = { config: Config; secrets: Pick<Secrets, 'linkKey' | 'linkCertificate'>; log: Log }

/** The agents of this machine, over QEMU, Open vSwitch, namespaces and dnsmasq. As root. What they made runs on when they end. */
export async function startHost({ config, secrets, log }: HostOptions): Promise<{ close(): Promise<void> }> {
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
  const netns = openLinuxNetns({ exec, log, stateDir: join(agent.stateDir, 'namespaces') })
  const address = agent.address ?? agent.tunnelIp
  const drivers: HostDrivers = {
    netns,
    vswitch: openOvs({ exec, log, ...agent, datapath, holds: netns.holds }),
    dhcpd: openDnsmasq({ exec, log }),
    hypervisor: openQemu({ exec, log, clock, stateDir: agent.stateDir, blob: link.blob, accelerator, address }),
  }
  const agents = startHostAgents({ drivers, link, clock, log, stateDir: agent.stateDir })
  const facts = await factsOf(exec, config, accelerator, datapath)
  const tell = () =>
    void link.facts(facts).catch((error) => log.debug({ error: explainError(error) }, 'no controller heard the heartbeat'))
  const beat = setInterval(tell, heartbeatMs)
  client.listen({
    hint: (kind) => agents.rounds[kind as AgentKind]?.hint(),
    ask: (question) => agents.ask(question as Question),
    connected() {
      log.info({ controller: agent.controller, accelerator, datapath }, 'connected')
      tell()
      // What was asked for while nobody could be told.
      for (const one of Object.values(agents.rounds)) one.hint()
    },
  })
  return {
    async close() {
      clearInterval(beat)
      client.close()
      await agents.close()
    },
  }
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
