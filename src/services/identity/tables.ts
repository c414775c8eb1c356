import type { Migration } from '../../kit/db/migrate.ts'
import type { Tx } from '../../kit/db/open.ts'

/** Texts that say "none" are empty, so that unique keys and sort orders hold; `extra` and `options` are JSON objects. */
export type IdentityTables = {
  /** Moves with every write: whoever keeps something in memory looks here first. */
  identity_generation: { id: number; number: number }
  /** Keys of tokens; the highest number signs, the others still verify. */
  identity_key: { number: number; secret: string; created_at: number }
  /** Tokens older than `generation` that match all the ids given are void. Kept until the last of them has expired. */
  identity_revocation: {
    id: string
    audit_id: string
    audit_chain_id: string
    user_id: string
    project_id: string
    domain_id: string
    generation: number
    expires_at: number
  }
  /** Projects and domains: a domain is a project without parent and domain. */
  identity_project: {
    id: string
    name: string
    domain_id: string
    parent_id: string
    is_domain: number
    enabled: number
    description: string
    options: string
    extra: string
    created_at: number
  }
  identity_project_tag: { project_id: string; tag: string }
  identity_user: {
    id: string
    name: string
    domain_id: string
    enabled: number
    default_project_id: string
    password_hash: string
    password_expires_at: number
    options: string
    extra: string
    created_at: number
  }
  identity_group: { id: string; name: string; domain_id: string; description: string; extra: string; created_at: number }
  identity_member: { group_id: string; user_id: string }
  identity_role: {
    id: string
    name: string
    domain_id: string
    description: string | null
    options: string
    extra: string
    created_at: number
  }
  identity_implied_role: { prior_id: string; implied_id: string }
  /** `target_id` of a system assignment is `all`. */
  identity_assignment: {
    actor: 'user' | 'group'
    actor_id: string
    target: 'project' | 'domain' | 'system'
    target_id: string
    role_id: string
    inherited: number
  }
  identity_region: { id: string; description: string; parent_id: string; extra: string; created_at: number }
  identity_service: { id: string; type: string; enabled: number; extra: string; created_at: number }
  identity_endpoint: {
    id: string
    service_id: string
    interface: 'public' | 'internal' | 'admin'
    region_id: string
    url: string
    enabled: number
    extra: string
    created_at: number
  }
}

export type IdentityTx = Tx<IdentityTables>

export const identityMigrations: Migration[] = [
  {
    name: 'identity-1',
    statements: [
      'create table identity_generation (id bigint primary key, number bigint not null)',
      'insert into identity_generation (id, number) values (1, 0)',
      'create table identity_key (number bigint primary key, secret text not null, created_at bigint not null)',
      `create table identity_revocation (id text primary key, audit_id text not null, audit_chain_id text not null, user_id text not null,
        project_id text not null, domain_id text not null, generation bigint not null, expires_at bigint not null)`,
      'create index identity_revocation_expiry on identity_revocation (expires_at)',
      `create table identity_project (id text primary key, name text not null, domain_id text not null, parent_id text not null,
        is_domain bigint not null, enabled bigint not null, description text not null, options text not null, extra text not null,
        created_at bigint not null, unique (domain_id, name))`,
      'create index identity_project_parent on identity_project (parent_id)',
      'create table identity_project_tag (project_id text not null, tag text not null, primary key (project_id, tag))',
      'create index identity_project_tag_tag on identity_project_tag (tag)',
      `create table identity_user (id text primary key, name text not null, domain_id text not null, enabled bigint not null,
        default_project_id text not null, password_hash text not null, password_expires_at bigint not null, options text not null,
        extra text not null, created_at bigint not null, unique (domain_id, name))`,
      'create index identity_user_default_project on identity_user (default_project_id)',
      `create table identity_group (id text primary key, name text not null, domain_id text not null, description text not null,
        extra text not null, created_at bigint not null, unique (domain_id, name))`,
      'create table identity_member (group_id text not null, user_id text not null, primary key (group_id, user_id))',
      'create index identity_member_user on identity_member (user_id)',
      `create table identity_role (id text primary key, name text not null, domain_id text not null, description text,
        options text not null, extra text not null, created_at bigint not null, unique (domain_id, name))`,
      'create table identity_implied_role (prior_id text not null, implied_id text not null, primary key (prior_id, implied_id))',
      `create table identity_assignment (actor text not null, actor_id text not null, target text not null, target_id text not null,
        role_id text not null, inherited bigint not null, primary key (actor, actor_id, target, target_id, role_id, inherited))`,
      'create index identity_assignment_target on identity_assignment (target, target_id)',
      'create index identity_assignment_role on identity_assignment (role_id)',
      `create table identity_region (id text primary key, description text not null, parent_id text not null, extra text not null,
        created_at bigint not null)`,
      `create table identity_service (id text primary key, type text not null, enabled bigint not null, extra text not null,
        created_at bigint not null)`,
      `create table identity_endpoint (id text primary key, service_id text not null, interface text not null, region_id text not null,
        url text not null, enabled bigint not null, extra text not null, created_at bigint not null)`,
      'create index identity_endpoint_service on identity_endpoint (service_id)',
      'create index identity_endpoint_region on identity_endpoint (region_id)',
    ],
  },
]
