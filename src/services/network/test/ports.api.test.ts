import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { faultOf, inside, network, port, subnet } from './world.ts'

test('a port is born with an address, the default group, and everything the API shows', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const made = await port(cloud.member, net.id, { name: 'p' })
  const { id, created_at, updated_at, mac_address, security_groups, ...rest } = made
  assert.match(mac_address, /^fa:16:3e(:[0-9a-f]{2}){3}$/)
  assert.equal(security_groups.length, 1)
  assert.deepEqual(rest, {
    name: 'p',
    tenant_id: cloud.member.caller.projectId,
    network_id: net.id,
    admin_state_up: true,
    status: 'DOWN',
    device_id: '',
    device_owner: '',
    fixed_ips: [{ subnet_id: sub.id, ip_address: '10.0.0.3' }],
    allowed_address_pairs: [],
    'binding:vnic_type': 'normal',
    port_security_enabled: true,
    description: '',
    tags: [],
    revision_number: 1,
    project_id: cloud.member.caller.projectId,
  })
  const full = (await cloud.admin.network.get(`/ports/${id}`)).body.port
  assert.deepEqual(
    [full['binding:host_id'], full['binding:vif_type'], full['binding:vif_details'], full['binding:profile']],
    ['', 'unbound', {}, {}],
  )
})

test('addresses are those asked for, and nobody gets one twice', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { member } = cloud
  const fixed = (fixed_ips: unknown) => member.network.post('/ports', { port: { network_id: net.id, fixed_ips } })
  const first = await fixed([{ ip_address: '10.0.0.50' }])
  assert.deepEqual(first.body.port.fixed_ips, [{ subnet_id: sub.id, ip_address: '10.0.0.50' }])
  assert.deepEqual(faultOf(await fixed([{ ip_address: '10.0.0.50' }])), [409, 'IpAddressAlreadyAllocated'])
  assert.deepEqual(faultOf(await fixed([{ ip_address: '10.1.0.50' }])), [400, 'InvalidIpForNetwork'])
  assert.deepEqual(faultOf(await fixed([{ subnet_id: sub.id, ip_address: '10.0.0.255' }])), [400, 'InvalidIpForSubnet'])
  assert.deepEqual(faultOf(await fixed([{ ip_address: '10.0.0.555' }])), [400, 'HTTPBadRequest'])
  assert.deepEqual(faultOf(await fixed([{ subnet_id: net.id }])), [400, 'InvalidInput'])
  assert.deepEqual((await fixed([])).body.port.fixed_ips, [])
  const two = await fixed([{ subnet_id: sub.id }, { subnet_id: sub.id }])
  assert.equal(two.body.port.fixed_ips.length, 2)
  const all = (await member.network.get('/ports')).body.ports.flatMap((one: { fixed_ips: { ip_address: string }[] }) =>
    one.fixed_ips.map((ip) => ip.ip_address),
  )
  assert.equal(new Set(all).size, all.length)
})

test('many ports at once fill a subnet to its last address and no further', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  await subnet(member, net.id, '10.0.0.0/27')
  const answers = await Promise.all(
    Array.from({ length: 35 }, () => member.network.post('/ports', { port: { network_id: net.id } })),
  )
  const made = answers.filter((one) => one.status === 201)
  // 30 usable, less the gateway and the DHCP server's.
  assert.equal(made.length, 28)
  assert.equal(new Set(made.map((one) => one.body.port.fixed_ips[0].ip_address)).size, 28)
  assert.deepEqual(faultOf(answers.find((one) => one.status !== 201)!), [409, 'IpAddressGenerationFailure'])
  assert.equal((await member.network.delete(`/ports/${made[5]!.body.port.id}`)).status, 204)
  const again = await port(member, net.id)
  assert.deepEqual(again.fixed_ips, made[5]!.body.port.fixed_ips)
})

test('on a /64 an address costs no more than on a /24', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  await subnet(member, net.id, '2001:db8::/64')
  assert.equal((await port(member, net.id)).fixed_ips[0].ip_address, '2001:db8::3')
  const far = await port(member, net.id, { fixed_ips: [{ ip_address: '2001:db8::ffff:0:0:1' }] })
  assert.equal(far.fixed_ips[0].ip_address, '2001:db8::ffff:0:0:1')
  assert.equal((await port(member, net.id)).fixed_ips[0].ip_address, '2001:db8::4')
})

test('automatic subnets give each card the address it makes itself, also those that were there before', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  await subnet(member, net.id, '10.0.0.0/24')
  const old = await port(member, net.id, { mac_address: 'fa:16:3e:00:00:01' })
  const auto = await subnet(member, net.id, '2001:db8::/64', { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })
  const ips = async (id: string) =>
    (await member.network.get(`/ports/${id}`)).body.port.fixed_ips.map((one: { ip_address: string }) => one.ip_address)
  assert.deepEqual(await ips(old.id), ['10.0.0.3', '2001:db8::f816:3eff:fe00:1'])
  const young = await port(member, net.id, { mac_address: 'fa:16:3e:00:00:02' })
  assert.deepEqual(await ips(young.id), ['10.0.0.4', '2001:db8::f816:3eff:fe00:2'])
  assert.equal((await member.network.delete(`/subnets/${auto.id}`)).status, 204)
  assert.deepEqual(await ips(old.id), ['10.0.0.3'])
})

