import type { Parameter } from './parameters.ts'

/** Parameters that decide something about a cloud of ours. */
const acting = new Set([
  'CONFIG_SSH_KEY',
  'CONFIG_DEFAULT_PASSWORD',
  'CONFIG_NEUTRON_INSTALL',
  'EXCLUDE_SERVERS',
  'CONFIG_CONTROLLER_HOST',
  'CONFIG_COMPUTE_HOSTS',
  'CONFIG_NETWORK_HOSTS',
  'CONFIG_KEYSTONE_REGION',
  'CONFIG_KEYSTONE_ADMIN_PW',
  'CONFIG_KEYSTONE_DEMO_PW',
  'CONFIG_NOVA_MANAGE_FLAVORS',
  'CONFIG_NOVA_LIBVIRT_VIRT_TYPE',
  'CONFIG_NEUTRON_L3_EXT_BRIDGE',
  'CONFIG_NEUTRON_ML2_TYPE_DRIVERS',
  'CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES',
  'CONFIG_NEUTRON_ML2_FLAT_NETWORKS',
  'CONFIG_NEUTRON_ML2_VLAN_RANGES',
  'CONFIG_NEUTRON_ML2_TUNNEL_ID_RANGES',
  'CONFIG_NEUTRON_ML2_VNI_RANGES',
  'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS',
  'CONFIG_NEUTRON_OVS_EXTERNAL_PHYSNET',
  'CONFIG_NEUTRON_OVS_BRIDGE_IFACES',
  'CONFIG_NEUTRON_OVS_BRIDGES_COMPUTE',
  'CONFIG_NEUTRON_OVS_TUNNEL_IF',
  'CONFIG_NEUTRON_OVS_TUNNEL_SUBNETS',
  'CONFIG_PROVISION_DEMO',
  'CONFIG_PROVISION_OVS_BRIDGE',
])

export const isActing = (name: string): boolean => acting.has(name)

/** Values that ask for what is done here anyway; any other has no effect. */
const fixed: Record<string, string[]> = {
  CONFIG_GLANCE_INSTALL: ['y'],
  CONFIG_NOVA_INSTALL: ['y'],
  CONFIG_CLIENT_INSTALL: ['y', 'n'],
  CONFIG_KEYSTONE_API_VERSION: ['v3'],
  CONFIG_KEYSTONE_TOKEN_FORMAT: ['FERNET'],
  CONFIG_KEYSTONE_IDENTITY_BACKEND: ['sql'],
  CONFIG_KEYSTONE_ADMIN_USERNAME: ['admin'],
  CONFIG_GLANCE_BACKEND: ['file'],
  CONFIG_NEUTRON_L2_AGENT: ['openvswitch'],
  CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS: ['openvswitch', 'openvswitch,l2population'],
  CONFIG_NEUTRON_OVS_VXLAN_UDP_PORT: ['4789'],
  CONFIG_PROVISION_DEMO_FLOATRANGE: ['172.24.4.0/24'],
  CONFIG_PROVISION_IMAGE_NAME: ['mini'],
  CONFIG_PROVISION_IMAGE_FORMAT: ['qcow2'],
  CONFIG_NEUTRON_L2_PLUGIN: ['ml2', 'openvswitch'],
}

export type NoEffect = { why: string; instead: string }

