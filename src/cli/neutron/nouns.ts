import type { Row } from '../output.ts'
import { pyJson } from '../python.ts'
import type { Option, Positional } from './arguments.ts'

/** A kind of thing the network API has: how it is asked for, shown and made. */
export type Noun = {
  /** As the API names one in a body, and the client in its messages. */
  name: string
  plural: string
  path: string
  /** As the client calls it in messages, where that is not the API's name. */
  called?: string
  /** Columns of a list; all that come when there are none. */
  columns?: readonly string[]
  /** How a table shows a cell; other forms show what the API gave. */
  cells?: Record<string, (row: Row) => string>
  /** False: only ids are understood. */
  hasNames?: boolean
  /** Indent of JSON within a table's cell. */
  indent?: number
  filters?: readonly Option[]
  create?: { positionals: readonly Positional[]; options: readonly Option[] }
  update?: { options: readonly Option[] }
}

const lines =
  (key: string, show: (item: unknown) => string = pyJson) =>
  (row: Row) =>
    Array.isArray(row[key]) ? row[key].map((item) => show(item)).join('\n') : ''

const text = (flag: string, help: string, more: Partial<Option> = {}): Option => ({
  flag,
  key: flag.slice(2).replaceAll('-', '_'),
  kind: 'text',
  help,
  ...more,
})
const old = { hasOldSpelling: true } as const
const named = (help: string): Positional => ({ key: 'name', metavar: 'NAME', help })
const description = text('--description', 'its description')
const name = text('--name', 'its new name')
const down: Option = {
  ...old,
  flag: '--admin-state-down',
  key: 'admin_state_up',
  kind: 'set',
  value: false,
  preset: true,
  help: 'set the administrative state to down',
}
const shared: Option = { flag: '--shared', key: 'shared', kind: 'set', help: 'let every project use it' }
const zoneHint: Option = {
  flag: '--availability-zone-hint',
  key: 'availability_zone_hints',
  kind: 'many',
  metavar: 'AVAILABILITY_ZONE',
  help: 'a zone it should be in; may be repeated',
}
const qos = text('--qos-policy', 'name or id of its QoS policy', { key: 'qos_policy_id', of: 'qos_policy', apart: 'qos' })
const noQos: Option = {
  flag: '--no-qos-policy',
  key: 'qos_policy_id',
  kind: 'set',
  value: null,
  apart: 'qos',
  help: 'without QoS policy',
}
const dns = (what: string): Option => text(`--dns-${what}`, `its DNS ${what}`, { apart: `dns-${what}` })
const noDns = (what: string): Option => ({
  flag: `--no-dns-${what}`,
  key: `dns_${what}`,
  kind: 'set',
  value: '',
  apart: `dns-${what}`,
  help: `without DNS ${what}`,
})
const truth = (flag: string, help: string, more: Partial<Option> = {}): Option =>
  text(flag, help, { kind: 'truth', metavar: '{True,False}', ...more })

const routes = { required: ['destination', 'nexthop'] }
const subnetOptions: Option[] = [
  text('--name', 'its name'),
  description,
  text('--gateway', 'address of its gateway', { key: 'gateway_ip', metavar: 'GATEWAY_IP', apart: 'gateway' }),
  { flag: '--no-gateway', key: 'gateway_ip', kind: 'set', value: null, apart: 'gateway', help: 'without gateway' },
  {
    ...old,
    flag: '--allocation-pool',
    key: 'allocation_pools',
    kind: 'pairs',
    keys: { required: ['start', 'end'] },
    metavar: 'start=IP_ADDR,end=IP_ADDR',
    help: 'addresses to give away; may be repeated',
  },
  {
    flag: '--host-route',
    key: 'host_routes',
    kind: 'pairs',
    keys: routes,
    metavar: 'destination=CIDR,nexthop=IP_ADDR',
    help: 'a route told to guests; may be repeated',
  },
  {
    flag: '--dns-nameserver',
    key: 'dns_nameservers',
    kind: 'many',
    metavar: 'DNS_NAMESERVER',
    help: 'a name server told to guests; may be repeated',
  },
  { flag: '--disable-dhcp', key: 'disable_dhcp', field: '', kind: 'set', help: 'without DHCP' },
  { flag: '--enable-dhcp', key: 'enable_dhcp', kind: 'set', help: 'with DHCP' },
  // The first clients passed any word on to the server; scripts still say it so.
  { flag: '--enable-dhcp=True', key: 'enable_dhcp', kind: 'set' },
  { flag: '--enable-dhcp=False', key: 'disable_dhcp', field: '', kind: 'set' },
]
const modes = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac']

