import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Json, type TestCloud, testCloud } from '../../../../test/cloud.ts'
import type { Desired, HostDhcp, HostPort, HostRouter } from '../../../agents/document.ts'
import { switchPorts } from '../../../agents/port/expand.ts'
import type { SwitchPort } from '../../../drivers/vswitch/driver.ts'
import { minute, second } from '../../../kit/clock.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { external, made, network, port, subnet } from './world.ts'

const told = (cloud: TestCloud, host: string) => cloud.cloud.desk.agent('port').desired(host) as Promise<Desired<HostPort>>

/** A host's first port of a server, with its rules and segment. */
const guestOn = async (cloud: TestCloud, host: string): Promise<SwitchPort | undefined> =>
  switchPorts(await told(cloud, host)).find((item) => item.kind === 'vm')

const desired = async <Item>(cloud: TestCloud, kind: 'port' | 'router' | 'dhcp', host: string): Promise<Item[]> =>
  (await cloud.cloud.desk.agent(kind).desired(host)).items as Item[]

/** A port of a server on a host, as compute would ask for it. */
async function guest(cloud: TestCloud, networkId: string, owner: string, host: string, groups: string[] = []): Promise<Json> {
  const projectId = cloud.member.caller.projectId!
  const { network: ports } = cloud.cloud.contracts
  const ask = { owner, index: 0, projectId, nic: { network: networkId }, securityGroups: groups, hostname: owner }
  const port = await ports.ensurePort(ask)
  await ports.bind({ owner, host, availabilityZone: 'nova' })
  return port
}

/** Two hosts, a network with a guest on each, a router to the outside. */
async function world(t: Parameters<typeof testCloud>[0]) {
  const cloud = await testCloud(t, { hosts: [] })
  await cloud.addHost('host-1', { tunnelIp: '192.0.2.1' })
  await cloud.addHost('host-2', { tunnelIp: '192.0.2.2' })
  const outside = await external(cloud)
  const net = await network(cloud.member)
  const sub = await subnet(cloud.member, net.id, '10.0.0.0/24', { dns_nameservers: ['9.9.9.9'] })
  const router = await made(cloud.member, '/routers', { router: { external_gateway_info: { network_id: outside.id } } })
  await cloud.member.network.put(`/routers/${router.id}/add_router_interface`, { subnet_id: sub.id })
  return { cloud, outside, net, sub, router }
}

test('a host is told its ports: device, addresses, segment, where to tunnel to, and rules with members resolved', async (t) => {
  const { cloud, net } = await world(t)
  const one = await guest(cloud, net.id, 'one', 'host-1')
  const two = await guest(cloud, net.id, 'two', 'host-2')
  const mine = await guestOn(cloud, 'host-1')
  assert.equal(mine!.id, one.id)
  assert.equal(mine!.device, one.device)
  assert.deepEqual(mine!.addresses, [one.fixedIps[0].ip])
  assert.deepEqual(mine!.segment, {
    networkId: net.id,
    type: 'vxlan',
    physicalNetwork: undefined,
    segmentationId: 1,
    mtu: 1450,
    peers: ['192.0.2.2'],
    elsewhere: [{ mac: two.mac, ips: [two.fixedIps[0].ip], at: '192.0.2.2', hides: false }],
  })
  assert.equal(mine!.guarded, true)
  const inward = mine!.rules.find((rule) => rule.direction === 'ingress' && rule.ethertype === 'IPv4')
  assert.deepEqual(inward?.remotes, [`${one.fixedIps[0].ip}/32`, `${two.fixedIps[0].ip}/32`])
  const outward = mine!.rules.find((rule) => rule.direction === 'egress' && rule.ethertype === 'IPv4')
  assert.equal(outward?.remotes, undefined)
  await cloud.cloud.contracts.network.release({ owner: 'two' })
  const again = await guestOn(cloud, 'host-1')
  assert.deepEqual(again!.rules.find((rule) => rule.direction === 'ingress' && rule.ethertype === 'IPv4')?.remotes, [
    `${one.fixedIps[0].ip}/32`,
  ])
})