test('an update keeps what it does not name', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { member } = cloud
  const made = await port(member, net.id)
  const put = (values: object) => member.network.put(`/ports/${made.id}`, { port: values })
  const named = (await put({ name: 'x' })).body.port
  assert.deepEqual(named.fixed_ips, made.fixed_ips)
  assert.deepEqual(named.security_groups, made.security_groups)
  assert.ok(named.revision_number > made.revision_number)
  const more = (await put({ fixed_ips: [{ subnet_id: sub.id }, { ip_address: '10.0.0.99' }] })).body.port
  assert.deepEqual(more.fixed_ips, [...made.fixed_ips, { subnet_id: sub.id, ip_address: '10.0.0.99' }])
  const less = (await put({ fixed_ips: [{ ip_address: '10.0.0.99' }] })).body.port
  assert.deepEqual(less.fixed_ips, [{ subnet_id: sub.id, ip_address: '10.0.0.99' }])
  assert.deepEqual(faultOf(await put({ network_id: net.id })), [400, 'HTTPBadRequest'])
  assert.deepEqual(faultOf(await put({ port_security_enabled: false })), [409, 'PortSecurityPortHasSecurityGroup'])
  assert.equal((await put({ port_security_enabled: false, security_groups: [] })).status, 200)
  assert.deepEqual(faultOf(await put({ allowed_address_pairs: [{ ip_address: '10.0.0.7' }] })), [
    409,
    'AddressPairAndPortSecurityRequired',
  ])
})

