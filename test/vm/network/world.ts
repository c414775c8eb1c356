import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dhcpAgent } from '../../../src/agents/dhcp/index.ts'
import type {
  AgentKind,
  ControllerLink,
  Desired,
  DhcpSeen,
  HostDhcp,
  HostRouter,
  MetadataRequest,
  PortSeen,
  RouterSeen,
  SecurityRule,
  Segment,
} from '../../../src/agents/document.ts'
import { portAgent } from '../../../src/agents/port/index.ts'
import { documentOf, type WholePort } from '../../../src/agents/port/sample.ts'
import { routerAgent } from '../../../src/agents/router/index.ts'
import { openDnsmasq } from '../../../src/drivers/dhcpd/dnsmasq/dnsmasq.ts'
import { openLinuxNetns } from '../../../src/drivers/netns/linux/linux.ts'
import { openOvs } from '../../../src/drivers/vswitch/ovs/ovs.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'

export type Documents = { port: WholePort[]; router: HostRouter[]; dhcp: HostDhcp[] }
export type Told = { port: PortSeen[]; router: RouterSeen[]; dhcp: DhcpSeen[] }

/** The agents of one host with the real drivers, and a controller that answers from a variable. */
export function openHost({ exec, log, dir, ovsDir }: { exec: Exec; log: Log; dir: string; ovsDir: string }) {
  const asked: MetadataRequest[] = []
  const link: Pick<ControllerLink, 'metadata'> = {
    async metadata(request) {
      asked.push(request)
      return {
        status: 200,
        contentType: 'text/plain',
        body: `you are ${request.ip} of ${request.networkId ?? request.routerId}\n`,
      }
    },
  }
  const open = () => {
    const netns = openLinuxNetns({ exec, log, stateDir: dir })
    const dhcpNetns = openLinuxNetns({ exec, log, stateDir: dir })
    const driver = openOvs({
      exec,
      log,
      runDir: ovsDir,
      bridgeMappings: { extnet: 'br-ex', physnet1: 'br-eth1' },
      tunnelIp: '127.0.0.1',
      externalBridge: { bridge: 'br-ex', address: '172.24.4.1/24' },
      datapath: 'netdev',
      holds: (device) => netns.holds(device),
    })
    return {
      port: portAgent({ driver, log }),
      router: routerAgent({ driver: netns, link, log }),
      dhcp: dhcpAgent({ netns: dhcpNetns, dhcpd: openDnsmasq({ exec, log, dir: `${dir}-dhcp` }), link, log }),
    }
  }
  let agents = open()
  const close = () => Promise.all([agents.port.close?.(), agents.router.close?.(), agents.dhcp.close?.()])
  /** Rounds of all agents until none wants another soon. */
  const settle = async (documents: Documents, complete = true): Promise<Told> => {
    const told: Told = { port: [], router: [], dhcp: [] }
    for (let round = 0; round < 8; round++) {
      const port = await agents.port.round(documentOf(documents.port, complete))
      const router = await agents.router.round({ complete, items: documents.router })
      const dhcp = await agents.dhcp.round({ complete, items: documents.dhcp })
      Object.assign(told, { port: port.seen, router: router.seen, dhcp: dhcp.seen })
      if ([port.again, router.again, dhcp.again].every((again) => again === undefined)) break
    }
    return told
  }
  return {
    asked,
    settle,
    agents: () => agents,
    close,
    /** What a killed and restarted agent is: new drivers over the same host. */
    async restart() {
      await close()
      agents = open()
    },
  }
}

export type Host = ReturnType<typeof openHost>
export type { AgentKind, Desired }

/** A namespace with a network card that stands for a guest. The card's other end has the name of the guest's tap. */
export type Guest = {
  name: string
  port: WholePort
  run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** Asks for an address by DHCP as a cloud image does. Gives what was told. */
  dhcp(): Promise<Record<string, string>>
}

export const anyone = (direction: 'ingress' | 'egress', more: Partial<SecurityRule> = {}): SecurityRule => ({
  direction,
  ethertype: 'IPv4',
  protocol: undefined,
  portMin: undefined,
  portMax: undefined,
  remotes: undefined,
  ...more,
})

export const segment = (networkId: string, more: Partial<Segment> = {}): Segment => ({
  networkId,
  type: 'local',
  physicalNetwork: undefined,
  segmentationId: undefined,
  mtu: 1450,
  peers: [],
  elsewhere: [],
  ...more,
})

export const internal = (id: string, device: string, mac: string, addresses: string[], on: Segment): WholePort => ({
  id,
  kind: 'internal',
  device,
  mac,
  addresses,
  allowedPairs: [],
  adminUp: true,
  guarded: false,
  rules: [],
  segment: on,
})

const dhcpScript = `#!/bin/sh
case $1 in bound|renew)
  ip addr flush dev $interface scope global
  ip addr add $ip/$mask dev $interface
  [ -n "$mtu" ] && ip link set dev $interface mtu $mtu
  for r in $router; do ip route replace default via $r dev $interface; done
  set -- $staticroutes
  while [ $# -ge 2 ]; do [ "$2" = 0.0.0.0 ] || ip route replace $1 via $2 dev $interface onlink; shift 2; done
  env;;
esac
`

/** `host`: the namespace that stands for the host; undefined: the one we are in. */
export async function makeGuest(exec: Exec, dir: string, name: string, port: WholePort, host?: string): Promise<Guest> {
  const space = `guest-${name}`
  const script = join(dir, 'udhcpc.sh')
  await mkdir(dir, { recursive: true })
  await writeFile(script, dhcpScript, { mode: 0o755 })
  await exec.run(['ip', 'netns', 'add', space])
  await exec.run([
    'ip',
    ...(host === undefined ? [] : ['-n', host]),
    'link',
    'add',
    port.device,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    space,
  ])
  const run = (...argv: string[]) => exec.attempt(['ip', 'netns', 'exec', space, ...argv])
  // Frames with half-made checksums would pass a switch in user space, and no TCP stack would take them.
  await run('ethtool', '-K', 'eth0', 'tx', 'off')
  await run('ip', 'link', 'set', 'eth0', 'address', port.mac)
  await run('ip', 'link', 'set', 'lo', 'up')
  await run('ip', 'link', 'set', 'eth0', 'up')
  return {
    name,
    port,
    run,
    async dhcp() {
      const wanted = ['-O', 'mtu', '-O', 'staticroutes', '-O', 'hostname']
      const { code, stdout, stderr } = await run(
        'busybox',
        'udhcpc',
        '-i',
        'eth0',
        '-n',
        '-q',
        '-f',
        '-t',
        '6',
        '-T',
        '1',
        ...wanted,
        '-s',
        script,
      )
      if (code !== 0) throw new Error(`${name} got no address: ${stderr.slice(-300)}`)
      return Object.fromEntries(
        stdout
          .split('\n')
          .flatMap((line) => (line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [])),
      )
    },
  }
}
