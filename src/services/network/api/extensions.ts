import { endpoint } from '../../../kit/http/endpoint.ts'
import { fault } from '../domain/faults.ts'

/** Alias and name of each extension whose attributes and behaviour are all here. What is missing is not claimed: clients look first. */
const extensions: Record<string, string> = {
  agent: 'agent',
  agent_sort_key: 'Agents Sort Key',
  'allowed-address-pairs': 'Allowed Address Pairs',
  availability_zone: 'Availability Zone',
  availability_zone_filter: 'Availability Zone Filter Extension',
  binding: 'Port Binding',
  dhcp_agent_scheduler: 'DHCP Agent Scheduler',
  'empty-string-filtering': 'Empty String Filtering Extension',
  'ext-gw-mode': 'Neutron L3 Configurable external gateway mode',
  'external-net': 'Neutron external network',
  extraroute: 'Neutron Extra Route',
  'extraroute-atomic': 'Atomically add/remove extra routes',
  'filter-validation': 'Filter parameters validation',
  'fip-port-details': 'Floating IP Port Details Extension',
  'floatingip-pools': 'Floating IP Pools Extension',
  'ip-substring-filtering': 'IP address substring filtering',
  'l3-port-ip-change-not-allowed': 'Prevent L3 router ports IP address change extension',
  l3_agent_scheduler: 'L3 Agent Scheduler',
  'net-mtu': 'Network MTU',
  'net-mtu-writable': 'Network MTU (writable)',
  'network-ip-availability': 'Network IP Availability',
  network_availability_zone: 'Network Availability Zone',
  pagination: 'Pagination support',
  'port-security': 'Port Security',
  'port-security-groups-filtering': 'Port filtering on security groups',
  'project-id': 'project_id field enabled',
  provider: 'Provider Network',
  quota_details: 'Quota details management support',
  quotas: 'Quota management support',
  'revision-if-match': 'If-Match constraints based on revision_number',
  router: 'Neutron L3 Router',
  router_availability_zone: 'Router Availability Zone',
  'security-group': 'security-group',
  'security-groups-normalized-cidr': 'Normalized CIDR field for security group rules',
  'security-groups-rules-belongs-to-default-sg': "Security group rule belongs to the project's default security group",
  'sort-key-validation': 'Sort keys validation',
  sorting: 'Sorting support',
  'standard-attr-description': 'standard-attr-description',
  'standard-attr-revisions': 'Resource revision numbers',
  'standard-attr-tag': 'Tag support for resources with standard attributes',
  'standard-attr-timestamp': 'Resource timestamps',
  'subnet-external-network': 'Subnet belongs to an external network',
  'subnet-service-types': 'Subnet service types',
  'tag-creation': 'Tag creation extension',
  'tag-ports-during-bulk-creation': 'Tag Ports During Bulk Creation',
}

const wire = ([alias, name]: [string, string]) => ({
  alias,
  name,
  description: name,
  updated: '2026-01-01T00:00:00-00:00',
  links: [],
})

export const extensionEndpoints = () => [
  endpoint({
    on: 'GET /extensions',
    policy: 'token',
    handle: async () => ({ extensions: Object.entries(extensions).map(wire) }),
  }),
  endpoint({
    on: 'GET /extensions/{alias}',
    policy: 'token',
    async handle({ params }) {
      const alias = params['alias']!
      const name = Object.hasOwn(extensions, alias) ? extensions[alias] : undefined
      if (name === undefined) throw fault('not-found', 'ExtensionsNotFound', `Extensions not found: ${alias}.`)
      return { extension: wire([alias, name]) }
    },
  }),
]
