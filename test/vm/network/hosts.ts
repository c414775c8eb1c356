import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Elsewhere, Segment } from '../../../src/agents/document.ts'
import { portAgent } from '../../../src/agents/port/index.ts'
import { documentOf, type WholePort } from '../../../src/agents/port/sample.ts'
import { openOvs } from '../../../src/drivers/vswitch/ovs/ovs.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'
import { startSwitch, type TestSwitch } from './switch.ts'
import { anyone, type Guest } from './world.ts'

const physicalMtu = 1500

/** Runs every program in a namespace. */
export const within = (exec: Exec, space: string): Exec => ({
  attempt: (argv, options) => exec.attempt(['ip', 'netns', 'exec', space, ...argv], options),
  run: (argv, options) => exec.run(['ip', 'netns', 'exec', space, ...argv], options),
})

export type TunnelHost = {
  name: string
  /** Address its tunnels begin at. */
  ip: string
  ovs: TestSwitch
  inside: Exec
  /** Our ends of its cards: what is on its wires. */
  wires: { tunnel: string; physical: string }
  /** Rounds until these ports are wired. */
  become(ports: WholePort[], complete?: boolean): Promise<void>
  /** What a killed and restarted agent is: a new driver over the same switch. */
  restartAgent(): Promise<void>
  /** What whoever looks after the host's own cards does after a restart of the switch. */
  address(): Promise<void>
  close(): Promise<void>
}

/** Wires between hosts: what one sends to the other passes here. */
export async function layWires(exec: Exec): Promise<void> {
  for (const wire of ['wire-t', 'wire-p']) {
    await exec.run(['ip', 'link', 'add', wire, 'type', 'bridge'])
    await exec.run(['ip', 'link', 'set', wire, 'up'])
  }
}

async function plugIn(exec: Exec, name: string, card: string, wire: string): Promise<string> {
  const ours = `${name}-${card}`
  await exec.run(['ip', 'link', 'add', ours, 'mtu', `${physicalMtu}`, 'type', 'veth', 'peer', 'name', card, 'netns', name])
  await exec.run(['ip', 'link', 'set', ours, 'up', 'master', wire])
  // Frames with half-made checksums would pass switches in user space, and no TCP stack would take them.
  await exec.run(['ethtool', '-K', ours, 'tx', 'off'])
  await exec.run(['ip', 'netns', 'exec', name, 'ethtool', '-K', card, 'tx', 'off'])
  await exec.run(['ip', '-n', name, 'link', 'set', card, 'up', 'mtu', `${physicalMtu}`])
  return ours
}

/** A host of its own: a namespace, a switch, a card for tunnels and one for VLANs, the port agent. */
export async function makeHost(exec: Exec, log: Log, dir: string, number: number): Promise<TunnelHost> {
  const [name, ip] = [`host${number}`, `192.0.2.${number}`]
  await exec.run(['ip', 'netns', 'add', name])
  const inside = within(exec, name)
  await inside.run(['ip', 'link', 'set', 'lo', 'up'])
  const wires = { tunnel: await plugIn(exec, name, 'under', 'wire-t'), physical: await plugIn(exec, name, 'phys', 'wire-p') }
  const ovs = await startSwitch(exec, `${dir}/${name}`, ['ip', 'netns', 'exec', name])
  // A tunnel in user space sends by way of a bridge that has both the card and the address.
  for (const [bridge, card] of [
    ['br-phy', 'under'],
    ['br-eth1', 'phys'],
  ] as const) {
    const netdev = ['set', 'bridge', bridge, 'datapath_type=netdev']
    await ovs.vsctl('add-br', bridge, '--', ...netdev, '--', 'add-port', bridge, card)
  }
  const address = async () => {
    await inside.run(['ip', 'addr', 'replace', `${ip}/24`, 'dev', 'br-phy'])
    await inside.run(['ip', 'link', 'set', 'br-phy', 'up', 'mtu', `${physicalMtu}`])
  }
  await address()
  const open = () => {
    const mappings = { physnet1: 'br-eth1' }
    const reach = { bridgeMappings: mappings, tunnelIp: ip, datapath: 'netdev' as const, holds: async () => false }
    return portAgent({ driver: openOvs({ exec: inside, log, runDir: ovs.dir, ...reach }), log })
  }
  let agent = open()
  return {
    name,
    ip,
    ovs,
    inside,
    wires,
    address,
    async become(ports, complete = true) {
      const { seen } = await agent.round(documentOf(ports, complete))
      for (const { id, wired, error } of seen) assert.deepEqual([wired, error], [true, undefined], `${name} ${id}`)
    },
    async restartAgent() {
      await agent.close?.()
      agent = open()
    },
    async close() {
      await agent.close?.()
    },
  }
}

export const guestPort = (number: number, on: Segment, more: Partial<WholePort> = {}): WholePort => ({
  id: `70000000-0000-4000-8000-00000000000${number}`,
  kind: 'vm',
  device: `tapt${number}`,
  mac: `fa:16:3e:00:09:0${number}`,
  addresses: [`10.9.0.${number}`],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules: [anyone('egress'), anyone('ingress')],
  segment: on,
  ...more,
})

/** Where each port is: what a controller tells each host of the others. A port on its way is at two. */
export type Layout = { host: TunnelHost; port: WholePort }[]

/** The ports of a host as a controller would tell them. */
export const told = (host: TunnelHost, layout: Layout): WholePort[] =>
  layout
    .filter((one) => one.host === host)
    .map(({ port }) => ({ ...port, segment: { ...port.segment, ...othersOf(host, port, layout) } }))

function othersOf(host: TunnelHost, { segment }: WholePort, layout: Layout): Pick<Segment, 'peers' | 'elsewhere'> {
  const others = layout.filter((one) => one.host !== host && one.port.segment.networkId === segment.networkId)
  const elsewhere = others.map(
    ({ host: at, port }): Elsewhere => ({ mac: port.mac, ips: port.addresses, at: at.ip, hides: !port.guarded }),
  )
  return { peers: [...new Set(others.map((one) => one.host.ip))], elsewhere }
}

export const become = async (hosts: TunnelHost[], layout: Layout): Promise<void> => {
  for (const host of hosts) await host.become(told(host, layout))
}

/** Packets like this on a wire or at a card while something is done. */
export async function heard(exec: Exec, card: string, filter: string, act: () => Promise<unknown>): Promise<string[]> {
  const listening = exec.attempt(['timeout', '--signal=INT', '2.5', 'tcpdump', '-lnnpei', card, filter])
  await delay(600)
  await act()
  const { stdout } = await listening
  return stdout.split('\n').filter((line) => line !== '')
}

const echo = (port: number) => `require('net').createServer(s=>{s.on('error',()=>{});s.pipe(s)}).listen(${port},'0.0.0.0')`

/** Sends so many bytes over TCP and gets them back, in packets as large as the network takes. */
export async function passesTcp(from: Guest, to: Guest, ip: string): Promise<boolean> {
  const server = spawn('ip', ['netns', 'exec', `guest-${to.name}`, process.execPath, '-e', echo(7)], { stdio: 'ignore' })
  try {
    await delay(500)
    const bytes = 300_000
    const code = `const s=require('net').connect(7,'${ip}');s.setTimeout(4000,()=>process.exit(1));s.on('error',()=>process.exit(1));s.write('x'.repeat(${bytes}));let n=0;s.on('data',d=>{n+=d.length;if(n>=${bytes})process.exit(0)})`
    return (await from.run(process.execPath, '-e', code)).code === 0
  } finally {
    server.kill('SIGKILL')
  }
}