const portOptions: Option[] = [
  text('--name', 'its name'),
  description,
  {
    ...old,
    flag: '--fixed-ip',
    key: 'fixed_ips',
    kind: 'pairs',
    keys: { optional: ['subnet_id', 'ip_address'] },
    metavar: 'subnet_id=SUBNET,ip_address=IP_ADDR',
    help: 'an address and the subnet it is of; may be repeated',
  },
  text('--device-id', 'id of what it belongs to', old),
  text('--device-owner', 'kind of what it belongs to', old),
  {
    flag: '--security-group',
    key: 'security_groups',
    kind: 'many',
    of: 'security_group',
    apart: 'groups',
    metavar: 'SECURITY_GROUP',
    help: 'a security group; may be repeated',
  },
  {
    flag: '--no-security-groups',
    key: 'security_groups',
    kind: 'set',
    value: [],
    apart: 'groups',
    help: 'without security groups',
  },
  {
    flag: '--extra-dhcp-opt',
    key: 'extra_dhcp_opts',
    kind: 'pairs',
    keys: { required: ['opt_name'], optional: ['opt_value', 'ip_version'] },
    help: 'a DHCP option; may be repeated',
  },
  {
    flag: '--allowed-address-pair',
    key: 'allowed_address_pairs',
    kind: 'pairs',
    keys: { required: ['ip_address'], optional: ['mac_address'] },
    apart: 'pairs',
    metavar: 'ip_address=IP_ADDR|CIDR[,mac_address=MAC_ADDR]',
    help: 'an address it may use besides its own; may be repeated',
  },
  {
    flag: '--no-allowed-address-pairs',
    key: 'allowed_address_pairs',
    kind: 'set',
    value: [],
    apart: 'pairs',
    help: 'without other addresses',
  },
]

const fixedIps = { fixed_ips: lines('fixed_ips') }
const gatewayCell = {
  external_gateway_info: (row: Row) => ('external_gateway_info' in row ? pyJson(row['external_gateway_info']) : ''),
}
const portColumns = ['id', 'name', 'mac_address', 'fixed_ips']

const network: Noun = {
  name: 'network',
  plural: 'networks',
  path: '/networks',
  columns: ['id', 'name', 'subnets'],
  cells: {
    subnets: lines('subnets', (item) => {
      const { id, cidr = '' } = item as { id: string; cidr?: string }
      return `${id} ${cidr}`
    }),
  },
  filters: [
    text('--tenant-id', 'only those of this project', old),
    text('--name', 'only those of this name'),
    truth('--admin-state-up', 'only those that are up, or down'),
    text('--status', 'only those in this status'),
    truth('--shared', 'only those that are shared, or not'),
    truth('--router:external', 'only those that are external, or not'),
    ...['--tags', '--tags-any', '--not-tags', '--not-tags-any'].map((flag) =>
      text(flag, 'only those with such tags', { metavar: 'TAG', field: flag.slice(2) }),
    ),
  ],
  create: {
    positionals: [named('its name')],
    options: [
      down,
      shared,
      text('--provider:network_type', 'how it is made: flat, vlan, gre, vxlan, ...', { metavar: '<network_type>' }),
      text('--provider:physical_network', 'the physical network below it', { metavar: '<physical_network_name>' }),
      text('--provider:segmentation_id', 'number of its VLAN or tunnel', { metavar: '<segmentation_id>' }),
      truth('--vlan-transparent', 'whether guests may tag their frames'),
      description,
      qos,
      zoneHint,
      dns('domain'),
    ],
  },
  update: { options: [name, description, qos, noQos, dns('domain'), noDns('domain')] },
}

