/**
 * Network cards as the answer file says, on two simulated hosts: also the card each is reached by. Then the same by files of neutron, a reboot, and everything
 * taken away. As root.
 */
import assert from 'node:assert/strict'
import { type Said, type SimHost, simHosts } from '../hosts/hosts.ts'
import { prove, until } from '../installed.ts'

const addresses = { first: '198.18.7.1', second: '198.18.7.2' }
const sims = simHosts({ name: 'cards', gateway: '198.18.7.254/24' })
const answers = '/root/answers.txt'

function says({ code, stdout, stderr }: Said, expected: number, ...patterns: readonly RegExp[]): string {
  const all = stdout + stderr
  assert.equal(code, expected, all)
  for (const pattern of patterns) assert.match(all, pattern)
  return all
}

/** Lines of the answer file in the place of those of the same names. */
const answer = (host: SimHost, values: Record<string, string>) =>
  host.sh(
    Object.entries(values)
      .map(([name, value]) => `sed -i 's|^${name}=.*|${name}=${value}|' ${answers}`)
      .join('\n'),
  )

const deploy = (host: SimHost, ...more: string[]) => host.run('/srv/clone/bin/packstack', `--answer-file=${answers}`, ...more)
const has = async (host: SimHost, device: string) => (await host.sh(`ip -4 -o address show dev ${device}`)).includes(host.address)
const doctor = (host: SimHost) => host.run('altostack', 'doctor')

/** Cables of hosts are pairs of devices in one kernel: frames with half-made checksums would pass switches in user space, and no TCP stack would take them. */
async function honestCables(...hosts: SimHost[]): Promise<void> {
  await sims.fabric('sh', '-c', 'for link in $(ls /sys/class/net); do ethtool -K $link tx off; done')
  for (const host of hosts) await host.sh('ethtool -K eth0 tx off')
}

async function install(first: SimHost): Promise<void> {
  says(await first.run('/srv/clone/bin/packstack', `--gen-answer-file=${answers}`), 0)
  await answer(first, {
    CONFIG_COMPUTE_HOSTS: `${addresses.first},${addresses.second}`,
    CONFIG_PROVISION_DEMO: 'n',
    CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS: 'physnet1:br-eth0,physnet2:br-eth2',
    CONFIG_NEUTRON_L3_EXT_BRIDGE: 'br-ex',
  })
  says(await deploy(first), 0)
}

async function refuse(first: SimHost): Promise<void> {
  await answer(first, { CONFIG_NEUTRON_OVS_BRIDGE_IFACES: 'br-eth0:eth0,br-eth2:eth9' })
  const said = says(await deploy(first), 1, /nothing was changed/)
  assert.match(said, /PROBLEM : This machine: it has no network card eth9, which is to be part of br-eth2/)
  assert.match(said, /PROBLEM : 198\.18\.7\.2 \(host-b\): it has no network card eth9/)
  await answer(first, { CONFIG_NEUTRON_OVS_BRIDGE_IFACES: 'br-eth0:eth0,br-nowhere:eth2' })
  says(await deploy(first), 1, /CONFIG_NEUTRON_OVS_BRIDGE_IFACES=.*the bridge br-nowhere is in no mapping/)
}

async function move(first: SimHost, second: SimHost): Promise<void> {
  await answer(first, { CONFIG_NEUTRON_OVS_BRIDGE_IFACES: 'br-eth0:eth0,br-eth2:eth2' })
  const plan = says(await deploy(first, '--dry-run'), 0)
  assert.match(
    plan,
    /changed +198\.18\.7\.2 \(host-b\)\n +eth0 becomes part of br-eth0, and its address 198\.18\.7\.2 goes to the bridge/,
  )
  says(await deploy(first), 0, /198\.18\.7\.2: Putting network cards into bridges/)
  for (const host of [first, second]) {
    assert.ok((await has(host, 'br-eth0')) && !(await has(host, 'eth0')), host.name)
    assert.match(await host.sh('ovs-vsctl list-ports br-eth2'), /^eth2$/m)
    assert.match(await host.sh('ip route show default'), /default via 198\.18\.7\.254 dev br-eth0/)
  }
  says(await deploy(first), 0, /Nothing was changed/)
  says(await doctor(first), 0)
}

