/** F of the article: networks by the neutron client, as printed and as meant. */
import assert from 'node:assert/strict'
import { line, says, type World } from './world.ts'

/** A line of the article as it is printed: how it ends there, and what it says. */
type Printed = { number: string; what: string; typed: string; code: number; says: readonly RegExp[] }

const made = (kind: string, ...fields: string[]) => [
  new RegExp(`^Created a new ${kind}:$`, 'm'),
  ...fields.map((field) => new RegExp(`^\\| ${field} *\\|`, 'm')),
]
const gre = (net: string, number: string): Printed => ({
  number,
  what: `${net} with settings of a file for options is refused, with what works`,
  typed: `neutron net-create ${net} --provider:network_type gre --provider:physical_network physnet2 tunnel_id_ranges = 1:1000 enable_tunneling = True`,
  code: 1,
  says: [
    /Hint: options of a command begin with dashes; tunnel_id_ranges and enable_tunneling are settings of ovs_neutron_plugin\.ini/,
    /Hint: a gre network lies on no physical network: leave --provider:physical_network out\./,
    new RegExp(`Hint: this works: neutron net-create ${net} --provider:network_type gre --provider:segmentation_id N`),
  ],
})

const subnetOfPublic = (cidr: string, more = '') => `neutron subnet-create --name public01_subnet01 \\
    --gateway 192.168.1.1 public01 ${cidr} --disable-dhcp${more}`
const vlan = (net: string, id: number, number: string): Printed => ({
  number,
  what: `${net} on VLAN ${id} of physnet2`,
  typed: `neutron net-create ${net} \\
    --provider:network_type vlan \\
    --provider:physical_network physnet2 \\
    --provider:segmentation_id ${id}`,
  code: 0,
  says: [...made('network'), new RegExp(`^\\| provider:segmentation_id *\\| ${id} *\\|$`, 'm'), /^\| shared *\| False *\|$/m],
})
const subnet = (name: string, net: string, cidr: string) =>
  `neutron subnet-create --tenant-id $tenant --name ${name} ${net} ${cidr}`
const emptyTenant = [
  /expected one argument/,
  /Hint: the value of --tenant-id is empty: is the shell variable set\?.*openstack project show/,
]

const asPrinted: readonly Printed[] = [
  {
    number: 'F1',
    what: 'router01',
    typed: 'neutron router-create router01',
    code: 0,
    says: made('router', 'admin_state_up', 'external_gateway_info', 'id', 'name', 'status', 'tenant_id'),
  },
  {
    number: 'F2',
    what: 'public01, flat on physnet1',
    typed: `neutron net-create public01 \\
    --provider:network_type flat \\
    --provider:physical_network physnet1 \\
    --router:external=True`,
    code: 0,
    says: [...made('network'), /^\| router:external *\| True *\|$/m, /^\| provider:physical_network *\| physnet1 *\|$/m],
  },
  {
    number: 'F3',
    what: 'an ideographic comma for the slash is refused and named',
    typed: subnetOfPublic('192.168.1.0、24'),
    code: 1,
    says: [/Hint: "192\.168\.1\.0、24" has an ideographic comma \(U\+3001\): did you mean 192\.168\.1\.0\/24\?/],
  },
  {
    number: 'F4',
    what: 'no gateway on a network that has no subnet',
    typed: 'neutron router-gateway-set router01 public01',
    code: 1,
    says: [/Hint: .*public01 has no subnet/],
  },
  vlan('net01', 101, 'F5'),
  {
    number: 'F6',
    what: '$tenant is empty',
    typed: subnet('net01_subnet01', 'net01', '192.168.101.0/24'),
    code: 2,
    says: emptyTenant,
  },
  {
    number: 'F7',
    what: 'so there is no such subnet',
    typed: 'neutron router-interface-add router01 net01_subnet01',
    code: 1,
    says: [/Unable to find subnet.*net01_subnet01/],
  },
  vlan('net02', 102, 'F8'),
  {
    number: 'F9',
    what: '$tenant is empty',
    typed: subnet('net02_subnet01', 'net01', '192.168.102.0/24'),
    code: 2,
    says: emptyTenant,
  },
  {
    number: 'F10',
    what: 'so there is no such subnet',
    typed: 'neutron router-interface-add router01 net02_subnet01',
    code: 1,
    says: [/Unable to find subnet.*net02_subnet01/],
  },
  gre('net03', 'F11'),
  {
    number: 'F12',
    what: 'so there is no net03',
    typed: 'neutron subnet-create --name net03_subnet01 net03 192.168.103.0/24',
    code: 1,
    says: [/Unable to find network.*net03/],
  },
  gre('net04', 'F13'),
  {
    number: 'F14',
    what: 'nor Net04',
    typed: 'neutron subnet-create --name net04_subnet01 Net04 192.168.104.0/24',
    code: 1,
    says: [/Unable to find network.*Net04/],
  },
]