test('rules reach a host in words it knows, and IPv6 subnets leave its DHCPv4 server alone', async (t) => {
  const { cloud, net } = await world(t)
  await subnet(cloud.member, net.id, '2001:db8::/64')
  const [group] = await cloud.cloud.contracts.network.securityGroups({
    projectId: cloud.member.caller.projectId!,
    names: ['default'],
  })
  for (const rule of [
    { protocol: 'vrrp' },
    { protocol: 'ip' },
    { protocol: 'tcp', port_range_min: 1, port_range_max: 2 },
    { protocol: 'icmpv6', ethertype: 'IPv6' },
    { protocol: 99, remote_ip_prefix: '192.0.2.0/24' },
  ])
    await made(cloud.member, '/security-group-rules', {
      security_group_rule: { security_group_id: group!.id, direction: 'ingress', ...rule },
    })
  await guest(cloud, net.id, 'one', 'host-1')
  const mine = await guestOn(cloud, 'host-1')
  const told = mine!.rules.slice(-5).map((rule) => [rule.ethertype, rule.protocol, rule.portMin, rule.portMax, rule.remotes?.[0]])
  assert.deepEqual(told, [
    ['IPv4', '112', undefined, undefined, undefined],
    ['IPv4', '0', undefined, undefined, undefined],
    ['IPv4', 'tcp', 1, 2, undefined],
    ['IPv6', '58', undefined, undefined, undefined],
    ['IPv4', '99', undefined, undefined, '192.0.2.0/24'],
  ])
  const servers = [...(await desired<HostDhcp>(cloud, 'dhcp', 'host-1')), ...(await desired<HostDhcp>(cloud, 'dhcp', 'host-2'))]
  assert.deepEqual(
    servers[0]!.subnets.map((one) => one.cidr),
    ['10.0.0.0/24'],
  )
})

test('a router is told with its gateway, its faces and its floating addresses, to the host that can reach its networks', async (t) => {
  const { cloud, net, router, outside } = await world(t)
  const one = await guest(cloud, net.id, 'one', 'host-2')
  const fip = await made(cloud.member, '/floatingips', { floatingip: { floating_network_id: outside.id, port_id: one.id } })
  const told = [
    ...(await desired<HostRouter>(cloud, 'router', 'host-1')),
    ...(await desired<HostRouter>(cloud, 'router', 'host-2')),
  ]
  assert.equal(told.length, 1)
  const [{ id, external: gate, internal, floatingIps, routes }] = told as [HostRouter]
  assert.equal(id, router.id)
  assert.deepEqual(gate?.addresses, [{ ip: router.external_gateway_info.external_fixed_ips[0].ip_address, prefix: 24 }])
  assert.deepEqual([gate?.gatewayIps, gate?.snat, gate?.mtu, gate?.device.slice(0, 3)], [['172.24.4.1'], true, 1500, 'qg-'])
  assert.deepEqual(
    internal.map((face) => [face.addresses, face.mtu, face.device.slice(0, 3)]),
    [[[{ ip: '10.0.0.1', prefix: 24 }], 1450, 'qr-']],
  )
  assert.deepEqual(floatingIps, [{ id: fip.id, floatingIp: fip.floating_ip_address, fixedIp: one.fixedIps[0].ip }])
  assert.deepEqual(routes, [])
  await cloud.member.network.put(`/routers/${router.id}`, { router: { admin_state_up: false } })
  assert.deepEqual(await desired(cloud, 'router', 'host-1'), [])
})

