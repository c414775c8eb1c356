import { family, isMac } from './addresses.ts'
import { cookie } from './cookies.ts'
import { type FlowText, macs, receivedFlows, sentFlows, sentRuleFlows, table, type WiredPort } from './guard.ts'
import { ruleMatches } from './rules.ts'

/** Numbers of the ports by which br-int reaches physical networks and the tunnels of each type. */
export type Uplinks = { physical: Record<string, number>; tunnel: Record<string, number> }

/** A port of a network that the document does not name now: it still hears what is meant for all. */
export type Bystander = { ofport: number; vlan: number; networkId: string; guarded: boolean }

const withCookie = (text: string) => (flow: FlowText) => `cookie=${text},${flow}`

/** What stands against this port: the text is for the user. Undefined: nothing. */
export function portProblem(port: WiredPort): string | undefined {
  if (!isMac(port.mac)) return 'The port has no valid MAC address.'
  if (port.addresses.some((ip) => family(ip) === 0 || ip.includes('/'))) return 'The port has an invalid address.'
  if (port.allowedPairs.some(({ ip, mac }) => family(ip) === 0 || (mac !== '' && !isMac(mac)))) {
    return 'The port has an invalid allowed address pair.'
  }
  return undefined
}

/** What of the port's rules was left out. */
export const ruleProblem = (port: WiredPort): string | undefined =>
  port.guarded ? port.rules.map((rule) => ruleMatches(rule).problem).find((problem) => problem !== undefined) : undefined

/** Hands the packet to a port: by its rules, or as it is. */
const hand = ({ guarded, ofport }: { guarded: boolean; ofport: number }): string =>
  guarded ? `set_field:${ofport}->reg5,resubmit(,${table.received})` : `output:${ofport}`

function portFlows(port: WiredPort): FlowText[] {
  const network = `set_field:${port.vlan}->reg6`
  const next = port.guarded ? table.sent : table.forward
  return [
    `table=${table.classify},priority=100,in_port=${port.ofport},actions=${network},resubmit(,${next})`,
    `table=${table.forward},priority=100,reg6=${port.vlan},dl_dst=${port.mac},actions=${hand(port)}`,
    ...(port.guarded ? [...sentFlows(port), ...sentRuleFlows(port), ...receivedFlows(port)] : []),
  ]
}

export const isTunnel = (type: string) => type === 'vxlan' || type === 'gre' || type === 'geneve'

/** Sends out of the host: with the network's own number on the wire, to each peer where there are tunnels. Ends an action list. */
function outward({ segment }: WiredPort, peers: string[], uplinks: Uplinks): string[] {
  const { type, physicalNetwork, segmentationId } = segment
  if (isTunnel(type)) {
    const port = uplinks.tunnel[type]
    if (port === undefined || peers.length === 0) return []
    return [`set_field:${segmentationId}->tun_id`, ...peers.map((peer) => `set_field:${peer}->tun_dst,output:${port}`)]
  }
  const port = physicalNetwork === undefined ? undefined : uplinks.physical[physicalNetwork]
  if (port === undefined) return []
  return type === 'vlan'
    ? [`push_vlan:0x8100,set_field:${4096 + (segmentationId ?? 0)}->vlan_vid,output:${port}`]
    : [`output:${port}`]
}

/** Takes in what arrives for this network from outside the host. */
function inward({ segment, vlan }: WiredPort, uplinks: Uplinks): FlowText[] {
  const { type, physicalNetwork, segmentationId } = segment
  const at = (match: string, actions: string) => `table=${table.classify},priority=90,${match},actions=${actions}`
  const network = `set_field:${vlan}->reg6`
  const next = `resubmit(,${table.forward})`
  if (isTunnel(type)) {
    const port = uplinks.tunnel[type]
    return port === undefined
      ? []
      : [at(`in_port=${port},tun_id=${segmentationId}`, `${network},${learn(segment.networkId)},${next}`)]
  }
  const port = physicalNetwork === undefined ? undefined : uplinks.physical[physicalNetwork]
  if (port === undefined) return []
  if (type === 'vlan') return [at(`in_port=${port},dl_vlan=${segmentationId}`, `pop_vlan,${network},${next}`)]
  return [at(`in_port=${port},vlan_tci=0x0000`, `${network},${next}`)]
}

/** Remembers behind which host a card was last heard, so that one copy is sent and not one to each. */
const learn = (networkId: string) =>
  `learn(table=${table.remote},hard_timeout=300,priority=1,cookie=${cookie('learned', networkId)},NXM_NX_REG6[],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],load:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],output:NXM_OF_IN_PORT[])`

/** One network's own flows: what is for everybody, what is for somebody we do not know, what comes from outside. */
function networkFlows(ports: WiredPort[], others: Bystander[], uplinks: Uplinks): FlowText[] {
  const [first] = ports
  if (!first) return []
  const reach = [...ports, ...others].sort((one, two) => one.ofport - two.ofport)
  const peers = [...new Set(ports.flatMap((port) => port.segment.peers))].filter((peer) => family(peer) === 4).sort()
  const out = outward(first, peers, uplinks)
  const here = `reg6=${first.vlan}`
  const list = (actions: string[]) => (actions.length === 0 ? 'drop' : actions.join(','))
  // Behind an unguarded port there may be cards nobody told us of, e.g. guests of a guest.
  const open = reach.filter((port) => !port.guarded).map(hand)
  const shared = [...new Set(ports.filter((port) => port.guarded).flatMap((port) => macs(port)))].filter(
    (mac) => !ports.some((port) => port.mac.toLowerCase() === mac),
  )
  const holders = (mac: string) => ports.filter((port) => port.guarded && macs(port).includes(mac)).map(hand)
  return [
    ...inward(first, uplinks),
    `table=${table.forward},priority=50,${here},dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=${list([...reach.map(hand), ...out])}`,
    ...shared.map((mac) => `table=${table.forward},priority=60,${here},dl_dst=${mac},actions=${list([...holders(mac), ...out])}`),
    `table=${table.forward},priority=40,${here},actions=resubmit(,${table.remote})`,
    `table=${table.remote},priority=0,${here},actions=${list([...open, ...out])}`,
  ]
}

/**
 * Every flow of br-int for these ports, with cookies. Pure. There is no learning of local cards and no NORMAL: a packet reaches
 * exactly the ports of its network that are named here, and a guarded one only by its rules, also when it is for everybody.
 */
export function pipeline(ports: readonly WiredPort[], others: readonly Bystander[], uplinks: Uplinks): string[] {
  const networks = Map.groupBy(ports, (port) => port.segment.networkId)
  const flows = [
    ...ports.flatMap((port) => portFlows(port).map(withCookie(cookie('port', port.id)))),
    ...[...networks].flatMap(([id, inside]) =>
      networkFlows(
        inside,
        others.filter((port) => port.networkId === id),
        uplinks,
      ).map(withCookie(cookie('network', id))),
    ),
  ]
  return [...new Set(flows)]
}
