import { mark, outside, region } from './place.ts'

export type Accelerator = 'kvm' | 'tcg'

export type AnswerValues = { host: string; adminPassword: string; demoPassword: string; accelerator: Accelerator }

type Answer = [key: string, help: string, value: string]

/** The keys of packstack that say something about a cloud of ours, in packstack's order. */
export const answers = ({ host, adminPassword, demoPassword, accelerator }: AnswerValues): Answer[] => [
  ['CONFIG_GLANCE_INSTALL', "'y': install the image service.", 'y'],
  ['CONFIG_CINDER_INSTALL', "'y': install the volume service.", 'n'],
  ['CONFIG_NOVA_INSTALL', "'y': install the compute service, which brings placement.", 'y'],
  ['CONFIG_NEUTRON_INSTALL', "'y': install the network service; nothing else is possible.", 'y'],
  ['CONFIG_HORIZON_INSTALL', "'y': install the dashboard.", 'n'],
  ['CONFIG_SWIFT_INSTALL', "'y': install the object store.", 'n'],
  ['CONFIG_CEILOMETER_INSTALL', "'y': install metering.", 'n'],
  ['CONFIG_AODH_INSTALL', "'y': install alarms.", 'n'],
  ['CONFIG_HEAT_INSTALL', "'y': install orchestration.", 'n'],
  ['CONFIG_TROVE_INSTALL', "'y': install databases as a service.", 'n'],
  ['CONFIG_NTP_SERVERS', 'Time servers, separated by commas; empty leaves the clocks alone.', ''],
  ['CONFIG_CONTROLLER_HOST', 'Host of the APIs and schedulers.', host],
  ['CONFIG_COMPUTE_HOSTS', 'Hosts that run guests, separated by commas.', host],
  ['CONFIG_NETWORK_HOSTS', 'Hosts that run routers and DHCP, separated by commas.', host],
  ['CONFIG_KEYSTONE_REGION', 'Name of the region.', region],
  ['CONFIG_KEYSTONE_ADMIN_USERNAME', 'Name of the administrator.', 'admin'],
  ['CONFIG_KEYSTONE_ADMIN_PW', 'Password of the administrator.', adminPassword],
  ['CONFIG_KEYSTONE_DEMO_PW', 'Password of the demo user.', demoPassword],
  ['CONFIG_KEYSTONE_API_VERSION', 'Version of the identity API.', 'v3'],
  ['CONFIG_NOVA_MANAGE_FLAVORS', "'y': create the flavors m1.tiny to m1.xlarge.", 'y'],
  ['CONFIG_NOVA_LIBVIRT_VIRT_TYPE', "'kvm', or 'qemu' for software emulation.", accelerator === 'kvm' ? 'kvm' : 'qemu'],
  ['CONFIG_NEUTRON_L3_EXT_BRIDGE', 'Bridge of the external network.', outside.bridge],
  ['CONFIG_NEUTRON_ML2_TYPE_DRIVERS', 'Kinds of networks, separated by commas.', 'flat,vlan,vxlan,gre,geneve,local'],
  ['CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES', "Kinds of projects' own networks, in order of preference.", 'vxlan'],
  ['CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS', 'Who wires ports.', 'openvswitch'],
  ['CONFIG_NEUTRON_ML2_FLAT_NETWORKS', "Physical networks that may be used flat; '*' is any.", '*'],
  ['CONFIG_NEUTRON_ML2_VLAN_RANGES', 'VLAN ids by physical network: physnet:from:to.', ''],
  ['CONFIG_NEUTRON_ML2_TUNNEL_ID_RANGES', 'GRE ids: from:to.', '10:10000'],
  ['CONFIG_NEUTRON_ML2_VNI_RANGES', 'VXLAN ids: from:to.', '10:10000'],
  ['CONFIG_NEUTRON_L2_AGENT', 'What wires ports on the hosts.', 'openvswitch'],
  ['CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS', 'physnet:bridge, separated by commas.', `${outside.physicalNetwork}:${outside.bridge}`],
  ['CONFIG_NEUTRON_OVS_EXTERNAL_PHYSNET', 'Physical network behind the demo public network.', outside.physicalNetwork],
  ['CONFIG_PROVISION_DEMO', "'y': create the demo project, networks and image.", 'y'],
  ['CONFIG_PROVISION_DEMO_FLOATRANGE', 'Addresses of the demo public network.', outside.cidr],
  ['CONFIG_PROVISION_IMAGE_NAME', 'Name of the demo image.', 'mini'],
  ['CONFIG_PROVISION_IMAGE_FORMAT', 'Its disk format.', 'qcow2'],
  ['CONFIG_PROVISION_OVS_BRIDGE', "'y': the external bridge carries the demo network's gateway.", 'y'],
]

/** The file: one section, each key after a comment. */
export const answerFile = (values: AnswerValues): string =>
  [mark, '[general]', ...answers(values).flatMap(([key, help, value]) => ['', `# ${help}`, `${key}=${value}`]), ''].join('\n')

/** `packstack-answers-20260101-120000.txt`, in local time as packstack does. */
export function answerFileName(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`
  return `packstack-answers-${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}.txt`
}

export const isAnswerFileName = (name: string): boolean => /^packstack-answers-\d{8}-\d{6}\.txt$/.test(name)
