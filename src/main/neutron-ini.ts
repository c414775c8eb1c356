import { isIP } from 'node:net'
import type { NetworkSettings } from '../services/network/index.ts'

/** What a file of neutron's plugins says above the configuration. */
export type Overlay = {
  server: Partial<Omit<NetworkSettings, 'physicalMtu'>>
  agent: { bridgeMappings?: Record<string, string>; tunnelIp?: string }
}

/** `isBroken`: the file cannot be gone by. */
export type Complaint = { line: number; what: string; isBroken: boolean }

export type IniEntry = { section: string; key: string; value: string; line: number }

/** Sections, keys and values as oslo.config reads them: `key = value` or `key: value`, comments, indented lines that carry a value on. Pure. */
export function parseIni(text: string): { entries: IniEntry[]; complaints: Complaint[] } {
  const [entries, complaints]: [IniEntry[], Complaint[]] = [[], []]
  let section = ''
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    const trimmed = written.trim()
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue
    const header = /^\[([^\]]*)\]$/.exec(trimmed)
    const pair = /^([^=:\s][^=:]*?)\s*[=:]\s*(.*)$/.exec(trimmed)
    const last = entries.at(-1)
    if (header) section = header[1]?.trim() ?? ''
    else if (/^\s/.test(written) && last && !/^\s+\w+\s*=/.test(written)) last.value = `${last.value}${trimmed}`
    else if (pair) entries.push({ section, key: pair[1] ?? '', value: unquoted(pair[2] ?? ''), line })
    else complaints.push({ line, what: `"${trimmed}" is neither [section] nor key = value`, isBroken: true })
  }
  return { entries, complaints }
}

