import type { Migration } from '../../kit/db/migrate.ts'

export type FlavorRow = {
  id: string
  name: string
  memory_mb: number
  vcpus: number
  root_gb: number
  ephemeral_gb: number
  swap_mb: number
  /** A number, whatever it is good for: shown since ever and used by nobody. */
  rxtx_factor: string
  is_public: number
  description: string | null
  /** JSON of text to text. */
  extra_specs: string
  created_at: number
  updated_at: number
}

export type FlavorAccessRow = { flavor_id: string; project_id: string }

export type KeypairRow = {
  number: number
  user_id: string
  name: string
  type: string
  public_key: string
  fingerprint: string
  created_at: number
}

export type HostRow = {
  name: string
  /** For clients before 2.53. */
  number: number
  service_id: string
  /** Hypervisor and resource provider. */
  node_id: string
  /** JSON of HostFacts. */
  facts: string
  enabled: number
  disabled_reason: string | null
  forced_down: number
  created_at: number
  heartbeat_at: number
  /** When its agent of guests last fetched what should be, and when the round began that it last reported of. */
  vm_asked_at: number
  vm_heard_at: number
}

export type AggregateRow = {
  number: number
  uuid: string
  name: string
  /** JSON of text to text. */
  metadata: string
  created_at: number
  updated_at: number
}

export type AggregateHostRow = { aggregate: number; host: string }

export type ServerRow = {
  id: string
  number: number
  project_id: string
  user_id: string
  name: string
  hostname: string
  description: string | null
  reservation_id: string
  launch_index: number
  /** JSON of FlavorSnapshot: what the flavor was when the server was made. */
  flavor: string
  flavor_id: string
  vcpus: number
  memory_mb: number
  root_gb: number
  image_id: string
  /** JSON of ImageSnapshot. */
  image: string
  key_name: string
  /** JSON of KeySnapshot, empty: none. */
  key: string
  user_data: string | null
  config_drive: number
  access_ip_v4: string
  access_ip_v6: string
  disk_config: string
  metadata: string
  /** The zone asked for; empty: any. */
  pinned_zone: string
  /** The zone it is in. */
  zone: string
  forced_host: string
  /** JSON of scheduler hints that mean something here. */
  hints: string
  group_id: string
  /** JSON of Nic[]. */
  nics: string
  /** JSON of ids. */
  security_groups: string
  /** JSON of NetworkPort[] as they were when plugged. */
  ports: string
  /** Grows when ports came or went, and how far `ports` followed. */
  ports_changed: number
  ports_followed: number
  host: string
  /** 1: the host's document names it. */
  assigned: number
  withdrawn_at: number
  /** JSON of names of hosts that failed to build it. */
  refused_hosts: string
  generation: number
  power: string
  boots: number
  soft_boots: number
  vm_state: string
  task_state: string
  power_state: number
  /** 1: the host fails to do what is asked, and the server is in error for that reason. */
  failing: number
  /** JSON of Fault, empty: none. */
  fault: string
  locked: number
  locked_by: string
  locked_reason: string | null
  seen_host: string
  seen_generation: number
  seen_power: string
  seen_boots: number
  seen_soft_boots: number
  seen_error: string
  seen_at: number
  progress: number
  /** Secret of the guest's first entropy. */
  seed: string
  /** What made the newest generation. */
  request_id: string
  created_at: number
  updated_at: number
  launched_at: number
  terminated_at: number
  deleted: number
  /** UUID of the migration under way, empty: none. */
  move_id: string
  /** JSON of MovePlan, empty: no host was chosen. */
  move: string
  /** The other host of the move: until the guest is handed over where it goes, afterwards where it was. */
  move_host: string
  /** 1: the other host's document names it. */
  move_there: number
  move_withdrawn_at: number
  /** JSON of MoveSeen as the server's host tells it, and of VmSeen as the other host does; empty: nothing. */
  move_seen: string
  other_seen: string
}

/** A way from host to host, once begun kept for ever. */
export type MigrationRow = {
  number: number
  uuid: string
  server_id: string
  project_id: string
  user_id: string
  type: string
  status: string
  source_host: string
  dest_host: string
  dest_address: string
  /** The host somebody asked for, and whether without asking the filters. */
  asked_host: string
  unfiltered: number
  /** JSON of FlavorSnapshot. */
  old_flavor: string
  new_flavor: string
  /** How the server was before it was switched off for the way. */
  power: string
  /** 1: somebody asked to end it, or to end it whatever it takes. */
  cancelled: number
  forced: number
  /** Why it failed. */
  error: string
  /** Bytes. */
  memory_total: number
  memory_sent: number
  memory_left: number
  disk_total: number
  disk_sent: number
  disk_left: number
  created_at: number
  updated_at: number
}

export type ServerTagRow = { server_id: string; tag: string }

export type ActionRow = {
  server_id: string
  request_id: string
  action: string
  user_id: string
  project_id: string
  message: string | null
  started_at: number
  updated_at: number
  /** Empty: the action has no event. */
  event: string
  event_started_at: number
  /** 0: under way. */
  event_finished_at: number
  /** Success or Error. */
  event_result: string
  event_details: string
  host: string
}

export type ServerGroupRow = {
  id: string
  project_id: string
  user_id: string
  name: string
  policy: string
  /** JSON. */
  rules: string
  created_at: number
}

export type ComputeTables = {
  compute_counter: { name: string; value: number }
  compute_flavor: FlavorRow
  compute_flavor_access: FlavorAccessRow
  compute_keypair: KeypairRow
  compute_host: HostRow
  compute_aggregate: AggregateRow
  compute_aggregate_host: AggregateHostRow
  compute_server: ServerRow
  compute_server_tag: ServerTagRow
  compute_action: ActionRow
  compute_migration: MigrationRow
  compute_server_group: ServerGroupRow
}

