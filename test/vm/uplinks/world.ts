import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Entry } from '../../../src/drivers/vswitch/ovs/uplinks-journal.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import { startSwitch, type TestSwitch } from '../network/switch.ts'
import type { AgentAnswer, AgentAsk } from './agent.ts'

export const host = 'host'
export const gateway = { v4: '203.0.113.1', v6: 'fd00:113::1', port: 8781 }
export const ownAddress = '203.0.113.5'

/** A host with one card, behind which there are its gateway and its controller. */
export type World = {
  exec: Exec
  /** Runs a program on the host. */
  inside(...argv: string[]): Promise<string>
  ovs: TestSwitch
  /** Starts an agent and waits for its end. */
  agent(ask?: Partial<AgentAsk>): Promise<AgentAnswer>
  /** Starts one and kills it so much later. Tells whether it was still at work. */
  killedAgent(ask: Partial<AgentAsk>, afterMs: number): Promise<boolean>
  /** The wire of the host's card. */
  wire(state: 'up' | 'down'): Promise<void>
  /** It is another start of the host, as far as the kernel tells. */
  restartHost(): Promise<void>
  /** As the distribution does at boot. */
  addressCard(): Promise<void>
  /** Addresses and routes of a device, as they are to be seen. */
  stateOf(device: string): Promise<unknown>
  journal(): Promise<Entry[]>
  close(): Promise<void>
}

export async function openWorld(exec: Exec, dir: string): Promise<World> {
  const inside = (...argv: string[]) => exec.run(['ip', 'netns', 'exec', host, ...argv])
  await layWire(exec, inside)
  const controller = await listen()
  const ovs = await startSwitch(exec, join(dir, 'ovs'), ['ip', 'netns', 'exec', host])
  const stateDir = join(dir, 'state')
  const usual: AgentAsk = {
    runDir: ovs.dir,
    bridgeMappings: { physnet2: 'br-eth1' },
    tunnelIp: undefined,
    cards: {
      stateDir,
      uplinks: [{ bridge: 'br-eth1', nic: 'eth1' }],
      tunnelInterface: undefined,
      controller: { host: gateway.v4, port: gateway.port },
    },
  }
  const asked = (ask: Partial<AgentAsk>): AgentAsk => ({
    ...usual,
    ...ask,
    ...(ask.cards && { cards: { ...ask.cards, stateDir } }),
  })
  const argv = (ask: Partial<AgentAsk>) => ['node', join(import.meta.dirname, 'agent.ts'), JSON.stringify(asked(ask))]
  return {
    exec,
    inside,
    ovs,
    agent: async (ask = {}) => JSON.parse(await inside(...argv(ask))) as AgentAnswer,
    killedAgent: (ask, afterMs) => killed(['ip', 'netns', 'exec', host, ...argv(ask)], afterMs),
    wire: async (state) => void (await exec.run(['ip', 'link', 'set', 'wire-1', state])),
    async restartHost() {
      await writeFile(join(dir, 'boot'), `${randomUUID()}\n`)
      await exec.run(['mount', '--bind', join(dir, 'boot'), '/proc/sys/kernel/random/boot_id'])
    },
    addressCard: () => addressCard(inside),
    stateOf: (device) => stateOf(inside, device),
    journal: async () => JSON.parse(await readFile(join(stateDir, 'uplinks.json'), 'utf8').catch(() => '[]')) as Entry[],
    async close() {
      controller.close()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}

async function layWire(exec: Exec, inside: World['inside']): Promise<void> {
  await exec.run(['ip', 'netns', 'add', host])
  await exec.run(['ip', 'link', 'add', 'outside', 'type', 'bridge'])
  await exec.run(['ip', 'link', 'add', 'wire-1', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', host])
  for (const link of ['outside', 'wire-1']) {
    await exec.run(['ip', 'link', 'set', link, 'up'])
    // Frames with half-made checksums would pass switches in user space, and no TCP stack would take them.
    await exec.run(['ethtool', '-K', link, 'tx', 'off'])
  }
  await exec.run(['ip', 'link', 'set', 'wire-1', 'master', 'outside'])
  await exec.run(['ip', 'address', 'add', `${gateway.v4}/24`, 'dev', 'outside'])
  await exec.run(['ip', 'address', 'add', `${gateway.v6}/64`, 'dev', 'outside', 'nodad'])
  await inside('ip', 'link', 'set', 'lo', 'up')
  await inside('ip', 'link', 'set', 'eth1', 'up')
  await addressCard(inside)
}

async function addressCard(inside: World['inside']): Promise<void> {
  await inside('ip', 'address', 'replace', `${ownAddress}/24`, 'dev', 'eth1')
  await inside('ip', 'address', 'replace', 'fd00:113::5/64', 'dev', 'eth1', 'nodad')
  await inside('ip', 'route', 'replace', 'default', 'via', gateway.v4, 'dev', 'eth1', 'metric', '50')
  await inside('ip', 'route', 'replace', '198.18.0.0/15', 'via', gateway.v4, 'dev', 'eth1', 'table', '77')
  await inside('ip', '-6', 'route', 'replace', 'default', 'via', gateway.v6, 'dev', 'eth1')
}

const listen = (): Promise<Server> =>
  new Promise((resolve, reject) => {
    // It echoes, so that a connection shows whether it lives.
    const server = createServer((socket) => void socket.on('error', () => socket.destroy()).pipe(socket))
    server.once('error', reject)
    server.listen(gateway.port, '0.0.0.0', () => resolve(server))
  })

function killed(argv: string[], afterMs: number): Promise<boolean> {
  const [program = '', ...args] = argv
  const child = spawn(program, args, { stdio: 'ignore' })
  setTimeout(() => child.kill('SIGKILL'), afterMs)
  return new Promise((resolve) => child.on('close', (_, signal) => resolve(signal === 'SIGKILL')))
}

type Seen = { addr_info?: { local: string; prefixlen: number; scope: string }[] }

async function stateOf(inside: World['inside'], device: string): Promise<unknown> {
  const [link] = JSON.parse(await inside('ip', '-j', 'address', 'show', 'dev', device)) as Seen[]
  const routes = async (version: string) =>
    (JSON.parse(await inside('ip', '-j', version, 'route', 'show', 'table', 'all', 'dev', device)) as Record<string, unknown>[])
      .filter(({ table, dst }) => table !== 'local' && !String(dst).startsWith('fe80'))
      .map(({ dst, gateway: by, metric, table }) => [dst, by, metric, table].join(' '))
      .sort()
  return {
    addresses: (link?.addr_info ?? [])
      .filter(({ scope }) => scope === 'global')
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    routes: [...(await routes('-4')), ...(await routes('-6'))],
  }
}

export const nothing = { addresses: [], routes: [] }

export function says(problems: string[], ...patterns: RegExp[]): void {
  assert.equal(problems.length, patterns.length, problems.join('\n'))
  for (const [index, pattern] of patterns.entries()) assert.match(problems[index] ?? '', pattern)
}
