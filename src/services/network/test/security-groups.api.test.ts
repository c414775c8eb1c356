import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, type Json, testCloud } from '../../../../test/cloud.ts'
import { faultOf, inside, made, port } from './world.ts'

const group = (client: Client, name = 'web'): Promise<Json> => made(client, '/security-groups', { security_group: { name } })
const rule = (client: Client, values: Json) => client.network.post('/security-group-rules', { security_group_rule: values })

test('a project finds its default group at its first look: out to anywhere, in from its own members', async (t) => {
  const { member } = await testCloud(t)
  const [found, ...others] = (await member.network.get('/security-groups')).body.security_groups
  assert.equal(others.length, 0)
  assert.equal(found.name, 'default')
  const rules = found.security_group_rules.map((one: Json) => [one.direction, one.ethertype, one.remote_group_id])
  assert.deepEqual(rules.toSorted(), [
    ['egress', 'IPv4', null],
    ['egress', 'IPv6', null],
    ['ingress', 'IPv4', found.id],
    ['ingress', 'IPv6', found.id],
  ])
  const looks = await Promise.all(Array.from({ length: 5 }, () => member.network.get('/security-groups')))
  for (const look of looks) assert.equal(look.body.security_groups.length, 1)
})

test('the default group is neither renamed nor deleted nor made twice', async (t) => {
  const { member, admin } = await testCloud(t)
  const { id } = (await member.network.get('/security-groups')).body.security_groups[0]
  assert.deepEqual(faultOf(await member.network.put(`/security-groups/${id}`, { security_group: { name: 'x' } })), [
    409,
    'SecurityGroupCannotUpdateDefault',
  ])
  assert.equal((await member.network.put(`/security-groups/${id}`, { security_group: { description: 'x' } })).status, 200)
  assert.deepEqual(faultOf(await member.network.delete(`/security-groups/${id}`)), [409, 'SecurityGroupCannotRemoveDefault'])
  assert.deepEqual(faultOf(await member.network.post('/security-groups', { security_group: { name: 'default' } })), [
    409,
    'SecurityGroupDefaultAlreadyExists',
  ])
  assert.equal((await admin.network.delete(`/security-groups/${id}`)).status, 204)
})

test('a rule is what it says, is shown in its group, and goes with it', async (t) => {
  const { member } = await testCloud(t)
  const web = await group(member)
  const answer = await rule(member, {
    security_group_id: web.id,
    direction: 'ingress',
    protocol: 'tcp',
    port_range_min: 80,
    port_range_max: 81,
  })
  assert.equal(answer.status, 201)
  const { id, created_at, updated_at, ...rest } = answer.body.security_group_rule
  assert.deepEqual(rest, {
    tenant_id: member.caller.projectId,
    security_group_id: web.id,
    ethertype: 'IPv4',
    direction: 'ingress',
    protocol: 'tcp',
    port_range_min: 80,
    port_range_max: 81,
    remote_ip_prefix: null,
    remote_address_group_id: null,
    normalized_cidr: null,
    remote_group_id: null,
    belongs_to_default_sg: false,
    description: '',
    revision_number: 1,
    project_id: member.caller.projectId,
  })
  const shown = (await member.network.get(`/security-groups/${web.id}`)).body.security_group
  assert.ok(shown.security_group_rules.some((one: Json) => one.id === id))
  assert.equal((await member.network.delete(`/security-groups/${web.id}`)).status, 204)
  assert.deepEqual(faultOf(await member.network.get(`/security-group-rules/${id}`)), [404, 'SecurityGroupRuleNotFound'])
})

test('the same rule is refused however it is written', async (t) => {
  const { member } = await testCloud(t)
  const { id: security_group_id } = await group(member)
  const ssh = { security_group_id, direction: 'ingress', port_range_min: 22, port_range_max: 22 }
  assert.equal((await rule(member, { ...ssh, protocol: 'tcp' })).status, 201)
  for (const twin of [
    { protocol: 'tcp' },
    { protocol: 6 },
    { protocol: 'TCP', remote_ip_prefix: '0.0.0.0/0' },
    { protocol: '6', ethertype: 'ipv4' },
  ])
    assert.deepEqual(faultOf(await rule(member, { ...ssh, ...twin })), [409, 'SecurityGroupRuleExists'], JSON.stringify(twin))
  const both = await Promise.all([1, 2, 3].map(() => rule(member, { ...ssh, protocol: 'udp' })))
  assert.deepEqual(both.map((one) => one.status).toSorted(), [201, 409, 409])
})

