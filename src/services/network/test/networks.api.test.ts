import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { external, faultOf, made, network, port, subnet } from './world.ts'

test('a network is born with everything the API shows', async (t) => {
  const { member, admin } = await testCloud(t)
  const net = await network(member, { name: 'n', description: 'd' })
  const { id, created_at, updated_at, ...rest } = net
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(created_at, updated_at)
  assert.deepEqual(rest, {
    name: 'n',
    tenant_id: member.caller.projectId,
    admin_state_up: true,
    mtu: 1450,
    status: 'ACTIVE',
    subnets: [],
    shared: false,
    availability_zone_hints: [],
    availability_zones: [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    'router:external': false,
    is_default: false,
    port_security_enabled: true,
    description: 'd',
    tags: [],
    revision_number: 1,
    project_id: member.caller.projectId,
  })
  const full = (await admin.network.get(`/networks/${id}`)).body.network
  assert.deepEqual(
    [full['provider:network_type'], full['provider:physical_network'], full['provider:segmentation_id']],
    ['vxlan', null, 1],
  )
})

test('others do not learn that a network exists; readers read and do not write', async (t) => {
  const { member, reader, stranger, service } = await testCloud(t)
  const net = await network(member)
  assert.deepEqual(faultOf(await stranger.network.get(`/networks/${net.id}`)), [404, 'NetworkNotFound'])
  assert.deepEqual(faultOf(await stranger.network.put(`/networks/${net.id}`, { network: { name: 'x' } })), [
    404,
    'NetworkNotFound',
  ])
  assert.deepEqual(faultOf(await stranger.network.delete(`/networks/${net.id}`)), [404, 'NetworkNotFound'])
  assert.deepEqual((await stranger.network.get('/networks')).body, { networks: [] })
  assert.equal((await reader.network.get(`/networks/${net.id}`)).status, 200)
  assert.equal((await service.network.get(`/networks/${net.id}`)).status, 200)
  assert.deepEqual(faultOf(await reader.network.put(`/networks/${net.id}`, { network: { name: 'x' } })), [
    403,
    'PolicyNotAuthorized',
  ])
  assert.deepEqual(faultOf(await reader.network.post('/networks', { network: {} })), [403, 'PolicyNotAuthorized'])
  assert.deepEqual(faultOf(await reader.network.delete(`/networks/${net.id}`)), [403, 'PolicyNotAuthorized'])
})

test('OSSA-2014-031: what only administrators may say is not taken from others, not even its default on update', async (t) => {
  const { member, admin } = await testCloud(t)
  const say = async (values: object) => faultOf(await member.network.post('/networks', { network: values }))
  assert.deepEqual(await say({ shared: true }), [403, 'PolicyNotAuthorized'])
  assert.deepEqual(await say({ 'router:external': true }), [403, 'PolicyNotAuthorized'])
  assert.deepEqual(await say({ 'provider:network_type': 'vlan' }), [403, 'PolicyNotAuthorized'])
  assert.equal((await say({ shared: false }))[0], 201)
  const shared = await network(admin, { shared: true, project_id: member.caller.projectId })
  const answer = await member.network.put(`/networks/${shared.id}`, { network: { shared: false } })
  assert.deepEqual(faultOf(answer), [403, 'PolicyNotAuthorized'])
  assert.match(answer.body.NeutronError.message, /rule:update_network:shared is disallowed by policy/)
})

test('shared and external networks are seen by all, and used only as their sharing says', async (t) => {
  const cloud = await testCloud(t)
  const { admin, member, stranger } = cloud
  const shared = await network(admin, { shared: true })
  await subnet(admin, shared.id, '10.9.0.0/24')
  const outside = await external(cloud)
  assert.deepEqual(
    (await member.network.get('/networks')).body.networks.map((one: { id: string }) => one.id).sort(),
    [shared.id, outside.id].sort(),
  )
  assert.equal((await member.network.get('/subnets')).body.subnets.length, 2)
  const own = await port(member, shared.id)
  assert.equal((await stranger.network.get(`/ports/${own.id}`)).status, 404)
  assert.deepEqual(faultOf(await member.network.post('/ports', { port: { network_id: outside.id } })), [
    403,
    'PolicyNotAuthorized',
  ])
  assert.deepEqual(
    faultOf(await member.network.post('/subnets', { subnet: { network_id: shared.id, cidr: '10.8.0.0/24', ip_version: 4 } })),
    [403, 'PolicyNotAuthorized'],
  )
  const unshare = await admin.network.put(`/networks/${shared.id}`, { network: { shared: false } })
  assert.deepEqual(faultOf(unshare), [409, 'InvalidSharedSetting'])
})

test('a segment is had by one network only, whoever asks how', async (t) => {
  const { admin } = await testCloud(t)
  const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1', 'provider:segmentation_id': 150 }
  const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'extnet' }
  const ask = async (values: object) => faultOf(await admin.network.post('/networks', { network: values }))
  assert.equal((await network(admin, vlan)).mtu, 1500)
  assert.deepEqual(await ask(vlan), [409, 'VlanIdInUse'])
  await network(admin, flat)
  assert.deepEqual(await ask(flat), [409, 'FlatNetworkInUse'])
  assert.deepEqual(await ask({ 'provider:network_type': 'flat', 'provider:physical_network': 'nowhere' }), [400, 'InvalidInput'])
  assert.deepEqual(await ask({ 'provider:network_type': 'flat' }), [400, 'InvalidInput'])
  assert.deepEqual(await ask({ 'provider:segmentation_id': 5 }), [400, 'InvalidInput'])
  assert.deepEqual(await ask({ 'provider:network_type': 'vxlan', 'provider:segmentation_id': 2 ** 24 }), [400, 'InvalidInput'])
  const gre = await network(admin, { 'provider:network_type': 'gre' })
  assert.deepEqual([gre['provider:segmentation_id'], gre.mtu], [1, 1458])
  assert.equal((await network(admin, { 'provider:network_type': 'local' })).mtu, 1500)
  const automatic = await network(admin, { 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1' })
  assert.equal(automatic['provider:segmentation_id'], 100)
})

test('many networks at once get as many segments, and a freed one is used again', async (t) => {
  const { member, admin } = await testCloud(t, { network: { vniRanges: [[10, 14]] } })
  const nets = await Promise.all(Array.from({ length: 5 }, () => network(member)))
  const ids = async () =>
    (await admin.network.get('/networks')).body.networks
      .map((one: Record<string, number>) => one['provider:segmentation_id'])
      .sort()
  assert.deepEqual(await ids(), [10, 11, 12, 13, 14])
  assert.deepEqual(faultOf(await member.network.post('/networks', { network: {} })), [503, 'NoNetworkAvailable'])
  assert.equal((await member.network.delete(`/networks/${nets[2].id}`)).status, 204)
  await network(member)
  assert.deepEqual(await ids(), [10, 11, 12, 13, 14])
})

test('a network in use stays, an empty one goes with its subnets', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member)
  await subnet(member, net.id, '10.0.0.0/24')
  const used = await port(member, net.id)
  assert.deepEqual(faultOf(await member.network.delete(`/networks/${net.id}`)), [409, 'NetworkInUse'])
  assert.equal((await member.network.delete(`/ports/${used.id}`)).status, 204)
  assert.equal((await member.network.delete(`/networks/${net.id}`)).status, 204)
  assert.deepEqual((await member.network.get('/subnets')).body.subnets, [])
  assert.deepEqual((await member.network.get('/ports')).body.ports, [])
})

