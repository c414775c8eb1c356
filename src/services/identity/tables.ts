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
    password_created_at: number
    /** The user chose it. */
    password_self_service: number
    /** Wrong passwords since the last right one. */
    failed_count: number
    failed_at: number
    last_active_at: number
    options: string
    extra: string
    created_at: number
    /** Of one who is in a directory: its id there, when it was last seen there, and whether it was looked for in vain since. Empty: ours. */
    local_id: string
    seen_at: number
    gone: number
  }
  /** Hashes of passwords a user had, the current one included. */
  identity_password_history: { user_id: string; created_at: number; password_hash: string }
  identity_group: {
    id: string
    name: string
    domain_id: string
    description: string
    extra: string
    created_at: number
    /** As for users. */
    local_id: string
    seen_at: number
    gone: number
  }
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
  /** `expires_at` 0: never; `remaining_uses` -1: any number; `parent_id`: the trust it was made with. */
  identity_trust: {
    id: string
    trustor_id: string
    trustee_id: string
    project_id: string
    impersonation: number
    expires_at: number
    remaining_uses: number
    parent_id: string
    redelegation_count: number
    created_at: number
  }
  identity_trust_role: { trust_id: string; role_id: string }
  identity_application_credential: {
    id: string
    name: string
    user_id: string
    project_id: string
    description: string
    secret_hash: string
    expires_at: number
    unrestricted: number
    created_at: number
  }
  identity_application_credential_role: { credential_id: string; role_id: string }
  identity_access_rule: { id: string; user_id: string; service: string; path: string; method: string; created_at: number }
  identity_application_credential_rule: { credential_id: string; rule_id: string }
  /** `blob` is sealed with a key of `identity_secret_key`, or one that is kept outside. */
  identity_credential: { id: string; user_id: string; project_id: string; type: string; blob: string; created_at: number }
  identity_secret_key: { number: number; secret: string; created_at: number }
  identity_project_endpoint: { project_id: string; endpoint_id: string }
  identity_endpoint_group: { id: string; name: string; description: string; filters: string; created_at: number }
  identity_project_endpoint_group: { project_id: string; group_id: string }
  identity_policy: { id: string; type: string; blob: string; extra: string; created_at: number }
  /** Of an endpoint, of a service, or of a service in a region. */
  identity_policy_association: { endpoint_id: string; service_id: string; region_id: string; policy_id: string }
  identity_registered_limit: {
    id: string
    service_id: string
    region_id: string
    resource_name: string
    default_limit: number
    description: string | null
    created_at: number
  }
  /** Of a project or of a domain. */
  identity_limit: {
    id: string
    registered_limit_id: string
    project_id: string
    domain_id: string
    resource_limit: number
    description: string | null
    created_at: number
  }
  /** `value` is JSON, sealed when it is sensitive. */
  identity_domain_option: { domain_id: string; group_name: string; option_name: string; value: string; sensitive: number }
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
  {
    name: 'identity-2',
    statements: [
      ...['password_created_at', 'password_self_service', 'failed_count', 'failed_at', 'last_active_at'].map(
        (column) => `alter table identity_user add column ${column} bigint not null default 0`,
      ),
      `create table identity_password_history (user_id text not null, created_at bigint not null, password_hash text not null,
        primary key (user_id, created_at))`,
      `create table identity_trust (id text primary key, trustor_id text not null, trustee_id text not null, project_id text not null,
        impersonation bigint not null, expires_at bigint not null, remaining_uses bigint not null, parent_id text not null,
        redelegation_count bigint not null, created_at bigint not null)`,
      'create index identity_trust_trustor on identity_trust (trustor_id)',
      'create index identity_trust_trustee on identity_trust (trustee_id)',
      'create index identity_trust_parent on identity_trust (parent_id)',
      'create index identity_trust_project on identity_trust (project_id)',
      'create table identity_trust_role (trust_id text not null, role_id text not null, primary key (trust_id, role_id))',
      `create table identity_application_credential (id text primary key, name text not null, user_id text not null,
        project_id text not null, description text not null, secret_hash text not null, expires_at bigint not null,
        unrestricted bigint not null, created_at bigint not null, unique (user_id, name))`,
      'create index identity_application_credential_project on identity_application_credential (project_id)',
      `create table identity_application_credential_role (credential_id text not null, role_id text not null,
        primary key (credential_id, role_id))`,
      `create table identity_access_rule (id text primary key, user_id text not null, service text not null, path text not null,
        method text not null, created_at bigint not null, unique (user_id, service, path, method))`,
      `create table identity_application_credential_rule (credential_id text not null, rule_id text not null,
        primary key (credential_id, rule_id))`,
      'create index identity_application_credential_rule_rule on identity_application_credential_rule (rule_id)',
      `create table identity_credential (id text primary key, user_id text not null, project_id text not null, type text not null,
        blob text not null, created_at bigint not null)`,
      'create index identity_credential_user on identity_credential (user_id)',
      'create index identity_credential_project on identity_credential (project_id)',
      'create table identity_secret_key (number bigint primary key, secret text not null, created_at bigint not null)',
      `create table identity_project_endpoint (project_id text not null, endpoint_id text not null,
        primary key (project_id, endpoint_id))`,
      'create index identity_project_endpoint_endpoint on identity_project_endpoint (endpoint_id)',
      `create table identity_endpoint_group (id text primary key, name text not null, description text not null,
        filters text not null, created_at bigint not null)`,
      `create table identity_project_endpoint_group (project_id text not null, group_id text not null,
        primary key (project_id, group_id))`,
      'create index identity_project_endpoint_group_group on identity_project_endpoint_group (group_id)',
      `create table identity_policy (id text primary key, type text not null, blob text not null, extra text not null,
        created_at bigint not null)`,
      `create table identity_policy_association (endpoint_id text not null, service_id text not null, region_id text not null,
        policy_id text not null, primary key (endpoint_id, service_id, region_id))`,
      'create index identity_policy_association_policy on identity_policy_association (policy_id)',
      `create table identity_registered_limit (id text primary key, service_id text not null, region_id text not null,
        resource_name text not null, default_limit bigint not null, description text, created_at bigint not null,
        unique (service_id, region_id, resource_name))`,
      `create table identity_limit (id text primary key, registered_limit_id text not null, project_id text not null,
        domain_id text not null, resource_limit bigint not null, description text, created_at bigint not null,
        unique (registered_limit_id, project_id, domain_id))`,
      'create index identity_limit_project on identity_limit (project_id)',
      'create index identity_limit_domain on identity_limit (domain_id)',
      `create table identity_domain_option (domain_id text not null, group_name text not null, option_name text not null,
        value text not null, sensitive bigint not null, primary key (domain_id, group_name, option_name))`,
    ],
  },
  {
    name: 'identity-3',
    statements: ['identity_user', 'identity_group'].flatMap((table) => [
      `alter table ${table} add column local_id text not null default ''`,
      `alter table ${table} add column seen_at bigint not null default 0`,
      `alter table ${table} add column gone bigint not null default 0`,
    ]),
  },
]
