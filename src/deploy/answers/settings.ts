import { computeBridgesOf, subnetsOf, type Uplink, uplinksOf } from './cards.ts'
import type { Problem } from './file.ts'
import type { Said } from './resolve.ts'

/** What the answers mean for a cloud of ours. */
export type Settings = {
  controller: string
  computeHosts: string[]
  networkHosts: string[]
  excluded: string[]
  region: string
  adminPassword: string
  demoPassword: string
  sshKey: string
  virt: 'auto' | 'kvm' | 'qemu'
  network: {
    tenantTypes: string[]
    flat: string[]
    vlanRanges: { physicalNetwork: string; from: number; to: number }[]
    vniRanges: [number, number][]
    tunnelIdRanges: [number, number][]
  }
  bridgeMappings: Record<string, string>
  /** Cards that are part of bridges, on each host that has card and bridge. */
  uplinks: Uplink[]
  /** Bridges of hosts without routers; empty: all but the one to the outside. */
  computeBridges: string[]
  /** Where tunnels begin, if no interface says so; empty: anywhere. */
  tunnelSubnets: string[]
  /** Interface whose address carries tunnels; empty: the address the host is reached by. */
  tunnelInterface: string
  externalBridge: { bridge: string; isAddressed: boolean }
  externalPhysnet: string
  hasDemo: boolean
  hasFlavors: boolean
}

const words = (value: string) =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

/** The settings, and what is wrong with lists, ranges and mappings: packstack found that out on the hosts. */
export function settingsOf(
  values: ReadonlyMap<string, string>,
  said: ReadonlyMap<string, Said>,
): { settings: Settings; problems: Problem[] } {
  const problems: Problem[] = []
  const value = (name: string) => values.get(name) ?? ''
  const wrong = (name: string, what: string) => {
    const { line, name: written = name } = said.get(name) ?? {}
    problems.push({ name: written, value: value(name), what, ...(line !== undefined && { line }) })
  }
  const list = (name: string) => words(value(name))
  const ranges = (name: string) =>
    list(name).flatMap((word): [number, number][] => {
      const range = /^(\d+):(\d+)$/.exec(word)
      if (range && Number(range[1]) <= Number(range[2])) return [[Number(range[1]), Number(range[2])]]
      wrong(name, `"${word}" is no range; allowed is from:to, such as 1:1000`)
      return []
    })
  const vlanRanges = list('CONFIG_NEUTRON_ML2_VLAN_RANGES').flatMap((word) => {
    const [physicalNetwork = '', from, to, ...more] = word.split(':')
    // A name alone: VLANs of this network are given by number only, none is drawn.
    if (from === undefined) return [{ physicalNetwork, from: 1, to: 0 }]
    const isRange = more.length === 0 && /^\d+$/.test(from) && /^\d+$/.test(to ?? '') && Number(from) <= Number(to)
    if (isRange && Number(from) >= 1 && Number(to) <= 4094) return [{ physicalNetwork, from: Number(from), to: Number(to) }]
    wrong('CONFIG_NEUTRON_ML2_VLAN_RANGES', `"${word}" is no range; allowed is physnet or physnet:from:to, within 1 to 4094`)
    return []
  })
  const mappings = list('CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS').flatMap((word): [string, string][] => {
    const [physnet, bridge, ...more] = word.split(':')
    if (physnet && bridge && more.length === 0) return [[physnet, bridge]]
    wrong('CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS', `"${word}" is no mapping; allowed is physnet:bridge`)
    return []
  })
  const types = list('CONFIG_NEUTRON_ML2_TYPE_DRIVERS')
  const tenantTypes = list('CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES')
  for (const type of tenantTypes)
    if (!types.includes(type) && !isOldType(said))
      wrong(
        'CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES',
        `${type} is not among CONFIG_NEUTRON_ML2_TYPE_DRIVERS (${types.join(',')})`,
      )
  const hosts = ['CONFIG_COMPUTE_HOSTS', 'CONFIG_NETWORK_HOSTS'] as const
  for (const name of hosts) if (list(name).length === 0) wrong(name, 'at least one host is needed')
  const bridge = value('CONFIG_NEUTRON_L3_EXT_BRIDGE')
  const externalPhysnet = value('CONFIG_NEUTRON_OVS_EXTERNAL_PHYSNET') || 'extnet'
  const bridgeMappings = Object.fromEntries(mappings)
  if (value('CONFIG_PROVISION_DEMO') === 'y' && !(externalPhysnet in bridgeMappings)) bridgeMappings[externalPhysnet] = 'br-ex'
  const externalBridge = {
    bridge: bridge === '' || bridge === 'provider' ? (bridgeMappings[externalPhysnet] ?? 'br-ex') : bridge,
    isAddressed: value('CONFIG_PROVISION_OVS_BRIDGE') === 'y',
  }
  const bridges = [...new Set(Object.values(bridgeMappings))]
  const about = (name: string) => [list(name), (what: string) => wrong(name, what)] as const
  const [pairs, wrongPair] = about('CONFIG_NEUTRON_OVS_BRIDGE_IFACES')
  const [names, wrongName] = about('CONFIG_NEUTRON_OVS_BRIDGES_COMPUTE')
  return {
    problems,
    settings: {
      controller: value('CONFIG_CONTROLLER_HOST'),
      computeHosts: list('CONFIG_COMPUTE_HOSTS'),
      networkHosts: list('CONFIG_NETWORK_HOSTS'),
      excluded: list('EXCLUDE_SERVERS'),
      region: value('CONFIG_KEYSTONE_REGION'),
      adminPassword: value('CONFIG_KEYSTONE_ADMIN_PW'),
      demoPassword: value('CONFIG_KEYSTONE_DEMO_PW'),
      sshKey: value('CONFIG_SSH_KEY'),
      virt: virtOf(value('CONFIG_NOVA_LIBVIRT_VIRT_TYPE')),
      network: {
        tenantTypes,
        flat: list('CONFIG_NEUTRON_ML2_FLAT_NETWORKS'),
        vlanRanges,
        vniRanges: ranges('CONFIG_NEUTRON_ML2_VNI_RANGES'),
        tunnelIdRanges: ranges('CONFIG_NEUTRON_ML2_TUNNEL_ID_RANGES'),
      },
      bridgeMappings,
      uplinks: uplinksOf(pairs, bridges, wrongPair),
      computeBridges: computeBridgesOf(names, bridges, wrongName),
      tunnelSubnets: subnetsOf(...about('CONFIG_NEUTRON_OVS_TUNNEL_SUBNETS')),
      tunnelInterface: value('CONFIG_NEUTRON_OVS_TUNNEL_IF'),
      externalBridge,
      externalPhysnet,
      hasDemo: value('CONFIG_PROVISION_DEMO') === 'y',
      hasFlavors: value('CONFIG_NOVA_MANAGE_FLAVORS') === 'y',
    },
  }
}

/** Under its old name the type brought its driver along. */
const isOldType = (said: ReadonlyMap<string, Said>) =>
  said.get('CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES')?.name.includes('_OVS_') ?? false

const virtOf = (value: string): Settings['virt'] => (value === 'kvm' || value === 'qemu' ? value : 'auto')