const unquoted = (value: string) => /^(['"])(.*)\1$/.exec(value)?.[2] ?? value

const words = (value: string) =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

/** Throws a text: what is wrong. */
type Read = (value: string, overlay: Overlay, context: Context) => void

type Context = {
  /** The old plugin's ids are those of its one kind of tunnel. */
  tunnelType: 'gre' | 'vxlan'
  isOld: boolean
  /** Whether this host has the address. */
  hasAddress: (ip: string) => boolean
}

const wrong = (what: string): never => {
  throw what
}

function oneOf<Word extends string>(value: string, allowed: readonly Word[]): Word {
  return (allowed as readonly string[]).includes(value)
    ? (value as Word)
    : wrong(`"${value}" is unknown; allowed: ${allowed.join(', ')}`)
}

const ranges = (value: string, last: number): [number, number][] =>
  words(value).map((word) => {
    const [, from, to] = /^(\d+):(\d+)$/.exec(word) ?? wrong(`"${word}" is no range; allowed: from:to, such as 1:1000`)
    const isRight = Number(from) >= 1 && Number(from) <= Number(to) && Number(to) <= last
    return isRight ? [Number(from), Number(to)] : wrong(`"${word}" is not within 1:${last}`)
  })

const vlanRanges = (value: string): NetworkSettings['vlanRanges'] =>
  words(value).map((word) => {
    const [physicalNetwork = '', ...rest] = word.split(':')
    if (physicalNetwork === '') wrong(`"${word}" names no physical network`)
    // A name alone: numbers are given by hand, none is drawn.
    if (rest.length === 0) return { physicalNetwork, from: 1, to: 0 }
    const [range] = ranges(rest.join(':'), 4094)
    return range ? { physicalNetwork, from: range[0], to: range[1] } : wrong(`"${word}" is no range`)
  })

/** A patch to br-int is called by the bridge's name and four letters more; a device's name has 15. */
const longestBridge = 11

function mappings(value: string): Record<string, string> {
  const pairs = words(value).map((word): [string, string] => {
    const [physnet = '', bridge = '', ...more] = word.split(':').map((part) => part.trim())
    if (physnet === '' || bridge === '' || more.length > 0) wrong(`"${word}" is no mapping; allowed: physnet:bridge`)
    if (bridge.length > longestBridge) wrong(`the name of the bridge ${bridge} has more than ${longestBridge} characters`)
    return [physnet, bridge]
  })
  const double = pairs.find(([physnet], index) => pairs.findIndex(([other]) => other === physnet) !== index)
  return double ? wrong(`${double[0]} is mapped twice`) : Object.fromEntries(pairs)
}

const tenantKinds = ['local', 'vlan', 'gre', 'vxlan', 'geneve'] as const
const lastVni = 16_777_215
const lastKey = 4_294_967_295

const readTenantTypes: Read = (value, { server }) => {
  server.tenantTypes = words(value === 'none' ? '' : value).map((word) => oneOf(word, tenantKinds))
}

const readVlans: Read = (value, { server }, { isOld }) => {
  server.vlanRanges = vlanRanges(value)
  // The old plugin knew no list of its own for flat networks.
  if (isOld) server.flat = [...new Set(server.vlanRanges.map((range) => range.physicalNetwork))]
}

const readKeys: Read = (value, { server }) => {
  server.tunnelIdRanges = ranges(value, lastKey)
}

const readVnis: Read = (value, { server }) => {
  server.vniRanges = ranges(value, lastVni)
}

/** What acts, by section and key. */
const acting: Record<string, Read> = {
  'ovs.tenant_network_type': readTenantTypes,
  'ovs.network_vlan_ranges': readVlans,
  'ovs.tunnel_id_ranges': (value, overlay, context) =>
    (context.tunnelType === 'vxlan' ? readVnis : readKeys)(value, overlay, context),
  'ovs.tunnel_type': (value) => void (value !== '' && oneOf(value, ['gre', 'vxlan'])),
  'ovs.bridge_mappings': (value, { agent }) => {
    agent.bridgeMappings = mappings(value)
  },
  'ovs.local_ip': (value, { agent }, { hasAddress }) => {
    if (value === '') return
    if (isIP(value) !== 4) wrong(`"${value}" is no IPv4 address`)
    if (!hasAddress(value)) wrong(`${value} is no address of this host`)
    agent.tunnelIp = value
  },
  'ml2.tenant_network_types': readTenantTypes,
  'ml2.project_network_types': readTenantTypes,
  'ml2_type_flat.flat_networks': (value, { server }) => {
    server.flat = words(value)
  },
  'ml2_type_vlan.network_vlan_ranges': readVlans,
  'ml2_type_gre.tunnel_id_ranges': readKeys,
  'ml2_type_vxlan.vni_ranges': readVnis,
}

/** What decides nothing, unless it has the value that is so here anyway; and why. */
const idle: Record<string, { fine: readonly string[]; why: string }> = {
  'ovs.enable_tunneling': { fine: ['true'], why: 'networks of tunnels are carried by every host that has a tunnel address' },
  'ovs.integration_bridge': { fine: ['br-int'], why: 'it is br-int' },
  'ovs.tunnel_bridge': { fine: ['br-tun'], why: 'it is br-tun' },
  'ovs.int_peer_patch_port': { fine: ['patch-tun'], why: 'it is patch-tun' },
  'ovs.tun_peer_patch_port': { fine: ['patch-int'], why: 'it is patch-int' },
  'ovs.datapath_type': { fine: [], why: 'that of the kernel is used where its module is, else the one in user space' },
  'agent.tunnel_types': { fine: [], why: 'tunnels are of the kind of the networks they carry' },
  'agent.polling_interval': { fine: [], why: 'changes of the switch are told at once' },
  'agent.minimize_polling': { fine: ['true'], why: 'changes of the switch are told at once' },
  'agent.ovsdb_monitor_respawn_interval': { fine: [], why: 'the connection is made anew at once' },
  'agent.l2_population': { fine: ['true'], why: 'hosts are always told where every card is' },
  'agent.arp_responder': { fine: ['true'], why: 'who has an address is always answered on the spot' },
  'agent.vxlan_udp_port': { fine: ['4789'], why: 'the port is the one of RFC 7348' },
  'agent.veth_mtu': { fine: [], why: 'MTUs follow from the kind of the network' },
  'securitygroup.firewall_driver': { fine: ['openvswitch'], why: 'Open vSwitch itself keeps the rules' },
  'securitygroup.enable_security_group': { fine: ['true'], why: 'rules are kept for all ports but those without port security' },
  'ml2.type_drivers': { fine: [], why: 'all kinds are known: local, flat, vlan, gre, vxlan, geneve' },
  'ml2.mechanism_drivers': {
    fine: ['openvswitch', 'openvswitch,l2population'],
    why: 'ports are wired by our agent over Open vSwitch',
  },
  'ml2_type_vxlan.vxlan_group': { fine: [], why: 'tunnels are laid from host to host, without multicast' },
  'ml2_type_geneve.vni_ranges': { fine: [], why: 'Geneve shares the range of [ml2_type_vxlan] vni_ranges' },
  'ml2_type_geneve.max_header_size': { fine: ['30'], why: 'no options are sent' },
}

export type ReadOptions = { isOld: boolean; hasAddress: (ip: string) => boolean }

/** What one file says, and what is wrong in it or decides nothing. Keys before any section are taken for those of [ovs]. Pure. */
export function readOverlay(text: string, { isOld, hasAddress }: ReadOptions): { overlay: Overlay; complaints: Complaint[] } {
  const { entries, complaints } = parseIni(text)
  const overlay: Overlay = { server: {}, agent: {} }
  const tunnelType = entries.some(({ key, value }) => key === 'tunnel_type' && value === 'vxlan') ? 'vxlan' : 'gre'
  const complain = (line: number, what: string, isBroken = false) => complaints.push({ line, what, isBroken })
  const [outside] = entries.filter(({ section }) => section === '')
  if (outside) complain(outside.line, `${outside.key} stands before any section; it and what follows is read as if under [ovs]`)
  for (const { section, key, value, line } of entries) {
    const name = `${section || 'ovs'}.${key}`
    const [read, none] = [acting[name], idle[name]]
    if (none && !none.fine.includes(value.toLowerCase().replaceAll(' ', '')))
      complain(line, `${key} = ${value} decides nothing: ${none.why}`)
    if (!read && !none) complain(line, `${key} in [${section || 'ovs'}] is not known here and decides nothing`)
    try {
      read?.(value, overlay, { tunnelType, isOld, hasAddress })
    } catch (what) {
      if (typeof what !== 'string') throw what
      complain(line, `${key}: ${what}`, true)
    }
  }
  return { overlay, complaints: complaints.sort((a, b) => a.line - b.line) }
}

/** One file above the other. */
export const overlaid = (overlays: readonly Overlay[]): Overlay => ({
  server: Object.assign({}, ...overlays.map(({ server }) => server)),
  agent: Object.assign({}, ...overlays.map(({ agent }) => agent)),
})