test('lists are filtered, sorted, paged and cut to fields', async (t) => {
  const { member, admin } = await testCloud(t)
  for (const name of ['c', 'a', 'b']) await network(member, { name, admin_state_up: name !== 'b' })
  const names = async (query: string) =>
    (await member.network.get(`/networks?${query}`)).body.networks.map((one: { name: string }) => one.name).join('')
  assert.equal(await names('name=a&name=b'), 'ab')
  assert.equal(await names('admin_state_up=False'), 'b')
  assert.equal(await names('status=ACTIVE&sort_key=name'), 'ac')
  assert.equal(await names('sort_key=name&sort_dir=desc'), 'cba')
  assert.equal(await names('limit=0'), 'cab')
  assert.equal(await names(`tenant_id=${member.caller.projectId}&project_id=${member.caller.projectId}`), 'cab')
  const { created_at: born } = (await member.network.get('/networks?name=a')).body.networks[0]
  assert.ok((await names(`created_at=${born}`)).includes('a'))
  assert.equal(await names(`changed_since=${born}`), 'cab')
  assert.equal(await names('changed_since=2036-01-01T00:00:00'), '')
  assert.equal(await names('mtu=x'), '')
  assert.deepEqual((await member.network.get('/networks?fields=name&fields=mtu&name=a')).body, {
    networks: [{ name: 'a', mtu: 1450 }],
  })
  const first = (await member.network.get('/networks?sort_key=name&limit=2')).body
  assert.deepEqual(
    first.networks_links.map((link: { rel: string }) => link.rel),
    ['next', 'previous'],
  )
  const next = new URL(first.networks_links[0].href)
  assert.equal(next.searchParams.get('marker'), first.networks[1].id)
  const second = (await member.network.get(`/${next.pathname}${next.search}`)).body
  assert.deepEqual(
    second.networks.map((one: { name: string }) => one.name),
    ['c'],
  )
  assert.deepEqual(
    second.networks_links.map((link: { rel: string }) => link.rel),
    ['previous'],
  )
  for (const bad of ['nonsense=1', 'limit=-1', 'sort_key=nonsense', 'sort_key=name&sort_dir=up', 'marker=x', 'changed_since=x'])
    assert.equal((await member.network.get(`/networks?${bad}`)).status, 400, bad)
  assert.equal((await admin.network.get('/networks?provider:network_type=vxlan')).body.networks.length, 3)
})