const subnet: Noun = {
  name: 'subnet',
  plural: 'subnets',
  path: '/subnets',
  columns: ['id', 'name', 'cidr', 'allocation_pools'],
  cells: {
    allocation_pools: lines('allocation_pools'),
    dns_nameservers: lines('dns_nameservers'),
    host_routes: lines('host_routes'),
  },
  create: {
    positionals: [
      { key: 'network_id', metavar: 'NETWORK', of: 'network', help: 'name or id of its network' },
      { key: 'cidr', metavar: 'CIDR', many: 'optional', help: 'its range' },
    ],
    options: [
      ...subnetOptions,
      {
        ...old,
        flag: '--ip-version',
        key: 'ip_version',
        kind: 'integer',
        preset: 4,
        choices: ['4', '6'],
        metavar: '{4,6}',
        help: 'version of IP, default 4',
      },
      text('--ipv6-ra-mode', 'who announces the route', { choices: modes, isLowered: true }),
      text('--ipv6-address-mode', 'who gives addresses', { choices: modes, isLowered: true }),
      text('--subnetpool', 'name or id of the pool its range is taken from', { key: 'subnetpool_id', of: 'subnetpool' }),
      {
        flag: '--use-default-subnetpool',
        key: 'use_default_subnetpool',
        kind: 'set',
        help: 'take its range from the default pool',
      },
      text('--prefixlen', 'how long a prefix to take from the pool', { metavar: 'PREFIX_LENGTH' }),
      text('--segment', 'its segment', { key: 'segment_id', of: 'segment' }),
    ],
  },
  update: { options: subnetOptions },
}

const vnicTypes = ['direct', 'direct-physical', 'macvtap', 'normal', 'baremetal', 'smart-nic']
const port: Noun = {
  name: 'port',
  plural: 'ports',
  path: '/ports',
  columns: portColumns,
  cells: fixedIps,
  create: {
    positionals: [{ key: 'network_id', metavar: 'NETWORK', of: 'network', help: 'name or id of its network' }],
    options: [
      ...portOptions,
      down,
      text('--mac-address', 'its MAC address', old),
      text('--vnic-type', 'kind of device', { ...old, key: 'binding:vnic_type', choices: vnicTypes, isLowered: true }),
      text('--binding-profile', 'JSON for whoever binds it', { ...old, key: 'binding:profile' }),
      qos,
      dns('name'),
    ],
  },
  update: {
    options: [
      ...portOptions,
      text('--admin-state-up', 'whether it is up', { ...old, choices: ['True', 'False'], metavar: '{True,False}' }),
      qos,
      noQos,
      dns('name'),
      noDns('name'),
    ],
  },
}

const router: Noun = {
  name: 'router',
  plural: 'routers',
  path: '/routers',
  columns: ['id', 'name', 'external_gateway_info', 'distributed', 'ha'],
  cells: gatewayCell,
  create: {
    positionals: [named('its name')],
    options: [
      down,
      description,
      text('--flavor', 'name or id of its flavor', { key: 'flavor_id', of: 'flavor' }),
      truth('--distributed', 'whether it is on every host'),
      truth('--ha', 'whether another host stands by'),
      zoneHint,
    ],
  },
  update: {
    options: [
      name,
      description,
      truth('--admin-state-up', 'whether it is up', old),
      truth('--distributed', 'whether it is on every host'),
      {
        flag: '--route',
        key: 'routes',
        kind: 'pairs',
        keys: routes,
        apart: 'routes',
        metavar: 'destination=CIDR,nexthop=IP_ADDR',
        help: 'a route; may be repeated',
      },
      { flag: '--no-routes', key: 'routes', kind: 'set', value: null, apart: 'routes', help: 'without routes' },
    ],
  },
}

