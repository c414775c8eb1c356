import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Json, type TestCloud, testCloud } from '../../../../test/cloud.ts'
import type { Desired, HostDhcp, HostPort, HostRouter } from '../../../agents/document.ts'
import { minute } from '../../../kit/clock.ts'
import { external, faultOf, made, network, subnet } from './world.ts'

/** Two hosts, a network with DHCP, a router with a foot in it. */
async function world(t: TestContext) {
  const cloud = await testCloud(t, { hosts: [] })
  for (const number of [1, 2]) await cloud.addHost(`host-${number}`, { tunnelIp: `192.0.2.${number}` })
  const outside = await external(cloud)
  const net = await network(cloud.member)
  const sub = await subnet(cloud.member, net.id, '10.0.0.0/24')
  const router = await made(cloud.member, '/routers', { router: { external_gateway_info: { network_id: outside.id } } })
  await cloud.member.network.put(`/routers/${router.id}/add_router_interface`, { subnet_id: sub.id })
  const agents: Json[] = (await cloud.admin.network.get('/agents')).body.agents
  const agent = (host: string, type: string) => agents.find((one) => one.host === host && one.agent_type === type)!
  const carrier = async (path: string): Promise<Json> => (await cloud.admin.network.get(path)).body.agents[0]
  const other = (one: Json) => agent(one.host === 'host-1' ? 'host-2' : 'host-1', one.agent_type)
  return { cloud, net, router, agent, carrier, other }
}

const told = async <Item>(cloud: TestCloud, kind: 'router' | 'dhcp' | 'port', host: string) =>
  (await cloud.cloud.desk.agent(kind).desired(host)) as Desired<Item>

test('a router is taken off its host and put on another, with its ports', async (t) => {
  const { cloud, router, net, carrier, other } = await world(t)
  const { admin } = cloud
  const before = await carrier(`/routers/${router.id}/l3-agents`)
  const next = other(before)
  const add = (id: string) => admin.network.post(`/agents/${id}/l3-routers`, { router_id: router.id })
  assert.deepEqual(faultOf(await add(next.id)), [409, 'RouterHostedByL3Agent'])
  assert.equal((await add(before.id)).status, 201, 'where it is it may be put again')
  assert.equal((await admin.network.delete(`/agents/${before.id}/l3-routers/${router.id}`)).status, 204)
  assert.deepEqual((await admin.network.get(`/routers/${router.id}/l3-agents`)).body.agents, [])
  assert.equal((await add(next.id)).status, 201)
  assert.equal((await carrier(`/routers/${router.id}/l3-agents`)).id, next.id)
  assert.deepEqual(
    (await told<HostRouter>(cloud, 'router', next.host)).items.map((one) => one.id),
    [router.id],
  )
  const faces = (await told<HostPort>(cloud, 'port', next.host)).items.filter((port) => /^q[rg]-/.test(port.device))
  assert.equal(faces.length, 2)
  assert.deepEqual((await told<HostRouter>(cloud, 'router', before.host)).items, [])
  await cloud.settle()
  assert.equal((await carrier(`/routers/${router.id}/l3-agents`)).id, next.id, 'and there it stays')
  void net
})

test('a DHCP server is put on another host, and one that is taken off all is looked after', async (t) => {
  const { cloud, net, carrier, other } = await world(t)
  const { admin } = cloud
  const path = `/networks/${net.id}/dhcp-agents`
  const before = await carrier(path)
  const next = other(before)
  const add = (id: string) => admin.network.post(`/agents/${id}/dhcp-networks`, { network_id: net.id })
  assert.deepEqual(faultOf(await add(before.id)), [409, 'NetworkHostedByDHCPAgent'])
  assert.equal((await add(next.id)).status, 201)
  assert.equal((await carrier(path)).id, next.id)
  assert.deepEqual(
    (await told<HostDhcp>(cloud, 'dhcp', next.host)).items.map((one) => one.networkId),
    [net.id],
  )
  const off = (id: string) => admin.network.delete(`/agents/${id}/dhcp-networks/${net.id}`)
  assert.deepEqual(faultOf(await off(before.id)), [409, 'NetworkNotHostedByDhcpAgent'])
  assert.equal((await off(next.id)).status, 204)
  assert.equal(await carrier(path), undefined)
  cloud.clock.advance(minute)
  await cloud.settle()
  assert.ok(await carrier(path), 'a living host took it in')
})