test('OSSA-2019-001, OSSA-2014-014: what makes no sense never becomes a rule', async (t) => {
  const { member } = await testCloud(t)
  const { id: security_group_id } = await group(member)
  const ask = async (values: Json) => faultOf(await rule(member, { security_group_id, direction: 'ingress', ...values }))
  assert.deepEqual(await ask({ port_range_min: 1, port_range_max: 2 }), [400, 'SecurityGroupProtocolRequiredWithPorts'])
  assert.deepEqual(await ask({ protocol: 'vrrp', port_range_min: 1, port_range_max: 2 }), [
    400,
    'SecurityGroupInvalidProtocolForPort',
  ])
  assert.deepEqual(await ask({ protocol: 'tcp', port_range_min: 9, port_range_max: 2 }), [400, 'SecurityGroupInvalidPortRange'])
  assert.deepEqual(await ask({ protocol: 'tcp', port_range_min: 0, port_range_max: 2 }), [400, 'SecurityGroupInvalidPortValue'])
  assert.deepEqual(await ask({ protocol: 'tcp', port_range_min: 1, port_range_max: 70_000 }), [
    400,
    'SecurityGroupInvalidPortValue',
  ])
  assert.deepEqual(await ask({ protocol: 'icmp', port_range_min: 256 }), [400, 'SecurityGroupInvalidIcmpValue'])
  assert.deepEqual(await ask({ protocol: 'icmp', port_range_max: 0 }), [400, 'SecurityGroupMissingIcmpType'])
  assert.deepEqual(await ask({ protocol: 'ipv6-icmp' }), [400, 'SecurityGroupEthertypeConflictWithProtocol'])
  assert.deepEqual(await ask({ protocol: 'nonsense' }), [400, 'SecurityGroupRuleInvalidProtocol'])
  assert.deepEqual(await ask({ protocol: 256 }), [400, 'SecurityGroupRuleInvalidProtocol'])
  assert.deepEqual(await ask({ remote_ip_prefix: '2001:db8::/64' }), [400, 'SecurityGroupRuleParameterConflict'])
  assert.deepEqual(await ask({ remote_ip_prefix: '10.0.0.0/33' }), [400, 'HTTPBadRequest'])
  assert.deepEqual(await ask({ remote_ip_prefix: '10.0.0.0/8', remote_group_id: security_group_id }), [
    400,
    'SecurityGroupMultipleRemoteEntites',
  ])
  assert.deepEqual(await ask({ ethertype: 'IPv5' }), [400, 'HTTPBadRequest'])
  assert.deepEqual(await ask({ direction: 'sideways' }), [400, 'HTTPBadRequest'])
  const kept = (await member.network.get(`/security-group-rules?security_group_id=${security_group_id}`)).body
  assert.equal(kept.security_group_rules.length, 2)
})

test('groups and rules of others can be neither seen nor used', async (t) => {
  const { member, stranger, reader } = await testCloud(t)
  const [mine, theirs] = [await group(member), await group(stranger)]
  const theirRule = theirs.security_group_rules[0]
  assert.equal((await member.network.get(`/security-groups/${theirs.id}`)).status, 404)
  assert.equal((await member.network.get(`/security-group-rules/${theirRule.id}`)).status, 404)
  assert.equal((await member.network.delete(`/security-group-rules/${theirRule.id}`)).status, 404)
  assert.equal((await member.network.delete(`/security-groups/${theirs.id}`)).status, 404)
  assert.deepEqual(faultOf(await rule(member, { security_group_id: theirs.id, direction: 'ingress' })), [
    404,
    'SecurityGroupNotFound',
  ])
  assert.deepEqual(
    faultOf(await rule(member, { security_group_id: mine.id, direction: 'ingress', remote_group_id: theirs.id })),
    [404, 'SecurityGroupNotFound'],
  )
  assert.deepEqual(faultOf(await rule(reader, { security_group_id: mine.id, direction: 'ingress' })), [
    403,
    'PolicyNotAuthorized',
  ])
  const all = (await member.network.get('/security-group-rules')).body.security_group_rules
  assert.ok(all.every((one: Json) => one.project_id === member.caller.projectId))
})

test('a group in use stays', async (t) => {
  const { cloud, net } = await inside(t)
  const web = await group(cloud.member)
  await port(cloud.member, net.id, { security_groups: [web.id] })
  assert.deepEqual(faultOf(await cloud.member.network.delete(`/security-groups/${web.id}`)), [409, 'SecurityGroupInUse'])
})

test('quotas are shown, changed by administrators, and go back to the defaults', async (t) => {
  const { admin, member, manager } = await testCloud(t)
  const path = `/quotas/${member.caller.projectId}`
  assert.equal((await manager.network.get(path)).body.quota.network, 100)
  assert.equal((await member.network.get(path)).status, 403)
  assert.equal((await manager.network.put(path, { quota: { network: 1 } })).status, 403)
  assert.deepEqual(faultOf(await admin.network.delete(path)), [404, 'TenantQuotaNotFound'])
  assert.equal((await admin.network.put(path, { quota: { security_group: 1, network: 5 } })).body.quota.network, 5)
  assert.deepEqual(faultOf(await member.network.post('/security-groups', { security_group: { name: 'x' } })), [409, 'OverQuota'])
  await made(member, '/networks', { network: {} })
  const details = (await manager.network.get(`${path}/details`)).body.quota
  assert.deepEqual(details.network, { limit: 5, used: 1, reserved: 0 })
  assert.equal((await admin.network.get('/quotas')).body.quotas[0].project_id, member.caller.projectId)
  assert.equal((await manager.network.get('/quotas')).status, 403)
  assert.equal((await manager.network.get(`${path}/default`)).body.quota.network, 100)
  for (const bad of [{ nonsense: 1 }, { network: -2 }, { network: 'x' }])
    assert.equal((await admin.network.put(path, { quota: bad })).status, 400)
  assert.equal((await admin.network.delete(path)).status, 204)
  assert.equal((await manager.network.get(path)).body.quota.network, 100)
  assert.deepEqual((await member.network.get('/quotas/tenant')).body, { tenant: { tenant_id: member.caller.projectId } })
})