export async function networksAsPrinted({ typed, did }: World): Promise<void> {
  for (const one of asPrinted)
    await line('literal', one.number, one.what, async () => says(await typed(one.typed), one.code, ...one.says))
  const withTenant = `tenant=$(neutron net-show net01 -f value -c tenant_id)\n`
  await line('literal', 'F9', 'with $tenant set: legal, and the slip is told', async () => {
    const said = await typed(`${withTenant}${subnet('net02_subnet01', 'net01', '192.168.102.0/24')}`)
    says(said, 0, ...made('subnet'), /Warning: the name net02_subnet01 suggests network net02, the network given is net01\./)
  })
  await line('literal', 'F10', 'with $tenant set', async () => {
    says(
      await typed('neutron router-interface-add router01 net02_subnet01'),
      0,
      /^Added interface [0-9a-f-]{36} to router router01\.$/m,
    )
  })
  await did('neutron router-interface-delete router01 net02_subnet01\nneutron subnet-delete net02_subnet01')
}

/** What the article means; each line must succeed. */
const asMeant: readonly [number: string, typed: string, ...says: RegExp[]][] = [
  [
    'F3',
    subnetOfPublic('192.168.1.0/24'),
    /Warning: the addresses given away will include those of hosts \(192\.168\.1\.64, 192\.168\.1\.110\): choose others with --allocation-pool start=192\.168\.1\.111,end=192\.168\.1\.254/,
  ],
  ['F3', 'neutron subnet-delete public01_subnet01', /Deleted subnet/],
  [
    'F3',
    subnetOfPublic('192.168.1.0/24', ' --allocation-pool start=192.168.1.129,end=192.168.1.199'),
    ...made('subnet', 'allocation_pools'),
  ],
  ['F4', 'neutron router-gateway-set router01 public01', /^Set gateway for router router01$/m],
  ['F6', subnet('net01_subnet01', 'net01', '192.168.101.0/24'), ...made('subnet')],
  ['F7', 'neutron router-interface-add router01 net01_subnet01', /^Added interface/m],
  ['F9', subnet('net02_subnet01', 'net02', '192.168.102.0/24'), ...made('subnet')],
  ['F10', 'neutron router-interface-add router01 net02_subnet01', /^Added interface/m],
  ['F11', 'neutron net-create net03 --provider:network_type gre --provider:segmentation_id 3', ...made('network')],
  ['F12', 'neutron subnet-create --name net03_subnet01 net03 192.168.103.0/24', ...made('subnet')],
  ['F13', 'neutron net-create net04 --provider:network_type gre --provider:segmentation_id 4', ...made('network')],
]

export async function networksAsMeant({ typed, did }: World): Promise<void> {
  const withTenant = `tenant=$(neutron net-show net01 -f value -c tenant_id)\n`
  for (const [number, text, ...patterns] of asMeant)
    await line('corrected', number, text.replaceAll(/\s*\\\n\s*/g, ' '), async () =>
      says(await typed(withTenant + text), 0, ...patterns),
    )
  await line('literal', 'F14', 'Net04 for net04: did you mean', async () => {
    const said = await typed('neutron subnet-create --name net04_subnet01 Net04 192.168.104.0/24')
    says(said, 1, /Hint: names are told apart by upper and lower case: did you mean net04\?/)
  })
  await line('corrected', 'F14', 'subnet-create net04', () =>
    did('neutron subnet-create --name net04_subnet01 net04 192.168.104.0/24'),
  )
  await line('corrected', 'F15', 'the lists show all of it', async () => {
    const rows = (await did('neutron net-list -f value -c name -c subnets')).trim().split('\n').toSorted()
    for (const [net, cidr] of [
      ['net01', '192.168.101.0/24'],
      ['net02', '192.168.102.0/24'],
      ['net03', '192.168.103.0/24'],
      ['net04', '192.168.104.0/24'],
      ['public01', '192.168.1.0/24'],
    ] as const)
      assert.ok(
        rows.some((row) => row.startsWith(net) && row.includes(cidr)),
        `${net} ${cidr}:\n${rows.join('\n')}`,
      )
    assert.match(await did('neutron router-show router01 -f value -c external_gateway_info'), /192\.168\.1\.\d+/)
  })
  await line('corrected', 'F15', 'agents of both hosts are alive', async () => {
    const rows = (await did('neutron agent-list -f value -c host -c agent_type -c alive')).trim().split('\n')
    for (const host of ['stack-kvm110', 'stack-01'])
      assert.ok(
        rows.some((row) => row.includes(host) && row.includes('Open vSwitch agent') && row.includes(':-)')),
        rows.join('\n'),
      )
    const carriers = rows.filter((row) => row.includes('L3 agent') || row.includes('DHCP agent'))
    assert.ok(
      carriers.length === 2 && carriers.every((row) => row.includes('stack-kvm110') && row.includes(':-)')),
      rows.join('\n'),
    )
  })
}