test('bad bodies are told what is wrong, and change nothing', async (t) => {
  const { member } = await testCloud(t)
  const wrong = async (body: unknown) => {
    const answer = await member.network.post('/networks', body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    return answer.body.NeutronError.message
  }
  assert.equal(await wrong({}), 'Resource body required')
  assert.equal(await wrong({ net: {} }), "Unable to find 'network' in request body")
  assert.equal(await wrong({ network: [] }), "Object 'network' contains invalid data")
  assert.equal(await wrong({ networks: [] }), 'Resources required')
  assert.equal(await wrong({ network: { nonsense: 1 } }), "Unrecognized attribute(s) 'nonsense'")
  assert.equal(await wrong({ network: { status: 'ACTIVE' } }), "Attribute 'status' not allowed in POST")
  assert.match(await wrong({ network: { name: 5 } }), /Invalid input for name\. Reason: '5' is not a valid string/)
  assert.match(await wrong({ network: { name: 'x'.repeat(256) } }), /exceeds maximum length of 255/)
  assert.match(await wrong({ network: { admin_state_up: 'perhaps' } }), /cannot be converted to boolean/)
  assert.match(await wrong({ network: { mtu: 9000 } }), /too big/)
  assert.match(await wrong({ network: { project_id: 'other' } }), /requires admin privileges/)
  assert.match(await wrong({ network: { project_id: 'a', tenant_id: 'b' } }), /do not match/)
  assert.deepEqual((await member.network.get('/networks')).body.networks, [])
})

test('many are made together or not at all', async (t) => {
  const { member } = await testCloud(t)
  const both = await member.network.post('/networks', { networks: [{ name: 'a' }, { network: { name: 'b' } }] })
  assert.equal(both.status, 201)
  assert.deepEqual(
    both.body.networks.map((one: { name: string }) => one.name),
    ['a', 'b'],
  )
  assert.equal((await member.network.post('/networks', { networks: [{ name: 'c' }, { mtu: 1 }] })).status, 400)
  assert.equal((await member.network.get('/networks')).body.networks.length, 2)
})

test('an update bumps the revision, and is held back when somebody was quicker', async (t) => {
  const { member } = await testCloud(t)
  const net = await network(member, { name: 'a' })
  const put = (name: string, revision: number) =>
    member.network.put(`/networks/${net.id}`, { network: { name } }, { headers: { 'if-match': `revision_number=${revision}` } })
  const first = await put('b', net.revision_number)
  assert.deepEqual([first.status, first.body.network.name, first.body.network.revision_number], [200, 'b', 2])
  assert.deepEqual(faultOf(await put('c', net.revision_number)), [412, 'RevisionNumberConstraintFailed'])
  assert.deepEqual(faultOf(await member.network.put(`/networks/${net.id}`, { network: { id: 'x' } })), [400, 'HTTPBadRequest'])
})

test('quotas stop at the limit, and many at once do not pass it', async (t) => {
  const { member } = await testCloud(t)
  const results = await Promise.all(
    Array.from({ length: 105 }, (_, at) => member.network.post('/networks', { network: { name: `n${at}` } })),
  )
  assert.equal(results.filter((one) => one.status === 201).length, 100)
  const refused = results.find((one) => one.status !== 201)!
  assert.deepEqual(faultOf(refused), [409, 'OverQuota'])
  assert.equal(refused.body.NeutronError.message, "Quota exceeded for resources: ['network'].")
  void made
})