export const computeMigrations: Migration[] = [
  {
    name: 'compute-0001-begin',
    statements: [
      'create table compute_counter (name text primary key, value bigint not null)',
      "insert into compute_counter (name, value) values ('server', 0), ('host', 0), ('keypair', 0), ('aggregate', 0)",
      `create table compute_flavor (
        id text primary key, name text not null unique, memory_mb bigint not null, vcpus bigint not null, root_gb bigint not null,
        ephemeral_gb bigint not null, swap_mb bigint not null, rxtx_factor text not null, is_public bigint not null, description text,
        extra_specs text not null, created_at bigint not null, updated_at bigint not null)`,
      'create table compute_flavor_access (flavor_id text not null, project_id text not null, primary key (flavor_id, project_id))',
      `create table compute_keypair (
        number bigint not null unique, user_id text not null, name text not null, type text not null, public_key text not null,
        fingerprint text not null, created_at bigint not null, primary key (user_id, name))`,
      `create table compute_host (
        name text primary key, number bigint not null unique, service_id text not null unique, node_id text not null unique,
        facts text not null, enabled bigint not null, disabled_reason text, forced_down bigint not null, created_at bigint not null,
        heartbeat_at bigint not null, vm_asked_at bigint not null, vm_heard_at bigint not null)`,
      `create table compute_aggregate (
        number bigint primary key, uuid text not null unique, name text not null unique, metadata text not null,
        created_at bigint not null, updated_at bigint not null)`,
      'create table compute_aggregate_host (aggregate bigint not null, host text not null, primary key (aggregate, host))',
      `create table compute_server (
        id text primary key, number bigint not null unique, project_id text not null, user_id text not null, name text not null,
        hostname text not null, description text, reservation_id text not null, launch_index bigint not null, flavor text not null,
        flavor_id text not null, vcpus bigint not null, memory_mb bigint not null, root_gb bigint not null, image_id text not null,
        image text not null, key_name text not null, key text not null, user_data text, config_drive bigint not null,
        access_ip_v4 text not null, access_ip_v6 text not null, disk_config text not null, metadata text not null,
        pinned_zone text not null, zone text not null, forced_host text not null, hints text not null, group_id text not null,
        nics text not null, security_groups text not null, ports text not null, ports_changed bigint not null,
        ports_followed bigint not null, host text not null, assigned bigint not null,
        withdrawn_at bigint not null, refused_hosts text not null, generation bigint not null, power text not null,
        boots bigint not null, soft_boots bigint not null, vm_state text not null, task_state text not null,
        power_state bigint not null, failing bigint not null, fault text not null, locked bigint not null, locked_by text not null,
        locked_reason text, seen_host text not null, seen_generation bigint not null, seen_power text not null,
        seen_boots bigint not null, seen_soft_boots bigint not null, seen_error text not null, seen_at bigint not null,
        progress bigint not null, seed text not null, request_id text not null, created_at bigint not null, updated_at bigint not null,
        launched_at bigint not null,
        terminated_at bigint not null, deleted bigint not null)`,
      'create index compute_server_project on compute_server (project_id, deleted, created_at)',
      'create index compute_server_created on compute_server (deleted, created_at)',
      'create index compute_server_host on compute_server (host)',
      'create index compute_server_seen_host on compute_server (seen_host)',
      'create index compute_server_group_id on compute_server (group_id)',
      'create table compute_server_tag (server_id text not null, tag text not null, primary key (server_id, tag))',
      'create index compute_server_tag_tag on compute_server_tag (tag)',
      `create table compute_action (
        server_id text not null, request_id text not null, action text not null, user_id text not null, project_id text not null,
        message text, started_at bigint not null, updated_at bigint not null, event text not null, event_started_at bigint not null,
        event_finished_at bigint not null, event_result text not null, event_details text not null, host text not null,
        primary key (server_id, request_id, action))`,
      `create table compute_server_group (
        id text primary key, project_id text not null, user_id text not null, name text not null, policy text not null,
        rules text not null, created_at bigint not null)`,
      'create index compute_server_group_project on compute_server_group (project_id)',
    ],
  },
  {
    name: 'compute-0002-migrations',
    statements: [
      "insert into compute_counter (name, value) values ('migration', 0)",
      `create table compute_migration (
        uuid text primary key, number bigint not null unique, server_id text not null, project_id text not null, user_id text not null,
        type text not null, status text not null, source_host text not null, dest_host text not null, dest_address text not null,
        asked_host text not null, unfiltered bigint not null, old_flavor text not null, new_flavor text not null, power text not null,
        cancelled bigint not null, forced bigint not null, error text not null, memory_total bigint not null,
        memory_sent bigint not null, memory_left bigint not null, disk_total bigint not null, disk_sent bigint not null,
        disk_left bigint not null, created_at bigint not null, updated_at bigint not null)`,
      'create index compute_migration_created on compute_migration (created_at, number)',
      'create index compute_migration_server on compute_migration (server_id)',
      ...['move_id', 'move', 'move_host', 'move_seen', 'other_seen'].map(
        (column) => `alter table compute_server add column ${column} text not null default ''`,
      ),
      ...['move_there', 'move_withdrawn_at'].map(
        (column) => `alter table compute_server add column ${column} bigint not null default 0`,
      ),
      'create index compute_server_move_host on compute_server (move_host)',
    ],
  },
]
