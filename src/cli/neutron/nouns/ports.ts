import type { Option } from '../arguments.ts'
import { lines, type Noun } from './noun.ts'
import { description, dns, down, noDns, noQos, old, qos, text } from './options.ts'

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

const portColumns = ['id', 'name', 'mac_address', 'fixed_ips']

const vnicTypes = ['direct', 'direct-physical', 'macvtap', 'normal', 'baremetal', 'smart-nic']

export const port: Noun = {
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
