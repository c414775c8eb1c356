import type { Migration } from '../../kit/db/migrate.ts'
import type { Tx } from '../../kit/db/open.ts'

/** What every resource of the API has. Texts that say "none" are empty. */
export type Standard = {
  id: string
  project_id: string
  name: string
  description: string
  created_at: number
  updated_at: number
  revision: number
}

export type NetworkRow = Standard & {
  admin_state_up: number
  shared: number
  external: number
  is_default: number
  port_security: number
  mtu: number
  /** JSON: names of zones. */
  zone_hints: string
  type: string
  physical_network: string
  /** -1: none. */
  segmentation_id: number
}

export type SubnetRow = Standard & {
  network_id: string
  ip_version: number
  cidr: string
  gateway_ip: string
  enable_dhcp: number
  ra_mode: string
  address_mode: string
  /** JSON of lists. */
  dns: string
  routes: string
  pools: string
  service_types: string
}

export type PortRow = Standard & {
  network_id: string
  admin_state_up: number
  mac: string
  device_id: string
  device_owner: string
  host: string
  vnic_type: string
  /** JSON. */
  profile: string
  allowed_pairs: string
  port_security: number
  /** The host says that traffic can flow. */
  wired: number
  trouble: string
  /** The second host it is made on, while its guest may go there; the same of that host. */
  open_host: string
  open_wired: number
  open_trouble: string
}

export type GroupRow = Standard & { is_default: number }

export type RuleRow = Standard & {
  group_id: string
  direction: string
  ethertype: string
  protocol: string
  /** -1: any. */
  port_min: number
  port_max: number
  remote_group_id: string
  remote_prefix: string
  /** All that makes a rule what it is, in one text: the same rule twice is refused by the database. */
  essence: string
}

export type RouterRow = Standard & {
  admin_state_up: number
  /** JSON. */
  routes: string
  zone_hints: string
  /** The port on the external network; its network, while there is one. */
  gateway_port_id: string
  gateway_network_id: string
  snat: number
  host: string
  ready: number
  trouble: string
}

export type FloatingIpRow = Standard & {
  network_id: string
  /** The port that keeps the address. */
  own_port_id: string
  ip: string
  port_id: string
  fixed_ip: string
  router_id: string
  active: number
}

export type NetworkTables = {
  network_network: NetworkRow
  /** Segments taken: unique, so that two networks never get the same. */
  network_segment: { type: string; physical_network: string; segmentation_id: number; network_id: string }
  network_subnet: SubnetRow
  network_port: PortRow
  /** An address of a port. `position`: its distance from the subnet's first address, -1 when that is no exact number. */
  network_address: { network_id: string; ip: string; subnet_id: string; port_id: string; position: number; place: number }
  /** A server's ports in the order it asked for them. */
  network_nic: { owner: string; place: number; port_id: string; made: number; tag: string; hostname: string }
  network_group: GroupRow
  network_rule: RuleRow
  network_port_group: { port_id: string; group_id: string }
  network_router: RouterRow
  network_floating_ip: FloatingIpRow
  network_dhcp: { network_id: string; host: string; port_id: string; ready: number; trouble: string; leases: string }
  network_tag: { resource_id: string; tag: string }
  network_host: { name: string; tunnel_ip: string; mappings: string; booted_at: number; joined_at: number; heartbeat_at: number }
  network_agent: {
    id: string
    host: string
    type: string
    admin_state_up: number
    description: string
    created_at: number
  }
}

export type NetworkTx = Tx<NetworkTables>

const standard = `id text primary key, project_id text not null, name text not null, description text not null, created_at bigint not null,
  updated_at bigint not null, revision bigint not null`

