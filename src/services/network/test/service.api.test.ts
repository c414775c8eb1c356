import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Json, testCloud } from '../../../../test/cloud.ts'
import type { HostDhcp } from '../../../agents/document.ts'
import { external, faultOf, inside, made, network, port, subnet } from './world.ts'

test('whoever asks without a token is told the versions', async (t) => {
  const { withToken, member } = await testCloud(t)
  const { body } = await withToken(undefined).network.get('//')
  assert.deepEqual([body.versions[0].id, body.versions[0].status], ['v2.0', 'CURRENT'])
  assert.match(body.versions[0].links[0].href, /\/v2\.0\/$/)
  const names = (await withToken(undefined).network.get('//v2.0')).body.resources.map((one: Json) => one.collection)
  assert.ok(names.includes('networks') && names.includes('security_groups'))
  assert.equal((await withToken(undefined).network.get('/networks')).status, 401)
  const unknown = await member.network.get('/nonsense')
  assert.deepEqual([unknown.status, unknown.body.code, unknown.body.title], [404, '404 Not Found', 'Not Found'])
  assert.equal((await member.network.post('/extensions', {})).status, 405)
})

test('extensions are listed and shown by alias', async (t) => {
  const { member } = await testCloud(t)
  const all = (await member.network.get('/extensions')).body.extensions
  assert.ok(all.some((one: Json) => one.alias === 'router'))
  assert.ok(!all.some((one: Json) => one.alias === 'dvr' || one.alias === 'l3-ha'))
  assert.equal((await member.network.get('/extensions/security-group')).body.extension.alias, 'security-group')
  assert.deepEqual(faultOf(await member.network.get('/extensions/constructor')), [404, 'ExtensionsNotFound'])
})

test('zones are there once a host is', async (t) => {
  const { member } = await testCloud(t)
  const { availability_zones: zones } = (await member.network.get('/availability_zones')).body
  assert.deepEqual(zones, [
    { name: 'nova', resource: 'network', state: 'available' },
    { name: 'nova', resource: 'router', state: 'available' },
  ])
  const hint = { availability_zone_hints: ['elsewhere'] }
  assert.deepEqual(faultOf(await member.network.post('/networks', { network: hint })), [404, 'AvailabilityZoneNotFound'])
  assert.equal((await member.network.post('/routers', { router: { availability_zone_hints: ['nova'] } })).status, 201)
})

test('how many addresses are left is exact, even of a /64', async (t) => {
  const { cloud, net } = await inside(t)
  await subnet(cloud.member, net.id, '2001:db8::/64')
  await port(cloud.member, net.id)
  const answer = await cloud.cloud.apps.network.inject({
    url: `/v2.0/network-ip-availabilities/${net.id}`,
    headers: { 'x-auth-token': 'admin-token' },
  })
  assert.match(answer.body, /"total_ips":18446744073709551614\b/)
  const { subnet_ip_availability: subnets } = answer.json().network_ip_availability
  assert.deepEqual(
    subnets.map((one: Json) => one.used_ips),
    [2, 2],
  )
  assert.equal((await cloud.member.network.get('/network-ip-availabilities')).status, 403)
  const only = (await cloud.admin.network.get(`/network-ip-availabilities?ip_version=4&network_id=${net.id}`)).body
  assert.deepEqual([only.network_ip_availabilities[0].total_ips, only.network_ip_availabilities[0].used_ips], [253, 2])
})

test('administrators see which host carries what; everybody sees where floating IPs come from', async (t) => {
  const { cloud, net } = await inside(t)
  const { admin, member } = cloud
  const outside = await external(cloud)
  const router = await made(member, '/routers', { router: { external_gateway_info: { network_id: outside.id } } })
  const [dhcp] = (await admin.network.get(`/networks/${net.id}/dhcp-agents`)).body.agents
  assert.equal(dhcp.agent_type, 'DHCP agent')
  assert.equal((await admin.network.get(`/agents/${dhcp.id}/dhcp-networks`)).body.networks[0].id, net.id)
  const [l3] = (await admin.network.get(`/routers/${router.id}/l3-agents`)).body.agents
  assert.equal((await admin.network.get(`/agents/${l3.id}/l3-routers`)).body.routers[0].id, router.id)
  assert.deepEqual((await admin.network.get(`/agents/${dhcp.id}/l3-routers`)).body.routers, [])
  assert.equal((await member.network.get(`/networks/${net.id}/dhcp-agents`)).status, 403)
  const [pool] = (await member.network.get('/floatingip_pools')).body.floatingip_pools
  assert.deepEqual([pool.network_id, pool.cidr], [outside.id, '172.24.4.0/24'])
})