test('a DHCP server is told with every card of its network', async (t) => {
  const { cloud, net, sub } = await world(t)
  const one = await guest(cloud, net.id, 'one', 'host-1')
  const told = [...(await desired<HostDhcp>(cloud, 'dhcp', 'host-1')), ...(await desired<HostDhcp>(cloud, 'dhcp', 'host-2'))]
  assert.equal(told.length, 1)
  const [server] = told
  assert.equal(server!.networkId, net.id)
  assert.deepEqual(server!.addresses, [{ ip: '10.0.0.2', prefix: 24 }])
  const { hosts, ...rest } = server!.subnets[0]!
  assert.deepEqual(rest, { id: sub.id, cidr: '10.0.0.0/24', gatewayIp: '10.0.0.1', dns: ['9.9.9.9'], routes: [] })
  assert.deepEqual(
    hosts.find((card) => card.mac === one.mac),
    { mac: one.mac, ip: one.fixedIps[0].ip, hostname: 'one' },
  )
  assert.deepEqual(hosts.find((card) => card.ip === '10.0.0.1')?.hostname, 'host-10-0-0-1')
})

test('agents make it so: ports become ACTIVE, the floating IP leads, and DOWN follows what is lost', async (t) => {
  const { cloud, net, outside, router } = await world(t)
  const one = await guest(cloud, net.id, 'one', 'host-1')
  const fip = await made(cloud.member, '/floatingips', { floatingip: { floating_network_id: outside.id, port_id: one.id } })
  await cloud.settle()
  const status = async (path: string) => Object.values<Json>((await cloud.admin.network.get(path)).body)[0].status
  assert.equal(await status(`/ports/${one.id}`), 'ACTIVE')
  assert.equal(await status(`/floatingips/${fip.id}`), 'ACTIVE')
  for (const own of (await cloud.admin.network.get(`/ports?device_id=${router.id}`)).body.ports)
    assert.equal(own.status, 'ACTIVE')
  const shown = (await cloud.admin.network.get(`/ports/${one.id}`)).body.port
  assert.deepEqual([shown['binding:host_id'], shown['binding:vif_type'], shown.device_owner], ['host-1', 'ovs', 'compute:nova'])
  await cloud.cloud.desk.agent('port').report('host-1', [])
  assert.equal(await status(`/ports/${one.id}`), 'DOWN')
  await cloud.member.network.put(`/floatingips/${fip.id}`, { floatingip: { port_id: null } })
  assert.equal(await status(`/floatingips/${fip.id}`), 'DOWN')
})