test('OSSA-2014-025, OSSA-2015-012: allowed pairs are few and make sense', async (t) => {
  const { cloud, net } = await inside(t)
  const pairs = (...all: unknown[]) =>
    cloud.member.network.post('/ports', { port: { network_id: net.id, allowed_address_pairs: all } })
  const one = await pairs({ ip_address: '10.0.0.0/28' }, { ip_address: '10.0.0.77', mac_address: 'FA-16-3E-00-00-09' })
  assert.deepEqual(one.body.port.allowed_address_pairs, [
    { ip_address: '10.0.0.0/28', mac_address: one.body.port.mac_address },
    { ip_address: '10.0.0.77', mac_address: 'fa:16:3e:00:00:09' },
  ])
  const many = Array.from({ length: 11 }, (_, at) => ({ ip_address: `10.0.0.${at + 100}` }))
  assert.deepEqual(faultOf(await pairs(...many)), [400, 'AllowedAddressPairExhausted'])
  const bad = [
    {},
    { ip_address: '' },
    { ip_address: '10.0.0.1; drop' },
    { ip_address: '10.0.0.1', mac_address: 'x' },
    { ip_address: '1.1.1.1', more: 1 },
    'x',
    null,
    7,
  ]
  for (const pair of bad) assert.equal((await pairs(pair)).status, 400, JSON.stringify(pair))
  assert.deepEqual(faultOf(await pairs({ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.9' })), [400, 'HTTPBadRequest'])
})

test('CVE-2026-50266, OSSA-2015-018: nobody but administrators poses as a network device', async (t) => {
  const { cloud, net } = await inside(t)
  const { admin, member, manager } = cloud
  const shared = await network(admin, { shared: true })
  for (const client of [member, manager]) {
    const ask = async (id: string, device_owner: string) =>
      (await client.network.post('/ports', { port: { network_id: id, device_owner } })).status
    assert.equal(await ask(shared.id, 'network:dhcp'), 403)
    assert.equal(await ask(shared.id, 'network:something'), 403)
    assert.equal(await ask(net.id, 'network:router_interface'), 403)
    const own = await port(client, shared.id)
    const put = await client.network.put(`/ports/${own.id}`, { port: { device_owner: 'network:dhcp' } })
    assert.deepEqual(faultOf(put), [403, 'PolicyNotAuthorized'])
  }
  // On a network of one's own the owner may call a port what he likes; it stays guarded all the same.
  const odd = await port(member, net.id, { device_owner: 'network:odd' })
  assert.equal(odd.port_security_enabled, true)
})

test('OSSA-2014-008: naming the router of another project as device does not join it', async (t) => {
  const { cloud, net } = await inside(t)
  const router = (await cloud.stranger.network.post('/routers', { router: {} })).body.router
  const answer = await cloud.member.network.post('/ports', { port: { network_id: net.id, device_id: router.id } })
  assert.deepEqual(faultOf(answer), [409, 'DeviceIDNotOwnedByTenant'])
})

test('on a shared network tenants choose neither MAC nor address nor port security, and do not see each other', async (t) => {
  const { admin, member, stranger } = await testCloud(t)
  const shared = await network(admin, { shared: true })
  await subnet(admin, shared.id, '10.9.0.0/24')
  for (const values of [
    { mac_address: 'fa:16:3e:00:00:01' },
    { fixed_ips: [{ ip_address: '10.9.0.5' }] },
    { port_security_enabled: false },
    { allowed_address_pairs: [{ ip_address: '10.9.0.1' }] },
    { 'binding:host_id': 'host-1' },
    { 'binding:profile': { a: 1 } },
  ]) {
    const answer = await member.network.post('/ports', { port: { network_id: shared.id, ...values } })
    assert.deepEqual(faultOf(answer), [403, 'PolicyNotAuthorized'], JSON.stringify(values))
  }
  const own = await port(member, shared.id)
  assert.deepEqual((await stranger.network.get('/ports')).body.ports, [])
  assert.equal((await stranger.network.delete(`/ports/${own.id}`)).status, 404)
  const foreign = (await stranger.network.get('/security-groups')).body.security_groups[0].id
  const put = await member.network.put(`/ports/${own.id}`, { port: { security_groups: [foreign] } })
  assert.deepEqual(faultOf(put), [404, 'SecurityGroupNotFound'])
})

test('a MAC is had once on a network, and is changed by a manager only', async (t) => {
  const { cloud, net } = await inside(t)
  const mac_address = 'fa:16:3e:00:00:01'
  const made = await port(cloud.member, net.id, { mac_address })
  assert.deepEqual(faultOf(await cloud.member.network.post('/ports', { port: { network_id: net.id, mac_address } })), [
    409,
    'MacAddressInUse',
  ])
  const put = { port: { mac_address: 'fa:16:3e:00:00:02' } }
  assert.deepEqual(faultOf(await cloud.member.network.put(`/ports/${made.id}`, put)), [403, 'PolicyNotAuthorized'])
  assert.equal((await cloud.manager.network.put(`/ports/${made.id}`, put)).body.port.mac_address, 'fa:16:3e:00:00:02')
  for (const bad of ['01:00:5e:00:00:01', '00:00:00:00:00:00', 'fa:16:3e:00:00', 5])
    assert.equal((await cloud.member.network.post('/ports', { port: { network_id: net.id, mac_address: bad } })).status, 400)
})

test('ports are found by address, device, group, status and tags', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { member } = cloud
  const a = await port(member, net.id, { name: 'a', fixed_ips: [{ ip_address: '10.0.0.77' }], tags: ['red', 'blue'] })
  await port(member, net.id, { name: 'b', device_id: 'd', security_groups: [], tags: ['red'] })
  const names = async (query: string) =>
    (await member.network.get(`/ports?device_owner=&${query}`)).body.ports.map((one: { name: string }) => one.name).join('')
  assert.equal(await names('fixed_ips=ip_address=10.0.0.77'), 'a')
  assert.equal(await names('fixed_ips=ip_address_substr=0.77'), 'a')
  assert.equal(await names(`fixed_ips=subnet_id=${sub.id}`), 'ab')
  assert.equal(await names('device_id=d'), 'b')
  assert.equal(await names(`security_groups=${a.security_groups[0]}`), 'a')
  assert.equal(await names('status=DOWN'), 'ab')
  assert.equal(await names('status=ACTIVE'), '')
  assert.equal(await names('tags=red,blue'), 'a')
  assert.equal(await names('tags-any=blue'), 'a')
  assert.equal(await names('not-tags=red,blue'), 'b')
  assert.equal(await names('not-tags-any=blue'), 'b')
})

test('OSSA-2024-005, OSSA-2026-016: tags are for who may change the thing, and there are not too many', async (t) => {
  const { cloud, net } = await inside(t)
  const { member, reader, stranger } = cloud
  const path = `/networks/${net.id}/tags`
  assert.equal((await stranger.network.put(`${path}/x`)).status, 404)
  assert.equal((await reader.network.put(`${path}/x`)).status, 403)
  assert.equal((await member.network.put(`${path}/x`)).status, 201)
  assert.equal((await reader.network.get(`${path}/x`)).status, 204)
  assert.deepEqual(faultOf(await member.network.get(`${path}/y`)), [404, 'TagNotFound'])
  assert.deepEqual((await member.network.put(path, { tags: ['b', 'a'] })).body, { tags: ['a', 'b'] })
  assert.deepEqual((await member.network.get(`/networks/${net.id}`)).body.network.tags, ['a', 'b'])
  assert.equal((await member.network.delete(`${path}/a`)).status, 204)
  assert.equal((await member.network.delete(`${path}/a`)).status, 404)
  assert.equal((await member.network.delete(path)).status, 204)
  const many = Array.from({ length: 51 }, (_, at) => `t${at}`)
  assert.equal((await member.network.put(path, { tags: many })).status, 400)
  for (const bad of [{}, { tags: 'x' }, { tags: [''] }, { tags: ['x'.repeat(256)] }])
    assert.equal((await member.network.put(path, bad)).status, 400)
  assert.deepEqual((await member.network.get(path)).body, { tags: [] })
})
