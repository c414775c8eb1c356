import { join } from 'node:path'

/** What tempest must know of a cloud. */
export type Facts = {
  /** Where its log and locks are. */
  folder: string
  identityUrl: string
  adminPassword: string
  /** The rules of `IdentitySettings.passwordRules`. */
  rules: { attempts: number; seconds: number; unique: number }
  /** A URL whose bytes may be imported. */
  webImage: string
  /** Type in the catalog of a second controller's image API. */
  secondImage: string
  /** Aliases of what the network service can. */
  networkExtensions: string[]
  ids: { image: string; secondImage: string; flavor: string; secondFlavor: string; publicNetwork: string }
}

type Section = Record<string, string | number | boolean>

/** Everything we have is switched on; what is off is not there. */
const sections = (facts: Facts): Record<string, Section> => ({
  DEFAULT: { log_file: join(facts.folder, 'tempest.log'), debug: false },
  oslo_concurrency: { lock_path: join(facts.folder, 'locks') },
  auth: {
    use_dynamic_credentials: true,
    admin_username: 'admin',
    admin_password: facts.adminPassword,
    admin_project_name: 'admin',
    admin_domain_name: 'Default',
  },
  identity: {
    uri_v3: facts.identityUrl,
    auth_version: 'v3',
    region: 'RegionOne',
    v3_endpoint_type: 'public',
    user_lockout_failure_attempts: facts.rules.attempts,
    user_lockout_duration: facts.rules.seconds,
    user_unique_last_password_count: facts.rules.unique,
  },
  // `domain_specific_drivers` would let tempest list the users of one domain only.
  'identity-feature-enabled': {
    api_v2: false,
    trust: true,
    security_compliance: true,
    project_tags: true,
    application_credentials: true,
    access_rules: true,
    domain_specific_drivers: false,
  },
  image: {
    http_image: facts.webImage,
    image_caching_enabled: true,
    alternate_image_endpoint: facts.secondImage,
    container_formats: 'bare,ami,ari,aki,ovf',
    // Tempest uploads the same random bytes as each of these. Content is looked at here, so those of a format of their own are refused, as ova is.
    disk_formats: 'raw,ami,ari,aki',
  },
  'image-feature-enabled': { api_v1: false, import_image: true, os_glance_reserved: true, manage_locations: false },
  service_available: { nova: true, neutron: true, glance: true, cinder: false, swift: false, horizon: false },
  compute: {
    image_ref: facts.ids.image,
    image_ref_alt: facts.ids.secondImage,
    flavor_ref: facts.ids.flavor,
    flavor_ref_alt: facts.ids.secondFlavor,
    min_compute_nodes: 3,
    build_timeout: 60,
    max_microversion: 'latest',
  },
  placement: { max_microversion: 'latest' },
  'compute-feature-enabled': {
    resize: true,
    cold_migration: true,
    live_migration: true,
    vnc_console: true,
    serial_console: true,
    console_output: true,
    stable_rescue: false,
  },
  validation: { run_validation: false },
  network: { public_network_id: facts.ids.publicNetwork, floating_network_name: 'public' },
  'network-feature-enabled': {
    api_extensions: facts.networkExtensions.join(','),
    ipv6: true,
    ipv6_subnet_attributes: true,
    port_security: true,
  },
})

/** The text of tempest.conf. */
export const tempestConf = (facts: Facts): string =>
  Object.entries(sections(facts))
    .map(([name, section]) => [`[${name}]`, ...Object.entries(section).map(([key, value]) => `${key} = ${value}`), ''].join('\n'))
    .join('\n')
