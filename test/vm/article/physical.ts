/** D and E of the article: physical networks, by files of the old plugin and by the answer file. */
import type { SimHost } from '../hosts/hosts.ts'
import { line, says, type World } from './world.ts'

/** Lines of the answer file, with the names of 2014. */
const answers = [
  'CONFIG_NEUTRON_OVS_TENANT_NETWORK_TYPE=vlan',
  'CONFIG_NEUTRON_OVS_VLAN_RANGES=physnet1,physnet2:101:110',
  'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS=physnet1:br-ex,physnet2:br-eth1',
  'CONFIG_NEUTRON_OVS_BRIDGE_IFACES=br-ex:eth3,br-eth1:eth2',
  'CONFIG_NEUTRON_OVS_TUNNEL_RANGES=1:1000',
  'CONFIG_NEUTRON_OVS_TUNNEL_IF=eth1',
]

export async function cards({ first, second }: World): Promise<void> {
  const file = (await first.sh('ls /root/packstack-answers-*.txt')).trim()
  const newNames =
    'TENANT_NETWORK_TYPES|ML2_VLAN_RANGES|OVS_BRIDGE_MAPPINGS|OVS_BRIDGE_IFACES|ML2_TUNNEL_ID_RANGES|OVS_TUNNEL_IF|ML2_TENANT_NETWORK_TYPES'
  await first.sh(`sed -i -E '/^CONFIG_NEUTRON_(${newNames})=/d' ${file}; cat >>${file} <<'A'\n${answers.join('\n')}\nA`)
  await line('corrected', 'D', 'cards and bridges by the answer file', async () => {
    says(await first.run('packstack', `--answer-file=${file}`), 0)
    says(await first.run('packstack', `--answer-file=${file}`), 0, /Nothing was changed/)
  })
  // What CONFIG_NEUTRON_OVS_BRIDGE_IFACES will do.
  await plug(first, 'br-ex', 'eth3')
  for (const host of [first, second]) await plug(host, 'br-eth1', 'eth2')
  for (const [host, address] of [
    [first, '9.181.129.110/24'],
    [second, '9.181.129.64/24'],
  ] as const)
    await host.sh(
      `ovs-vsctl --may-exist add-br br-phy -- set bridge br-phy datapath_type=netdev -- --may-exist add-port br-phy eth1; ip addr del ${address} dev eth1; ip addr add ${address} dev br-phy; ip link set br-phy up`,
    )
}

const plug = (host: SimHost, bridge: string, card: string) => host.sh(`ovs-vsctl --may-exist add-port ${bridge} ${card}`)
