import { family, linkLocal } from './addresses.ts'
import { ruleMatches } from './rules.ts'
import { isOfSet, type SetNumbers, setRuleFlows } from './sets.ts'
import { type FlowText, fresh, priority, table, type WiredPort } from './tables.ts'

const forward = `resubmit(,${table.forward})`

type Pair = { mac: string; ip: string }

const pairs = (port: WiredPort): Pair[] => [
  ...port.addresses.map((ip) => ({ mac: port.mac, ip })),
  ...port.allowedPairs.map(({ mac, ip }) => ({ mac: mac || port.mac, ip })),
]
/** The cards that may speak here: the port's own and those of its allowed pairs. */
export const macs = (port: WiredPort): string[] => [
  ...new Set(pairs(port).map(({ mac }) => mac.toLowerCase())).add(port.mac.toLowerCase()),
]

/** What a guest may claim to be. Whatever is not named here is dropped: forged cards and addresses, frames that are neither IP nor ARP. */
export function sentFlows(port: WiredPort): FlowText[] {
  const at = (priority: number, match: string, actions: string) =>
    `table=${table.sent},priority=${priority},in_port=${port.ofport},${match},actions=${actions}`
  const track = `ct(table=${table.sentTracked},zone=${port.zone})`
  const v4 = ({ mac, ip }: Pair) => [
    at(95, `arp,dl_src=${mac},arp_sha=${mac},arp_spa=${ip}`, forward),
    at(65, `ip,dl_src=${mac},nw_src=${ip}`, track),
  ]
  const v6 = ({ mac, ip }: Pair) => [
    // An advertisement names the address it is about in its body: the source address alone proves nothing (OSSA-2021-001).
    at(95, `icmp6,dl_src=${mac},icmp_type=136,icmp_code=0,nd_target=${ip},nd_tll=${mac}`, forward),
    at(95, `icmp6,dl_src=${mac},icmp_type=136,icmp_code=0,nd_target=${ip},nd_tll=00:00:00:00:00:00`, forward),
    ...[133, 143, 131, 132].map((type) => at(95, `icmp6,dl_src=${mac},ipv6_src=${ip},icmp_type=${type}`, forward)),
    ...solicitations(mac, `ipv6_src=${ip},`),
    at(65, `ipv6,dl_src=${mac},ipv6_src=${ip}`, track),
  ]
  const solicitations = (mac: string, from: string) =>
    [mac, '00:00:00:00:00:00'].map((sll) => at(95, `icmp6,dl_src=${mac},${from}icmp_type=135,icmp_code=0,nd_sll=${sll}`, forward))
  const card = (mac: string) => [
    // A probe before an address is taken (RFC 5227) claims nothing.
    at(95, `arp,dl_src=${mac},arp_op=1,arp_sha=${mac},arp_spa=0.0.0.0`, forward),
    // QEMU's word for a guest that has just come from another host; it claims no address (RFC 903).
    at(95, `rarp,dl_src=${mac},arp_op=3,arp_sha=${mac},arp_spa=0.0.0.0`, forward),
    at(80, `udp,dl_src=${mac},nw_src=0.0.0.0,nw_dst=255.255.255.255,tp_src=68,tp_dst=67`, forward),
    at(80, `udp6,dl_src=${mac},ipv6_src=${linkLocal(mac)},tp_src=546,tp_dst=547`, forward),
    ...[133, 135, 143].map((type) => at(95, `icmp6,dl_src=${mac},ipv6_src=::,icmp_type=${type}`, forward)),
    ...v6({ mac, ip: linkLocal(mac) }),
  ]
  return [
    // Guests play neither DHCP server nor router, whatever rules say.
    at(100, 'udp,tp_src=67,tp_dst=68', 'drop'),
    at(100, 'udp6,tp_src=547,tp_dst=546', 'drop'),
    at(100, 'icmp6,icmp_type=134', 'drop'),
    at(100, 'icmp6,icmp_type=137', 'drop'),
    // Neighbour discovery that is not among what is allowed below must not pass as ordinary traffic of an allowed address.
    at(90, 'icmp6,icmp_type=135', 'drop'),
    at(90, 'icmp6,icmp_type=136', 'drop'),
    ...pairs(port).flatMap((pair) => (family(pair.ip) === 4 ? v4(pair) : v6(pair))),
    ...macs(port).flatMap(card),
  ]
}

function ruleFlows(port: WiredPort, direction: 'ingress' | 'egress', where: string, pass: string, sets: SetNumbers): FlowText[] {
  const commit = `ct(commit,zone=${port.zone}),${pass}`
  const at = (level: keyof typeof priority) => where.replace('PRIORITY', String(priority[level]))
  return [
    `${at('invalid')},ct_state=+inv+trk,actions=drop`,
    `${at('known')},ct_state=-new+est-inv+trk,actions=${pass}`,
    `${at('known')},ct_state=+rel-inv+trk,actions=${pass}`,
    ...port.rules
      .filter((rule) => rule.direction === direction && !isOfSet(rule))
      .flatMap((rule) => ruleMatches(rule).matches)
      .map((match) => `${at('rule')},${match},${fresh},actions=${commit}`),
    ...setRuleFlows(port, direction, where, commit, sets),
  ]
}

/** What the port's rules let it send: what belongs to a known connection, and new ones that a rule names. */
export const sentRuleFlows = (port: WiredPort, sets: SetNumbers): FlowText[] =>
  ruleFlows(port, 'egress', `table=${table.sentTracked},priority=PRIORITY,in_port=${port.ofport}`, forward, sets)

/** What may reach the port: address resolution and answers of the DHCP server always, the rest as its rules say. */
export function receivedFlows(port: WiredPort, sets: SetNumbers): FlowText[] {
  const at = (priority: number, match: string, actions: string) =>
    `table=${table.received},priority=${priority},reg5=${port.ofport},${match},actions=${actions}`
  const deliver = `output:${port.ofport}`
  const track = `ct(table=${table.receivedTracked},zone=${port.zone})`
  return [
    at(100, 'arp', deliver),
    ...[130, 131, 132, 134, 135, 136, 143].map((type) => at(100, `icmp6,icmp_type=${type}`, deliver)),
    at(95, 'udp,tp_src=67,tp_dst=68', deliver),
    at(95, 'udp6,tp_src=547,tp_dst=546', deliver),
    at(90, 'ip', track),
    at(90, 'ipv6', track),
    ...ruleFlows(port, 'ingress', `table=${table.receivedTracked},priority=PRIORITY,reg5=${port.ofport}`, deliver, sets),
  ]
}