test('OSSA-2021-005: what a server is called never breaks a line on the host', async (t) => {
  const { cloud, net } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const names = ['web', 'web', 'a\nb', 'x,y', '-x', 'é', 'Ok-1']
  for (const [at, hostname] of names.entries())
    await ports.ensurePort({
      owner: `s${at}`,
      index: 0,
      projectId: cloud.member.caller.projectId!,
      nic: { network: net.id },
      securityGroups: [],
      hostname,
    })
  const [told] = (await cloud.cloud.desk.agent('dhcp').desired('host-1')).items as HostDhcp[]
  const given = told!.subnets[0]!.hosts.map((host) => host.hostname)
  assert.deepEqual(given, ['web', 'host-10-0-0-4', 'host-10-0-0-5', 'host-10-0-0-6', 'host-10-0-0-7', 'host-10-0-0-8', 'ok-1'])
})

test('what is sent to any endpoint never makes it fail', async (t) => {
  const { cloud, net } = await inside(t)
  const odd = [null, 0, 'x', [], [[]], {}, { a: 1 }, 'x'.repeat(5000), -1, 1e300, true, { network_id: null }, ['\0'], '\0', '💥']
  const items = [
    'name',
    'network_id',
    'cidr',
    'ip_version',
    'fixed_ips',
    'allowed_address_pairs',
    'security_groups',
    'mac_address',
    'device_owner',
    'external_gateway_info',
    'routes',
    'floating_network_id',
    'port_id',
    'security_group_id',
    'direction',
    'protocol',
    'port_range_min',
    'remote_ip_prefix',
    'allocation_pools',
    'tags',
    'mtu',
    'provider:segmentation_id',
    'gateway_ip',
    'binding:profile',
    'project_id',
  ]
  const resources: [string, string, Json][] = [
    ['/networks', 'network', {}],
    ['/subnets', 'subnet', { network_id: net.id, ip_version: 4, cidr: '10.99.0.0/24' }],
    ['/ports', 'port', { network_id: net.id }],
    ['/routers', 'router', {}],
    ['/floatingips', 'floatingip', { floating_network_id: net.id }],
    ['/security-groups', 'security_group', { name: 'x' }],
    ['/security-group-rules', 'security_group_rule', { security_group_id: net.id, direction: 'ingress' }],
  ]
  const quota = { network: -1, subnet: -1, port: -1, router: -1, security_group: -1, security_group_rule: -1 }
  await cloud.admin.network.put(`/quotas/${cloud.admin.caller.projectId}`, { quota })
  const failed: string[] = []
  const see = (status: number, what: string) => {
    if (status >= 500 && status !== 503) failed.push(`${status} ${what}`)
  }
  for (const [path, name, base] of resources) {
    for (const body of odd)
      see((await cloud.admin.network.post(path, body)).status, `${path} ${JSON.stringify(body).slice(0, 40)}`)
    for (const item of items)
      for (const value of odd)
        see(
          (await cloud.admin.network.post(path, { [name]: { ...base, [item]: value } })).status,
          `${path} ${item} ${JSON.stringify(value).slice(0, 40)}`,
        )
    for (const query of [
      'id=%00',
      'limit=99999999999999999999',
      'marker=%00',
      'sort_key=id&sort_dir=%27',
      'fields=%00',
      'name=%F0%9F',
      'fixed_ips=x',
      'revision_number=x',
      'created_at=x',
      'tags=%00',
    ])
      see((await cloud.admin.network.get(`${path}?${query}`)).status, `${path}?${query}`)
    see((await cloud.admin.network.get(`${path}/%00`)).status, `${path}/%00`)
  }
  assert.deepEqual(failed, [])
  void network
})
