import type { Option } from '../arguments.ts'
import { lines, type Noun } from './noun.ts'
import { description, dns, down, name, named, noDns, noQos, old, qos, routes, shared, text, truth, zoneHint } from './options.ts'

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

export const network: Noun = {
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

export const subnet: Noun = {
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
      text('--subnetpool', 'name or id of the pool its range is taken from; None: of no pool', { field: '' }),
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
