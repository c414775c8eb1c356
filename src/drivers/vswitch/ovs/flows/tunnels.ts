import type { SwitchSegment } from '../../driver.ts'
import { family, isMac } from './addresses.ts'
import { cookie, withCookie } from './cookies.ts'
import type { FlowText, WiredPort } from './tables.ts'

/** Tables of br-tun, numbered as users of the Open vSwitch agent know them. */
export const tunnelTable = {
  classify: 0,
  fromInside: 2,
  gre: 3,
  vxlan: 4,
  geneve: 6,
  toInside: 10,
  known: 20,
  arp: 21,
  all: 22,
} as const

export type Tunnel = { type: string; peer: string }

/** Numbers of br-tun's ports: the patch to br-int, and the tunnels by name. */
export type TunnelDoors = { inside: number; tunnels: Record<string, number> }

type TunnelType = 'gre' | 'vxlan' | 'geneve'

export const isTunnel = (type: string): type is TunnelType => type === 'vxlan' || type === 'gre' || type === 'geneve'

/** `vxlan-c0000201`: the type and the peer's address, as the Open vSwitch agent names them. At most 15 characters. */
export const tunnelName = ({ type, peer }: Tunnel): string =>
  `${type}-${peer
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')}`

/**
 * Every flow of br-tun for these ports, with cookies. Pure. Where each card is has been told: nothing is learned, and what is sent to a card
 * that is nowhere is dropped, unless somebody in the network may hide cards.
 */
export function tunnelPipeline(ports: readonly WiredPort[], doors: TunnelDoors): string[] {
  const networks = Map.groupBy(
    ports.filter((port) => isTunnel(port.segment.type)),
    (port) => port.segment.networkId,
  )
  const flows = [
    ...doorFlows(doors).map(withCookie(cookie('bridge', 'br-tun'))),
    ...[...networks].flatMap(([id, inside]) => networkFlows(inside, doors).map(withCookie(cookie('network', id)))),
  ]
  return [...new Set(flows)]
}

/** From where to which table. */
function doorFlows({ inside, tunnels }: TunnelDoors): FlowText[] {
  const at = (table: number, priority: number, match: string, actions: string) =>
    `table=${table},priority=${priority},${match}actions=${actions}`
  const { classify, fromInside, toInside, known, arp, all } = tunnelTable
  return [
    at(classify, 1, `in_port=${inside},`, `resubmit(,${fromInside})`),
    ...Object.entries(tunnels).map(([name, number]) =>
      at(classify, 1, `in_port=${number},`, `resubmit(,${tunnelTable[name.split('-')[0] as TunnelType]})`),
    ),
    at(fromInside, 1, 'arp,arp_op=1,dl_dst=ff:ff:ff:ff:ff:ff,', `resubmit(,${arp})`),
    at(fromInside, 0, 'dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,', `resubmit(,${known})`),
    at(fromInside, 0, 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,', `resubmit(,${all})`),
    at(toInside, 1, '', `output:${inside}`),
    at(arp, 0, '', `resubmit(,${all})`),
  ]
}

function networkFlows(ports: WiredPort[], doors: TunnelDoors): FlowText[] {
  const [first] = ports
  if (!first) return []
  const { segment, vlan } = first
  const type = segment.type as TunnelType
  const door = (peer: string) => doors.tunnels[tunnelName({ type, peer })] ?? []
  const doorsTo = (peers: string[]): number[] =>
    [...new Set(peers.filter((peer) => family(peer) === 4).flatMap(door))].sort((one, two) => one - two)
  const here = `dl_vlan=${vlan}`
  const send = (to: number[]) =>
    to.length === 0
      ? 'drop'
      : `pop_vlan,set_field:${segment.segmentationId}->tun_id,${to.map((one) => `output:${one}`).join(',')}`
  const cards = segment.elsewhere.filter(({ mac }) => isMac(mac))
  const hiding = doorsTo(cards.filter((card) => card.hides).map((card) => card.at))
  const byMac = Map.groupBy(cards, (card) => card.mac.toLowerCase())
  return [
    ...doorsTo(segment.peers).map(
      (number) =>
        `table=${tunnelTable[type]},priority=1,in_port=${number},tun_id=${segment.segmentationId},actions=push_vlan:0x8100,set_field:${4096 + vlan}->vlan_vid,resubmit(,${tunnelTable.toInside})`,
    ),
    ...[...byMac].map(
      ([mac, all]) =>
        `table=${tunnelTable.known},priority=2,${here},dl_dst=${mac},actions=${send(doorsTo(all.map((card) => card.at)))}`,
    ),
    ...(hiding.length === 0 ? [] : [`table=${tunnelTable.known},priority=1,${here},actions=${send(hiding)}`]),
    ...answers(segment, new Set(ports.map((port) => port.mac.toLowerCase()))).map(
      ([ip, mac]) => `table=${tunnelTable.arp},priority=1,arp,${here},arp_tpa=${ip},actions=${answer(ip, mac)}`,
    ),
    `table=${tunnelTable.all},priority=1,${here},actions=${send(doorsTo(segment.peers))}`,
  ]
}

/** Whose address is whose, of cards that are nowhere else than on other hosts. */
function answers({ elsewhere }: SwitchSegment, local: ReadonlySet<string>): [string, string][] {
  const owners = Map.groupBy(
    elsewhere.flatMap(({ mac, ips }) => ips.map((ip) => ({ ip, mac: mac.toLowerCase() }))),
    ({ ip }) => ip,
  )
  return [...owners].flatMap(([ip, all]): [string, string][] => {
    const [mac = '', ...others] = new Set(all.map((one) => one.mac))
    return family(ip) !== 4 || ip.includes('/') || !isMac(mac) || others.length > 0 || local.has(mac) ? [] : [[ip, mac]]
  })
}

/** Turns the question into its answer and sends it back where it came from (RFC 826). */
function answer(ip: string, mac: string): string {
  return [
    'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]',
    `set_field:${mac}->eth_src`,
    'set_field:2->arp_op',
    'move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]',
    'move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]',
    `set_field:${mac}->arp_sha`,
    `set_field:${ip}->arp_spa`,
    'IN_PORT',
  ].join(',')
}
