/** D and E of the article: physical networks, by files of the old plugin and by the answer file. */
import assert from 'node:assert/strict'
import type { SimHost } from '../hosts/hosts.ts'
import { until } from '../installed.ts'
import { addresses, line, says, type World } from './world.ts'

const file = '/etc/neutron/plugins/openvswitch/ovs_neutron_plugin.ini'
const vlanBlock = (ranges: string, mappings: string) => `[ovs]
tenant_network_type = vlan
network_vlan_ranges = ${ranges}
integration_bridge = br-int
bridge_mappings = ${mappings}
`
/** As it is printed, without a section. */
const greBlock = (address: string) => `enable_tunneling = True
tunnel_type = gre
tunnel_id_ranges = 1:1000
local_ip = ${address}
integration_bridge = br-int
tunnel_bridge = br-tun
`

const put = (host: SimHost, text: string) => host.sh(`mkdir -p $(dirname ${file}); cat >${file} <<'I'\n${text}I`)

type Configurations = { bridge_mappings: Record<string, string>; tunneling_ip: string }

/** What the switch agent of a host says of itself. */
async function configured({ did }: World, host: string): Promise<Configurations> {
  const id = (await did(`neutron agent-list -f value -c id --host ${host} --binary neutron-openvswitch-agent`)).trim()
  return JSON.parse(await did(`neutron agent-show ${id} -f json`)).configurations
}

/** Nothing is started anew: who reads the files sees that they are other ones. */
export async function files(world: World): Promise<void> {
  const { first, second, did } = world
  const blocks = {
    first: vlanBlock('physnet1,physnet2:101:110', 'physnet1:br-ex,physnet2:br-eth1'),
    second: vlanBlock('physnet2:101:110', 'physnet2:br-eth1'),
  }
  await line('literal', 'D1', 'the VLAN block of the network node acts, without a restart', async () => {
    await put(first, blocks.first)
    await until('mappings', 30, async () => (await configured(world, first.name)).bridge_mappings['physnet2'] === 'br-eth1')
    assert.deepEqual((await configured(world, first.name)).bridge_mappings, { physnet1: 'br-ex', physnet2: 'br-eth1' })
    const made = await did(
      'neutron net-create probe -f value -c provider:network_type -c provider:segmentation_id; neutron net-delete probe',
    )
    assert.match(made, /vlan\s+10[1-9]\b|10[1-9]\s+vlan|vlan\s+110|110\s+vlan/)
  })
  await line('literal', 'D2', 'and that of the compute node', async () => {
    await put(second, blocks.second)
    await until('mappings', 30, async () => (await configured(world, second.name)).bridge_mappings['physnet2'] === 'br-eth1')
  })
  await line('literal', 'D3', 'the bridges of the picture are there, made where they were not', async () => {
    await until('bridges', 30, async () => /br-eth1/.test(await second.sh('ovs-vsctl list-br')))
    assert.deepEqual((await first.sh('ovs-vsctl list-br')).trim().split('\n').toSorted(), [
      'br-eth1',
      'br-ex',
      'br-int',
      'br-tun',
    ])
  })
  for (const [number, host, address, block] of [
    ['E1', first, addresses.tunnelFirst, blocks.first],
    ['E2', second, addresses.tunnelSecond, blocks.second],
  ] as const)
    await line(
      'literal',
      number,
      `the GRE block without a section acts on ${host.name}, with a complaint, and VLANs stay`,
      async () => {
        await put(host, greBlock(address) + block)
        await until('tunnel address', 30, async () => (await configured(world, host.name)).tunneling_ip === address)
        assert.equal((await configured(world, host.name)).bridge_mappings['physnet2'], 'br-eth1')
        assert.match(
          await host.sh('cat /var/log/altostack/agent.log'),
          /ovs_neutron_plugin\.ini:1: enable_tunneling stands before any section/,
        )
      },
    )
  await line('literal', 'E1', 'an address that is none of this host is named with its line, and changes nothing', async () => {
    await put(second, greBlock('9.181.129.65') + blocks.second)
    await until('the log', 30, async () =>
      /ovs_neutron_plugin\.ini:4: .*9\.181\.129\.65 is no address of this host/.test(
        await second.sh('cat /var/log/altostack/agent.log'),
      ),
    )
    assert.equal((await configured(world, second.name)).tunneling_ip, addresses.tunnelSecond)
    await put(second, greBlock(addresses.tunnelSecond) + blocks.second)
  })
}

/** Lines of the answer file, with the names of 2014. */
const answers = [
  'CONFIG_NEUTRON_OVS_TENANT_NETWORK_TYPE=vlan',
  'CONFIG_NEUTRON_OVS_VLAN_RANGES=physnet1,physnet2:101:110',
  'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS=physnet1:br-ex,physnet2:br-eth1',
  'CONFIG_NEUTRON_OVS_BRIDGE_IFACES=br-ex:eth3,br-eth1:eth2',
  'CONFIG_NEUTRON_OVS_TUNNEL_RANGES=1:1000',
  'CONFIG_NEUTRON_OVS_TUNNEL_IF=eth1',
]

export async function cards({ first }: World): Promise<void> {
  const answerFile = (await first.sh('ls /root/packstack-answers-*.txt')).trim()
  const newNames =
    'TENANT_NETWORK_TYPES|ML2_VLAN_RANGES|OVS_BRIDGE_MAPPINGS|OVS_BRIDGE_IFACES|ML2_TUNNEL_ID_RANGES|OVS_TUNNEL_IF|ML2_TENANT_NETWORK_TYPES'
  await first.sh(
    `sed -i -E '/^CONFIG_NEUTRON_(${newNames})=/d' ${answerFile}; cat >>${answerFile} <<'A'\n${answers.join('\n')}\nA`,
  )
  await line('corrected', 'D', 'cards and bridges by the answer file', async () => {
    says(await first.run('packstack', `--answer-file=${answerFile}`), 0)
    says(await first.run('packstack', `--answer-file=${answerFile}`), 0, /Nothing was changed/)
  })
}