test('agents of another kind, disabled or silent ones are given nothing; what is not there is named', async (t) => {
  const { cloud, net, router, agent, carrier, other } = await world(t)
  const { admin, member } = cloud
  const next = other(await carrier(`/routers/${router.id}/l3-agents`))
  const [l3, dhcp] = [agent('host-1', 'L3 agent'), agent('host-1', 'DHCP agent')]
  const addRouter = (id: string, routerId = router.id) => admin.network.post(`/agents/${id}/l3-routers`, { router_id: routerId })
  const addNetwork = (id: string, networkId = net.id) =>
    admin.network.post(`/agents/${id}/dhcp-networks`, { network_id: networkId })
  assert.deepEqual(faultOf(await addRouter(dhcp.id)), [404, 'InvalidL3Agent'])
  assert.deepEqual(faultOf(await addNetwork(l3.id)), [404, 'InvalidDHCPAgent'])
  assert.deepEqual(faultOf(await addRouter('none')), [404, 'AgentNotFound'])
  assert.deepEqual(faultOf(await addRouter(l3.id, 'none')), [404, 'RouterNotFound'])
  assert.deepEqual(faultOf(await addNetwork(dhcp.id, 'none')), [404, 'NetworkNotFound'])
  const bare = await network(cloud.member)
  assert.equal((await addNetwork(dhcp.id, bare.id)).status, 400)
  for (const body of [{}, { router_id: 5 }, { router_id: null }])
    assert.equal((await admin.network.post(`/agents/${l3.id}/l3-routers`, body)).status, 400)
  await admin.network.put(`/agents/${next.id}`, { agent: { admin_state_up: false } })
  assert.deepEqual(faultOf(await addRouter(next.id)), [404, 'InvalidL3Agent'])
  for (const answer of [
    await member.network.post(`/agents/${l3.id}/l3-routers`, { router_id: router.id }),
    await member.network.delete(`/agents/${l3.id}/l3-routers/${router.id}`),
    await member.network.post(`/agents/${dhcp.id}/dhcp-networks`, { network_id: net.id }),
    await member.network.delete(`/agents/${dhcp.id}/dhcp-networks/${net.id}`),
  ])
    assert.equal(answer.status, 403)
  cloud.clock.advance(2 * minute)
  await admin.network.put(`/agents/${next.id}`, { agent: { admin_state_up: true } })
  await admin.network.delete(`/agents/${(await carrier(`/routers/${router.id}/l3-agents`)).id}/l3-routers/${router.id}`)
  assert.deepEqual(faultOf(await addRouter(next.id)), [409, 'NoEligibleAgent'])
})

test('the hosts of a network learn where its router and its DHCP server are as soon as they are there', async (t) => {
  const { cloud, net, carrier, other, router } = await world(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  await ports.ensurePort({ owner: 's', index: 0, projectId, nic: { network: net.id }, securityGroups: [], hostname: 's' })
  const place = await carrier(`/networks/${net.id}/dhcp-agents`)
  await ports.bind({ owner: 's', host: other(place).host, availabilityZone: 'nova' })
  const hinted = new Set<string>()
  for (const host of cloud.hosts) host.rounds.port!.hint = () => void hinted.add(host.name)
  const second = await subnet(cloud.member, net.id, '10.1.0.0/24', { enable_dhcp: false })
  hinted.clear()
  await cloud.member.network.put(`/routers/${router.id}/add_router_interface`, { subnet_id: second.id })
  assert.deepEqual([...hinted].sort(), ['host-1', 'host-2'])
  const segment = (await told<HostPort>(cloud, 'port', other(place).host)).shared?.segments[net.id]
  assert.ok(
    segment?.elsewhere.some((card) => card.ips.includes('10.0.0.2')),
    'the DHCP server',
  )
})