/** Reasons by name, the first that fits; then by the parameter's group. */
const byName: [pattern: RegExp, why: string, instead: string][] = [
  [/^CONFIG_(GLANCE|NOVA)_INSTALL$/, 'identity, image, compute, placement and network are one program', 'leave it y'],
  [
    /^CONFIG_(CINDER|MANILA|HORIZON|SWIFT|CEILOMETER|AODH|HEAT|MAGNUM|TROVE|IRONIC|SAHARA|LBAAS)_INSTALL$|_VPNAAS$|_FWAAS$|METERING_AGENT_INSTALL$|HEAT_C\w+_INSTALL$/,
    'this release has no such service',
    'n',
  ],
  [
    /^CONFIG_(QPID|AMQP|MONGODB|REDIS)_|^CONFIG_MARIADB_|^CONFIG_MYSQL_|_DB_(PW|PURGE_ENABLE)$|HEAT_DB|COORDINATION_BACKEND$/,
    'there is no message broker, and the database is a file of the controller',
    'nothing, there are no such accounts to protect',
  ],
  [
    /_KS_PW$|^CONFIG_TROVE_NOVA|^CONFIG_NEUTRON_METADATA_PW$|ADMIN_TOKEN$|^CONFIG_CEILOMETER_SECRET$|^CONFIG_SWIFT_HASH$|HORIZON_SECRET_KEY$/,
    'services are one program and have no accounts among themselves',
    'nothing, there are no such secrets',
  ],
  [/^CONFIG_SERVICE_WORKERS$/, 'one process serves all interfaces', 'nothing, it needs no tuning'],
  [
    /^CONFIG_DEBUG_MODE$/,
    'the log level is an option of the daemon',
    'packstack --debug for the deployer; altostackd --log-level debug',
  ],
  [
    /^CONFIG_NTP_SERVERS$/,
    'clocks are left to the distribution',
    'apt-get install chrony, and name the servers in /etc/chrony/chrony.conf',
  ],
  [
    /^CONFIG_(USE_SUBNETS|UNSUPPORTED|STORAGE_HOST)$/,
    'interfaces are named by their names, and storage is where its service is',
    'the name of the interface',
  ],
  [
    /^CONFIG_CLIENT_INSTALL$/,
    'credentials are always written; clients come from the distribution',
    'apt-get install python3-openstackclient',
  ],
  [
    /^CONFIG_NOVA_SCHED_\w+_ALLOC_RATIO$/,
    'ratios belong to the inventory of each host',
    'openstack resource provider inventory set --resource VCPU:allocation_ratio=...',
  ],
  [/^CONFIG_NOVA_COMPUTE_MIGRATE_PROTOCOL$/, 'hosts move guests without a shell on each other', 'nothing'],
  [/^CONFIG_NOVA_PCI_/, 'devices of the host are not passed through', 'nothing yet'],
  [/^CONFIG_VNC_SSL_/, 'consoles are not served over TLS by this program', 'a TLS proxy in front of it'],
  [
    /^CONFIG_NOVA_COMPUTE_PRIVIF$|^CONFIG_NOVA_NETWORK_(?!HOSTS)/,
    'nova-network is gone; with neutron it had no effect in 2014 either',
    'CONFIG_NEUTRON_ML2_* and CONFIG_NEUTRON_OVS_*',
  ],
  [/^CONFIG_NEUTRON_OVN_/, 'Open vSwitch wires ports here, without OVN', 'the same parameter with OVS in the place of OVN'],
  [
    /^CONFIG_NEUTRON_L2_AGENT$|MECHANISM_DRIVERS$|L2_PLUGIN$/,
    'the same networks are wired by our agent over Open vSwitch',
    'openvswitch',
  ],
  [/^CONFIG_NEUTRON_LB_INTERFACE_MAPPINGS$/, 'there is no linuxbridge agent', 'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS'],
  [/^CONFIG_NEUTRON_LBAAS_HOSTS$/, 'this release has no load balancers', 'nothing yet'],
  [/VXLAN_GROUP$/, 'tunnels are laid from host to host, without multicast', 'nothing'],
  [/VXLAN_UDP_PORT$/, 'the port is the one of RFC 7348', '4789'],
  [/SRIOV/, 'network cards are not passed through', 'nothing yet'],
  [
    /^CONFIG_PROVISION_DEMO_(FLOATRANGE|ALLOCATION_POOLS)$/,
    "the demo's public network is 172.24.4.0/24",
    'CONFIG_PROVISION_DEMO=n, and networks of your own',
  ],
  [
    /^CONFIG_PROVISION_IMAGE_/,
    'the demo image is built on this machine and called mini',
    'openstack image create --file ... for another one',
  ],
  [/TEMPEST/, 'the test suite is not deployed with the cloud', 'tempest init, with the credentials of keystonerc_admin'],
  [/^CONFIG_KEYSTONE_ADMIN_(EMAIL|USERNAME)$/, 'the administrator is called admin', 'openstack user set, or another user'],
  [/FERNET_TOKEN_ROTATE/, 'the keys of tokens rotate by themselves', 'nothing'],
  [/^CONFIG_KEYSTONE_/, 'users are kept in the database only, and tokens are Fernet', 'sql, FERNET and v3'],
  [/^CONFIG_GLANCE_BACKEND$/, 'images are kept in files of the controller', 'file'],
  [
    /^CONFIG_(REPO|ENABLE_RDO_TESTING|RH_|SATELLITE|USE_EPEL)/,
    'packages come from the sources the distribution has',
    '/etc/apt/sources.list.d or /etc/yum.repos.d',
  ],
  [/^CONFIG_(SSL_|HORIZON_SSL)/, 'the public interfaces speak HTTP', 'a TLS proxy in front of them'],
  [/^CONFIG_(VMWARE|VCENTER)/, 'guests run by QEMU only', 'n'],
  [/^CONFIG_NAGIOS_/, 'there is no Nagios', 'packstack --status, exit code 3 when something is wrong'],
  [
    /^CONFIG_(CINDER|MANILA|SWIFT|CEILOMETER|GNOCCHI|AODH|HEAT|MAGNUM|TROVE|IRONIC|ENABLE_CEILOMETER)_?/,
    'this release has no such service',
    'nothing yet',
  ],
]

/** Why a parameter decides nothing here, whatever its value; undefined: it does decide. A test asks this of every name. */
export function noEffect(name: string): NoEffect | undefined {
  if (acting.has(name)) return undefined
  const found = byName.find(([pattern]) => pattern.test(name))
  return found && { why: found[1], instead: found[2] }
}

/** Whether this value asks for something that will not come: not what stands for it by default, not empty, not a refusal. */
export function isInVain(parameter: Pick<Parameter, 'name' | 'default'>, value: string, ours: string): boolean {
  if (acting.has(parameter.name) || value === '' || value === ours) return false
  const good = fixed[parameter.name]
  if (good) return !good.includes(value)
  return !(value === 'n' || value === '[]')
}
