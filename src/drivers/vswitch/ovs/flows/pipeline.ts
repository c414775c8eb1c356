import { family, isMac } from './addresses.ts'
import { cookie, withCookie } from './cookies.ts'
import { macs, receivedFlows, sentFlows, sentRuleFlows } from './guard.ts'
import { ruleMatches } from './rules.ts'
import { addressFlows, numberSets, type SetNumbers } from './sets.ts'
import { type FlowText, table, type WiredPort } from './tables.ts'
import { isTunnel } from './tunnels.ts'

/** Numbers of the ports by which br-int reaches physical networks and br-tun. */
export type Uplinks = { physical: Record<string, number>; tunnel: number | undefined }

/** A port of a network that the document does not name now: it still hears what is meant for all. */
export type Bystander = Pick<WiredPort, 'ofport' | 'vlan' | 'guarded' | 'kind' | 'move'> & { networkId: string }

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

type Holder = Pick<WiredPort, 'guarded' | 'ofport' | 'move'>

/** Hands the packet to a port: by its rules, or as it is. To one that waits for its guest: as soon as that is here. */
function hand({ guarded, ofport, move }: Holder): string {
  if (move === 'comes')
    return `set_field:${ofport}->reg7,set_field:0->reg5,resubmit(,${table.awake}),resubmit(,${table.received})`
  return guarded ? `set_field:${ofport}->reg5,resubmit(,${table.received})` : `output:${ofport}`
}

/** Whatever a port says wakes it: from then on it is handed what is sent to it. */
const wake = ({ id, ofport }: WiredPort) =>
  `learn(table=${table.awake},hard_timeout=300,priority=1,cookie=${cookie('learned', id)},reg7=${ofport},load:${ofport}->NXM_NX_REG5[])`

function portFlows(port: WiredPort, uplinks: Uplinks, sets: SetNumbers): FlowText[] {
  const { ofport, vlan, kind, guarded, move } = port
  const enter = [
    ...(move === 'comes' ? [wake(port)] : []),
    `set_field:${vlan}->reg6`,
    `resubmit(,${guarded ? table.sent : table.forward})`,
  ]
  // A tag of the guest's own would count as a network's on a flat one. (No tag, in the form the switch gives it back.)
  const match = kind === 'vm' ? `in_port=${ofport},vlan_tci=0x0000/0x1fff` : `in_port=${ofport}`
  const deliver = [hand(port), ...(move === undefined ? [] : outward(port, uplinks))]
  return [
    `table=${table.classify},priority=100,${match},actions=${enter.join(',')}`,
    `table=${table.forward},priority=100,reg6=${vlan},dl_dst=${port.mac},actions=${deliver.join(',')}`,
    ...(guarded ? [...sentFlows(port), ...sentRuleFlows(port, sets), ...receivedFlows(port, sets)] : []),
    ...(!guarded && move === 'comes' ? [`table=${table.received},priority=1,reg5=${ofport},actions=output:${ofport}`] : []),
  ]
}

/** Where a network leaves br-int, and the tag it has there: its own on a physical network, its local one towards br-tun. */
function door({ segment, vlan }: WiredPort, uplinks: Uplinks): { port: number; tag: number | undefined } | undefined {
  const { type, physicalNetwork, segmentationId } = segment
  const port = isTunnel(type) ? uplinks.tunnel : physicalNetwork === undefined ? undefined : uplinks.physical[physicalNetwork]
  if (port === undefined) return undefined
  return { port, tag: isTunnel(type) ? vlan : type === 'vlan' ? (segmentationId ?? 0) : undefined }
}

/** Sends out of br-int. Ends an action list. */
function outward(port: WiredPort, uplinks: Uplinks): string[] {
  const way = door(port, uplinks)
  if (!way) return []
  const output = `output:${way.port}`
  return way.tag === undefined ? [output] : [`push_vlan:0x8100,set_field:${4096 + way.tag}->vlan_vid,${output}`]
}

/** Takes in what arrives for this network from outside br-int. */
function inward(port: WiredPort, uplinks: Uplinks): FlowText[] {
  const way = door(port, uplinks)
  if (!way) return []
  const next = `set_field:${port.vlan}->reg6,resubmit(,${table.forward})`
  const [match, actions] = way.tag === undefined ? ['vlan_tci=0x0000/0x1fff', next] : [`dl_vlan=${way.tag}`, `pop_vlan,${next}`]
  return [`table=${table.classify},priority=90,in_port=${way.port},${match},actions=${actions}`]
}

/** One network's own flows: what is for everybody, what is for somebody we do not know, what comes from outside. */
function networkFlows(ports: WiredPort[], others: Bystander[], uplinks: Uplinks): FlowText[] {
  const [first] = ports
  if (!first) return []
  const reach = [...ports, ...others].sort((one, two) => one.ofport - two.ofport)
  const out = outward(first, uplinks)
  const here = `reg6=${first.vlan}`
  const list = (actions: string[]) => (actions.length === 0 ? 'drop' : actions.join(','))
  // Behind an unguarded port there may be cards nobody told us of, e.g. guests of a guest.
  const open = reach.filter((port) => !port.guarded && port.kind === 'vm').map(hand)
  const shared = [...new Set(ports.filter((port) => port.guarded).flatMap((port) => macs(port)))].filter(
    (mac) => !ports.some((port) => port.mac.toLowerCase() === mac),
  )
  const holders = (mac: string) => ports.filter((port) => port.guarded && macs(port).includes(mac)).map(hand)
  return [
    ...inward(first, uplinks),
    `table=${table.forward},priority=50,${here},dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=${list([...reach.map(hand), ...out])}`,
    ...shared.map((mac) => `table=${table.forward},priority=60,${here},dl_dst=${mac},actions=${list([...holders(mac), ...out])}`),
    `table=${table.forward},priority=40,${here},actions=${list([...open, ...out])}`,
  ]
}

/**
 * Every flow of br-int for these ports, with cookies. Pure. There is no learning of local cards and no NORMAL: a packet reaches
 * exactly the ports of its network that are named here, and a guarded one only by its rules, also when it is for everybody.
 */
export function pipeline(ports: readonly WiredPort[], others: readonly Bystander[], uplinks: Uplinks): string[] {
  const networks = Map.groupBy(ports, (port) => port.segment.networkId)
  const sets = numberSets(ports)
  const flows = [
    ...addressFlows(ports, sets),
    ...ports.flatMap((port) => portFlows(port, uplinks, sets).map(withCookie(cookie('port', port.id)))),
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