const floatingip: Noun = {
  name: 'floatingip',
  plural: 'floatingips',
  path: '/floatingips',
  columns: ['id', 'fixed_ip_address', 'floating_ip_address', 'port_id'],
  hasNames: false,
  create: {
    positionals: [
      { key: 'floating_network_id', metavar: 'FLOATING_NETWORK', of: 'network', help: 'name or id of the network it is of' },
    ],
    options: [
      description,
      text('--port-id', 'id of the port it leads to', old),
      text('--fixed-ip-address', 'which address of the port', old),
      text('--floating-ip-address', 'the address wished for'),
      text('--subnet', 'id of the subnet it is of', { key: 'subnet_id' }),
      dns('domain'),
      dns('name'),
    ],
  },
}

const securityGroup: Noun = {
  name: 'security_group',
  plural: 'security_groups',
  path: '/security-groups',
  columns: ['id', 'name', 'security_group_rules'],
  indent: 5,
  create: { positionals: [named('its name')], options: [description] },
  update: { options: [name, description] },
}

const securityGroupRule: Noun = {
  name: 'security_group_rule',
  plural: 'security_group_rules',
  path: '/security-group-rules',
  columns: ['id', 'security_group_id', 'direction', 'ethertype', 'port/protocol', 'remote'],
  hasNames: false,
  create: {
    positionals: [{ key: 'security_group_id', metavar: 'SECURITY_GROUP', of: 'security_group', help: 'name or id of its group' }],
    options: [
      description,
      text('--direction', 'ingress or egress, default ingress', {
        choices: ['ingress', 'egress'],
        isLowered: true,
        preset: 'ingress',
        metavar: '{ingress,egress}',
      }),
      text('--ethertype', 'IPv4 or IPv6'),
      text('--protocol', 'icmp, icmpv6, tcp, udp or a number', { isLowered: true }),
      text('--port-range-min', 'first port; type of ICMP', old),
      text('--port-range-max', 'last port; code of ICMP', old),
      text('--remote-ip-prefix', 'whom it is about: a range', old),
      text('--remote-group-id', 'whom it is about: a group', { ...old, of: 'security_group', metavar: 'REMOTE_GROUP' }),
    ],
  },
}

const agent: Noun = {
  name: 'agent',
  plural: 'agents',
  path: '/agents',
  columns: ['id', 'agent_type', 'host', 'availability_zone', 'alive', 'admin_state_up', 'binary'],
  cells: {
    heartbeat_timestamp: (row) =>
      typeof row['heartbeat_timestamp'] === 'string' ? row['heartbeat_timestamp'].split('.')[0]! : '',
  },
  hasNames: false,
  indent: 5,
  update: { options: [{ ...down, hasOldSpelling: false }, description] },
}

const plain = (name: string, path: string, columns: string[], more: Partial<Noun> = {}): Noun => ({
  name,
  plural: `${name}s`,
  path,
  columns,
  ...more,
})

const prefixes: Option[] = [
  description,
  { flag: '--min-prefixlen', key: 'min_prefixlen', kind: 'integer', help: 'shortest prefix given' },
  { flag: '--max-prefixlen', key: 'max_prefixlen', kind: 'integer', help: 'longest prefix given' },
  { flag: '--default-prefixlen', key: 'default_prefixlen', kind: 'integer', help: 'prefix given when none is asked for' },
  truth('--is-default', 'whether it is the default pool'),
]
const poolPrefix: Option = {
  flag: '--pool-prefix',
  key: 'prefixes',
  kind: 'many',
  metavar: 'PREFIXES',
  help: 'a range of the pool; may be repeated',
}
const scope = text('--address-scope', 'name or id of its address scope', {
  key: 'address_scope_id',
  of: 'address_scope',
  apart: 'scope',
  metavar: 'ADDRSCOPE',
})

const subnetpool = plain(
  'subnetpool',
  '/subnetpools',
  ['id', 'name', 'prefixes', 'default_prefixlen', 'address_scope_id', 'is_default'],
  {
    cells: { prefixes: lines('prefixes', String) },
    create: { positionals: [named('its name')], options: [...prefixes, { ...poolPrefix, isRequired: true }, shared, scope] },
    update: {
      options: [
        ...prefixes,
        poolPrefix,
        name,
        scope,
        {
          flag: '--no-address-scope',
          key: 'address_scope_id',
          kind: 'set',
          value: null,
          apart: 'scope',
          help: 'without address scope',
        },
      ],
    },
  },
)