const plugins = '/etc/neutron/plugins/openvswitch'

async function files(first: SimHost, second: SimHost): Promise<void> {
  const block = (lines: string[]) => `mkdir -p ${plugins}; printf '${lines.join('\\n')}\\n' >${plugins}/ovs_neutron_plugin.ini`
  const vlan = [
    '[ovs]',
    'tenant_network_type = vlan',
    'network_vlan_ranges = physnet2:101:110',
    'bridge_mappings = physnet2:br-eth2,physnet3:br-eth3',
  ]
  for (const host of [first, second]) await host.sh(block(vlan))
  await until('the bridge of the file', 20, async () => (await second.run('ovs-vsctl', 'br-exists', 'br-eth3')).code === 0)
  await first.sh('cd /root; . ./keystonerc_admin; neutron net-create by-file')
  assert.match(await first.sh('. /root/keystonerc_admin; neutron net-show by-file'), /provider:network_type +\| vlan/)
  await until('the mapping among the agents', 20, async () =>
    /physnet3/.test(
      await first.sh('. /root/keystonerc_admin; for id in $(neutron agent-list -f value -c id); do neutron agent-show $id; done'),
    ),
  )
  await second.sh(block([...vlan, 'local_ip = 10.9.9.9']))
  await until('the doctor naming it', 20, async () =>
    /host-b: .*ovs_neutron_plugin\.ini:5: local_ip: 10\.9\.9\.9 is no address of this host/.test((await doctor(first)).stdout),
  )
  for (const host of [first, second]) await host.sh('rm -r /etc/neutron')
}

async function reboot(first: SimHost, second: SimHost): Promise<void> {
  await second.sh(`printf '#!/bin/sh\\n/opt/altostack/bin/packstack --start\\n' >/etc/rc.local; chmod +x /etc/rc.local`)
  await second.reboot()
  await honestCables(second)
  await until('the address on the bridge again', 60, async () => (await has(second, 'br-eth0')) && !(await has(second, 'eth0')))
  await until('the host', 60, async () => (await doctor(first)).code === 0)
}

async function removal(first: SimHost, second: SimHost): Promise<void> {
  says(await first.run('packstack', '--remove-host', 'host-b'), 0)
  says(await first.run('packstack', '--uninstall'), 0)
  for (const host of [first, second]) {
    assert.ok(await has(host, 'eth0'), host.name)
    assert.match(await host.sh('ip route show default'), /default via 198\.18\.7\.254 dev eth0/)
    assert.equal(await host.sh('nft list tables; ls /var/lib | grep altostack || true'), '')
  }
}

let passed = false
try {
  const [first, second] = await Promise.all([sims.up('host-a', addresses.first), sims.up('host-b', addresses.second)])
  await first.sh(`umask 077; cat >/root/.ssh/id_ed25519 <<'K'\n${sims.key}K\n`)
  await honestCables(first, second)
  await prove('two hosts are installed', () => install(first))
  await prove('cards and bridges that are not there are named for all hosts at once, and nothing is changed', () => refuse(first))
  await prove('cards become part of bridges, that of the own address too, and again changes nothing', () => move(first, second))
  await prove('files of neutron are gone by at once; what is wrong in them is named', () => files(first, second))
  await prove('a host that was rebooted puts its address onto the bridge again', () => reboot(first, second))
  await prove('everything taken away, cards have what they had', () => removal(first, second))
  passed = true
} catch (error) {
  console.error(error)
} finally {
  await sims.down()
}
process.exit(passed ? 0 : 1)