test('four agents a host, alive as long as their host is heard of', async (t) => {
  const { cloud } = await world(t)
  const { admin, member } = cloud
  const agents = (await admin.network.get('/agents?host=host-1')).body.agents
  assert.deepEqual(
    agents.map((agent: Json) => agent.agent_type),
    ['DHCP agent', 'L3 agent', 'Metadata agent', 'Open vSwitch agent'],
  )
  assert.ok(agents.every((agent: Json) => agent.alive && agent.admin_state_up))
  assert.match(agents[0].heartbeat_timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  assert.equal((await member.network.get('/agents')).status, 403)
  assert.equal((await admin.network.get('/agents?binary=neutron-l3-agent')).body.agents.length, 2)
  cloud.clock.advance(80 * second)
  assert.ok((await admin.network.get('/agents')).body.agents.every((agent: Json) => !agent.alive))
  const put = await admin.network.put(`/agents/${agents[1].id}`, { agent: { admin_state_up: false, description: 'resting' } })
  assert.deepEqual([put.body.agent.admin_state_up, put.body.agent.description], [false, 'resting'])
  assert.equal((await admin.network.get('/agents/nonsense')).status, 404)
})

test('a host that is no network host has the switch agent alone, and what it carried is carried elsewhere', async (t) => {
  const { cloud, router } = await world(t)
  const host = cloud.hosts.find((one) => one.name === 'host-1')!
  const types = async () =>
    (await cloud.admin.network.get('/agents?host=host-1')).body.agents.map((agent: Json) => agent.agent_type)
  const carrier = async () => (await cloud.admin.network.get(`/routers/${router.id}/l3-agents`)).body.agents[0]?.host
  await cloud.cloud.desk.facts({ ...(await host.facts()), isNetworkHost: false })
  assert.deepEqual(await types(), ['Open vSwitch agent'])
  assert.equal(await carrier(), 'host-2')
  await cloud.cloud.desk.facts({ ...(await host.facts()), isNetworkHost: true })
  assert.equal((await types()).length, 4)
})

test('OSSA-2013-033: whose metadata a guest gets is told by where it asks from', async (t) => {
  const { cloud, net, router } = await world(t)
  const one = await guest(cloud, net.id, 'one', 'host-1')
  const ask = (place: { networkId?: string; routerId?: string }, ip: string) =>
    cloud.cloud.desk.metadata({ networkId: undefined, routerId: undefined, ...place, ip, method: 'GET', path: '/' })
  const nobody = await ask({ networkId: net.id }, '10.0.0.200')
  assert.equal(nobody.status, 404)
  assert.equal((await ask({ networkId: 'other' }, one.fixedIps[0].ip)).status, 404)
  assert.equal((await ask({ routerId: 'other' }, one.fixedIps[0].ip)).status, 404)
  // A port of no server has an address and no metadata.
  const lone = await port(cloud.member, net.id)
  assert.equal((await ask({ routerId: router.id }, lone.fixed_ips[0].ip_address)).status, 404)
})

const heartbeat = async (cloud: TestCloud, name: string) => {
  const host = cloud.hosts.find((one) => one.name === name)!
  await cloud.cloud.desk.facts(await host.facts())
}

/** Host-1 carries everything, and falls silent while host-2 lives. */
async function silence() {
  const cloud = await testCloud(undefined, { hosts: [] })
  await cloud.addHost('host-1', { tunnelIp: '192.0.2.1' })
  const outside = await external(cloud)
  const net = await network(cloud.member)
  const sub = await subnet(cloud.member, net.id, '10.0.0.0/24')
  const router = await made(cloud.member, '/routers', { router: { external_gateway_info: { network_id: outside.id } } })
  await cloud.member.network.put(`/routers/${router.id}/add_router_interface`, { subnet_id: sub.id })
  await cloud.cloud.runner.settle()
  cloud.clock.advance(80 * second)
  return { cloud, router, net }
}

test('network.host: what a dead host carried moves to a living one, wherever we are killed; a deleted one is forgotten', async () => {
  const effects = await everyCrash({
    async world() {
      const { cloud, router, net } = await silence()
      await cloud.addHost('host-2', { tunnelIp: '192.0.2.2' })
      return {
        cloud,
        router,
        net,
        settle: () => cloud.cloud.runner.settle(),
        async restart() {
          for (let at = 0; at < 3; at++) {
            await heartbeat(cloud, 'host-2')
            cloud.clock.advance(minute)
            await heartbeat(cloud, 'host-2')
            await cloud.cloud.runner.settle()
          }
        },
        close: () => cloud.close(),
      }
    },
    async check({ cloud, router, net }) {
      await cloud.cloud.runner.settle()
      assert.deepEqual(
        (await desired<HostRouter>(cloud, 'router', 'host-2')).map((item) => item.id),
        [router.id],
      )
      assert.deepEqual(
        (await desired<HostDhcp>(cloud, 'dhcp', 'host-2')).map((item) => item.networkId),
        [net.id],
      )
      for (const kind of ['router', 'dhcp', 'port'] as const) assert.deepEqual(await desired(cloud, kind, 'host-1'), [])
      assert.equal((await desired(cloud, 'port', 'host-2')).length, 3)
    },
  })
  assert.ok(effects >= 3, `only ${effects} effects`)
})

test('a host whose agents are all deleted is forgotten, and is known again when it speaks', async (t) => {
  const { cloud } = await world(t)
  const { admin } = cloud
  for (const agent of (await admin.network.get('/agents?host=host-1')).body.agents)
    assert.equal((await admin.network.delete(`/agents/${agent.id}`)).status, 204)
  await cloud.cloud.runner.settle()
  assert.equal((await admin.network.get('/agents')).body.agents.length, 4)
  for (const kind of ['router', 'dhcp', 'port'] as const) assert.deepEqual(await desired(cloud, kind, 'host-1'), [])
  await heartbeat(cloud, 'host-1')
  assert.equal((await admin.network.get('/agents')).body.agents.length, 8)
})
