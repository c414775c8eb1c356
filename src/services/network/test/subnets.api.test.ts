import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { faultOf, inside, network, port, subnet } from './world.ts'

test('a subnet is born with gateway, pool, and everything the API shows', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  const { id, created_at, updated_at, ...rest } = await subnet(member, net.id, '10.0.0.0/24', {
    dns_nameservers: ['9.9.9.9'],
    host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.0.0.9' }],
  })
  assert.deepEqual(rest, {
    name: '',
    tenant_id: member.caller.projectId,
    network_id: net.id,
    ip_version: 4,
    subnetpool_id: null,
    enable_dhcp: true,
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    gateway_ip: '10.0.0.1',
    cidr: '10.0.0.0/24',
    allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.0.0.9' }],
    dns_nameservers: ['9.9.9.9'],
    service_types: [],
    description: '',
    tags: [],
    revision_number: 1,
    project_id: member.caller.projectId,
  })
  assert.deepEqual((await member.network.get(`/networks/${net.id}`)).body.network.subnets, [id])
})

test('what is no subnet is refused, by the name of its fault', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  const ask = async (cidr: unknown, values: object = {}) =>
    faultOf(await member.network.post('/subnets', { subnet: { network_id: net.id, ip_version: 4, cidr, ...values } }))
  assert.deepEqual(await ask('10.0.0.5/24'), [400, 'HTTPBadRequest'])
  assert.deepEqual(await ask('nonsense'), [400, 'HTTPBadRequest'])
  assert.deepEqual(await ask('10.0.0.0/24', { ip_version: 6 }), [400, 'InvalidInput'])
  assert.deepEqual(await ask('10.0.0.0/24', { ip_version: 5 }), [400, 'HTTPBadRequest'])
  assert.deepEqual(await ask('10.0.0.0/31'), [400, 'InvalidInput'])
  assert.deepEqual(await ask('10.0.0.0/24', { gateway_ip: '10.1.0.1' }), [400, 'InvalidInput'])
  assert.deepEqual(await ask('10.0.0.0/24', { gateway_ip: '10.0.0.255' }), [400, 'InvalidInput'])
  const pools = (...all: string[][]) => ({ allocation_pools: all.map(([start, end]) => ({ start, end })) })
  assert.deepEqual(await ask('10.0.0.0/24', pools(['10.0.0.9', '10.0.0.2'])), [400, 'InvalidAllocationPool'])
  assert.deepEqual(await ask('10.0.0.0/24', pools(['10.0.0.9', '10.0.1.2'])), [400, 'OutOfBoundsAllocationPool'])
  assert.deepEqual(await ask('10.0.0.0/24', pools(['10.0.0.2', '10.0.0.9'], ['10.0.0.9', '10.0.0.20'])), [
    409,
    'OverlappingAllocationPools',
  ])
  assert.deepEqual(await ask('10.0.0.0/24', pools(['10.0.0.1', '10.0.0.9'])), [409, 'GatewayConflictWithAllocationPools'])
  assert.deepEqual(
    await ask('10.0.0.0/24', { dns_nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4', '1.1.1.5', '1.1.1.6'] }),
    [400, 'DNSNameServersExhausted'],
  )
  assert.deepEqual(await ask('10.0.0.0/24', { ipv6_ra_mode: 'slaac' }), [400, 'InvalidInput'])
  const v6 = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }
  assert.deepEqual(await ask('2001:db8::/96', v6), [400, 'InvalidInput'])
  assert.deepEqual(await ask('2001:db8::/64', { ...v6, ipv6_address_mode: 'dhcpv6-stateful' }), [400, 'InvalidInput'])
  assert.deepEqual(await ask('2001:db8::/64', { ...v6, enable_dhcp: false }), [400, 'InvalidInput'])
  assert.deepEqual((await member.network.get('/subnets')).body.subnets, [])
})

test('OSSA-2014-039: a hostile name server costs no time', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  const started = performance.now()
  for (const server of [`${'1'.repeat(50_000)}!`, `${'a-'.repeat(20_000)}.`, `${'1:'.repeat(30_000)}`]) {
    const answer = await member.network.post('/subnets', {
      subnet: { network_id: net.id, ip_version: 4, cidr: '10.0.0.0/24', dns_nameservers: [server] },
    })
    assert.deepEqual(faultOf(answer), [400, 'HTTPBadRequest'])
  }
  assert.ok(performance.now() - started < 2000)
})

test('subnets of a network do not overlap, even when made at once', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  const answers = await Promise.all(
    ['10.0.0.0/24', '10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24'].map((cidr) =>
      member.network.post('/subnets', { subnet: { network_id: net.id, ip_version: 4, cidr } }),
    ),
  )
  const made = answers.filter((one) => one.status === 201).map((one) => one.body.subnet.cidr)
  assert.ok(made.includes('10.0.1.0/24'))
  assert.ok(!made.includes('10.0.0.0/24') || made.length === 2, made.join())
  assert.ok((await subnet(member, (await network(member)).id, '10.0.0.0/24')).id)
})

test('a subnet in use stays; what is changed is checked again', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { member } = cloud
  const used = await port(member, net.id)
  assert.deepEqual(faultOf(await member.network.delete(`/subnets/${sub.id}`)), [409, 'SubnetInUse'])
  const put = (values: object) => member.network.put(`/subnets/${sub.id}`, { subnet: values })
  assert.deepEqual((await put({ gateway_ip: null })).body.subnet.gateway_ip, null)
  assert.deepEqual(faultOf(await put({ gateway_ip: '10.0.0.5' })), [409, 'GatewayConflictWithAllocationPools'])
  const pools = { allocation_pools: [{ start: '10.0.0.100', end: '10.0.0.110' }] }
  assert.deepEqual((await put({ ...pools, gateway_ip: '10.0.0.5' })).body.subnet.allocation_pools, pools.allocation_pools)
  assert.equal((await port(member, net.id)).fixed_ips[0].ip_address, '10.0.0.100')
  assert.deepEqual(faultOf(await put({ cidr: '10.0.0.0/25' })), [400, 'HTTPBadRequest'])
  for (const one of (await member.network.get(`/ports?network_id=${net.id}`)).body.ports)
    if (one.device_owner === '') assert.equal((await member.network.delete(`/ports/${one.id}`)).status, 204)
  assert.equal((await member.network.delete(`/subnets/${sub.id}`)).status, 204)
  void used
})

test('a DHCP server has a port while a subnet wants one', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { member } = cloud
  const servers = async () => (await member.network.get('/ports?device_owner=network:dhcp')).body.ports
  const [server] = await servers()
  assert.deepEqual([server.fixed_ips, server.port_security_enabled], [[{ subnet_id: sub.id, ip_address: '10.0.0.2' }], false])
  await subnet(member, net.id, '10.0.1.0/24')
  assert.equal((await servers())[0].fixed_ips.length, 2)
  await member.network.put(`/subnets/${sub.id}`, { subnet: { enable_dhcp: false } })
  assert.deepEqual(
    (await servers())[0].fixed_ips.map((one: { ip_address: string }) => one.ip_address),
    ['10.0.1.2'],
  )
  assert.equal((await member.network.delete(`/ports/${server.id}`)).status, 204)
  assert.equal((await servers()).length, 1)
  assert.equal((await cloud.stranger.network.get('/subnets')).body.subnets.length, 0)
})