export const networkMigrations: Migration[] = [
  {
    name: 'network-1',
    statements: [
      `create table network_network (${standard}, admin_state_up bigint not null, shared bigint not null, external bigint not null,
        is_default bigint not null, port_security bigint not null, mtu bigint not null, zone_hints text not null, type text not null,
        physical_network text not null, segmentation_id bigint not null)`,
      'create index network_network_project on network_network (project_id)',
      `create table network_segment (type text not null, physical_network text not null, segmentation_id bigint not null,
        network_id text not null references network_network (id),
        primary key (type, physical_network, segmentation_id))`,
      'create index network_segment_network on network_segment (network_id)',
      `create table network_subnet (${standard}, network_id text not null references network_network (id), ip_version bigint not null, cidr text not null,
        gateway_ip text not null, enable_dhcp bigint not null, ra_mode text not null, address_mode text not null, dns text not null,
        routes text not null, pools text not null, service_types text not null)`,
      'create index network_subnet_network on network_subnet (network_id)',
      'create index network_subnet_project on network_subnet (project_id)',
      `create table network_port (${standard}, network_id text not null references network_network (id), admin_state_up bigint not null, mac text not null,
        device_id text not null, device_owner text not null, host text not null, vnic_type text not null, profile text not null,
        allowed_pairs text not null, port_security bigint not null, wired bigint not null,
        trouble text not null, unique (network_id, mac))`,
      'create index network_port_project on network_port (project_id)',
      'create index network_port_device on network_port (device_id)',
      'create index network_port_host on network_port (host)',
      `create table network_address (network_id text not null, ip text not null, subnet_id text not null references network_subnet (id),
        port_id text not null references network_port (id),
        position bigint not null, place bigint not null, primary key (network_id, ip))`,
      'create index network_address_port on network_address (port_id)',
      'create index network_address_position on network_address (subnet_id, position)',
      `create table network_nic (owner text not null, place bigint not null, port_id text not null unique references network_port (id), made bigint not null,
        tag text not null, hostname text not null, primary key (owner, place))`,
      `create table network_group (${standard}, is_default bigint not null)`,
      'create index network_group_project on network_group (project_id)',
      'create unique index network_group_default on network_group (project_id) where is_default = 1',
      `create table network_rule (${standard}, group_id text not null references network_group (id), direction text not null, ethertype text not null,
        protocol text not null, port_min bigint not null, port_max bigint not null, remote_group_id text not null,
        remote_prefix text not null, essence text not null, unique (group_id, essence))`,
      'create index network_rule_remote on network_rule (remote_group_id)',
      'create index network_rule_project on network_rule (project_id)',
      `create table network_port_group (port_id text not null references network_port (id),
        group_id text not null references network_group (id), primary key (port_id, group_id))`,
      'create index network_port_group_group on network_port_group (group_id)',
      `create table network_router (${standard}, admin_state_up bigint not null, routes text not null, zone_hints text not null,
        gateway_port_id text not null, gateway_network_id text not null, snat bigint not null, host text not null,
        ready bigint not null, trouble text not null)`,
      'create index network_router_project on network_router (project_id)',
      'create index network_router_host on network_router (host)',
      `create table network_floating_ip (${standard}, network_id text not null, own_port_id text not null, ip text not null,
        port_id text not null, fixed_ip text not null, router_id text not null, active bigint not null)`,
      'create index network_floating_ip_project on network_floating_ip (project_id)',
      'create index network_floating_ip_router on network_floating_ip (router_id)',
      "create unique index network_floating_ip_fixed on network_floating_ip (port_id, fixed_ip, network_id) where port_id <> ''",
      `create table network_dhcp (network_id text primary key references network_network (id), host text not null, port_id text not null, ready bigint not null,
        trouble text not null, leases text not null)`,
      'create index network_dhcp_host on network_dhcp (host)',
      'create table network_tag (resource_id text not null, tag text not null, primary key (resource_id, tag))',
      'create index network_tag_tag on network_tag (tag)',
      `create table network_host (name text primary key, tunnel_ip text not null, mappings text not null, booted_at bigint not null,
        joined_at bigint not null, heartbeat_at bigint not null)`,
      `create table network_agent (id text primary key, host text not null, type text not null, admin_state_up bigint not null,
        description text not null, created_at bigint not null, unique (host, type))`,
    ],
  },
  {
    name: 'network-2',
    statements: [
      "alter table network_port add column open_host text not null default ''",
      'alter table network_port add column open_wired bigint not null default 0',
      "alter table network_port add column open_trouble text not null default ''",
      'create index network_port_open_host on network_port (open_host)',
    ],
  },
]