const addressScope = plain('address_scope', '/address-scopes', ['id', 'name', 'ip_version'], {
  create: {
    positionals: [
      named('its name'),
      { key: 'ip_version', metavar: 'IP_VERSION', kind: 'integer', choices: ['4', '6'], help: '4 or 6' },
    ],
    options: [shared],
  },
  update: { options: [name, truth('--shared', 'whether every project may use it')] },
})

const rbac: Noun = {
  name: 'rbac_policy',
  plural: 'rbac_policies',
  path: '/rbac-policies',
  columns: ['id', 'object_type', 'object_id'],
  hasNames: false,
  update: { options: [text('--target-tenant', 'id of the project it is for')] },
}

const qosPolicy: Noun = {
  name: 'policy',
  plural: 'policies',
  called: 'qos_policy',
  path: '/qos/policies',
  columns: ['id', 'name'],
  cells: { rules: lines('rules', (item) => `${(item as Row)['id']} (type: ${(item as Row)['type']})`) },
  create: { positionals: [named('its name')], options: [description, shared] },
  update: {
    options: [
      name,
      description,
      { ...shared, apart: 'shared' },
      { flag: '--no-shared', key: 'shared', kind: 'set', value: false, apart: 'shared', help: 'only for its own project' },
    ],
  },
}

const meterLabel = plain('metering_label', '/metering/metering-labels', ['id', 'name', 'description', 'shared'], {
  create: { positionals: [named('its name')], options: [description, shared] },
})
const meterRule = plain(
  'metering_label_rule',
  '/metering/metering-label-rules',
  ['id', 'excluded', 'direction', 'remote_ip_prefix'],
  {
    hasNames: false,
    create: {
      positionals: [
        { key: 'metering_label_id', metavar: 'LABEL', of: 'metering_label', help: 'name or id of the label' },
        { key: 'remote_ip_prefix', metavar: 'REMOTE_IP_PREFIX', help: 'the range that is counted' },
      ],
      options: [
        text('--direction', 'ingress or egress, default ingress', {
          choices: ['ingress', 'egress'],
          isLowered: true,
          preset: 'ingress',
        }),
        { flag: '--excluded', key: 'excluded', kind: 'set', help: 'leave this range out' },
      ],
    },
  },
)

/** Commands are called by these words: `net-list`, `security-group-rule-create`. */
export const nouns: Record<string, Noun> = {
  net: network,
  subnet,
  port,
  router,
  floatingip,
  'security-group': securityGroup,
  'security-group-rule': securityGroupRule,
  agent,
  ext: plain('extension', '/extensions', ['alias', 'name'], { hasNames: false }),
  'availability-zone': plain('availability_zone', '/availability_zones', ['name', 'resource', 'state']),
  'service-provider': plain('service_provider', '/service-providers', ['service_type', 'name', 'default']),
  subnetpool,
  'address-scope': addressScope,
  rbac,
  'qos-policy': qosPolicy,
  'meter-label': meterLabel,
  'meter-label-rule': meterRule,
  flavor: plain('flavor', '/flavors', ['id', 'name', 'service_type', 'enabled']),
}

/** Of a kind of thing as options name it. */
export function nounOf(name: string): Noun {
  if (name === 'segment') return plain('segment', '/segments', ['id', 'name'])
  const found = Object.values(nouns).find((noun) => (noun.called ?? noun.name) === name)
  if (!found) throw new Error(`no such kind of thing: ${name}`)
  return found
}

/** Ports as `router-port-list` shows them, routers as `router-list-on-l3-agent`. */
export const hostedRouter: Noun = { ...router, columns: ['id', 'name', 'external_gateway_info'] }
export const hostingAgent: Noun = { ...agent, columns: ['id', 'host', 'admin_state_up', 'alive'], cells: {} }
