import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicKey } from './keys.ts'
import { serverWorld } from './world.ts'

test('a request for a server that cannot be is refused with a reason, and leaves nothing', async (t) => {
  const { member, image, network, ...world } = await serverWorld(t)
  const post = (more: object, version = '2.90') =>
    member.compute.post(
      '/servers',
      { server: { name: 'x', flavorRef: 'small', imageRef: image, networks: [{ uuid: network }], ...more } },
      { version },
    )
  const none = '99999999-9999-4999-8999-999999999999'
  const cases: [object, number][] = [
    [{ flavorRef: 'none' }, 400],
    [{ imageRef: none }, 400],
    [{ imageRef: '' }, 400],
    [{ imageRef: undefined }, 400],
    [{ key_name: 'none' }, 400],
    [{ networks: [{ uuid: none }] }, 400],
    [{ networks: [{ port: none }] }, 400],
    [{ networks: [{}] }, 400],
    [{ networks: 'some' }, 400],
    [{ networks: undefined }, 400],
    [{ security_groups: [{ name: 'none' }] }, 400],
    [{ user_data: 'not base64!' }, 400],
    [{ name: '' }, 400],
    [{ name: 'x'.repeat(256) }, 400],
    [{ metadata: { k: 'v'.repeat(256) } }, 400],
    [{ min_count: 0 }, 400],
    [{ hostname: 'a.b' }, 400],
    [{ min_count: 2, hostname: 'same' }, 400],
    [{ min_count: 2, networks: [{ uuid: network, fixed_ip: '10.1.0.9' }] }, 400],
    [{ block_device_mapping_v2: [{ source_type: 'volume', uuid: none, destination_type: 'volume', boot_index: 0 }] }, 400],
    [{ tags: ['a,b'] }, 400],
    [{ colour: 'red' }, 400],
    [{ availability_zone: 'nova:host-1' }, 403],
    [{ host: 'host-1' }, 403],
    [{ trusted_image_certificates: [none] }, 400],
    [{ metadata: Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v'])) }, 403],
  ]
  for (const [more, status] of cases) {
    const answer = await post(more)
    assert.equal(answer.status, status, `${JSON.stringify(more)}: ${JSON.stringify(answer.body)}`)
  }
  const hinted = {
    server: { name: 'x', flavorRef: 'small', imageRef: image, networks: 'none' },
    'os:scheduler_hints': { group: none },
  }
  assert.equal((await member.compute.post('/servers', hinted, { version: '2.37' })).status, 400)
  assert.deepEqual((await member.compute.get('/servers')).body, { servers: [] })
  assert.equal(
    (
      await world.admin.compute.post(
        '/servers',
        { server: { name: 'x', flavorRef: 'small', imageRef: image, networks: 'none', host: 'none' } },
        { version: '2.74' },
      )
    ).status,
    400,
  )
})

test('a server may be without a network, on the only one, or boot by a mapping that says what an image says', async (t) => {
  const world = await serverWorld(t)
  const none = await world.server({ networks: 'none' })
  const auto = await world.server({ networks: 'auto' })
  const mapping = {
    uuid: world.image,
    source_type: 'image',
    destination_type: 'local',
    boot_index: 0,
    delete_on_termination: true,
  }
  const mapped = await world.server({ block_device_mapping_v2: [mapping] })
  await world.settle()
  assert.deepEqual((await world.show(none.id)).addresses, {})
  assert.equal((await world.show(auto.id)).addresses.net.length, 1)
  assert.equal((await world.show(mapped.id)).status, 'ACTIVE')
})

test('an admin forces a host, and a group of servers keeps apart', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  const forced = await world.server({ availability_zone: 'nova:host-2', networks: 'none' }, world.admin)
  await world.settle()
  assert.equal((await world.show(forced.id, world.admin))['OS-EXT-SRV-ATTR:host'], 'host-2')
  const ask = { server_group: { name: 'apart', policy: 'anti-affinity' } }
  const { id } = (await world.member.compute.post('/os-server-groups', ask, { version: '2.64' })).body.server_group
  const made: string[] = []
  for (let n = 0; n < 3; n++) {
    const server = { name: `g${n}`, flavorRef: 'small', imageRef: world.image, networks: 'none' }
    const body = { server, 'os:scheduler_hints': { group: id } }
    made.push((await world.member.compute.post('/servers', body, { version: '2.37' })).body.server.id)
    await world.settle()
  }
  const shown = await Promise.all(made.map((one) => world.show(one, world.admin)))
  assert.deepEqual(
    shown.map((one) => one.status),
    ['ACTIVE', 'ACTIVE', 'ERROR'],
  )
  assert.notEqual(shown[0]['OS-EXT-SRV-ATTR:host'], shown[1]['OS-EXT-SRV-ATTR:host'])
  assert.deepEqual(shown[0].server_groups, [id])
  const group = (await world.member.compute.get(`/os-server-groups/${id}`)).body.server_group
  assert.deepEqual([group.policies, group.members], [['anti-affinity'], made])
  assert.equal((await world.stranger.compute.get(`/os-server-groups/${id}`)).status, 404)
  assert.equal((await world.member.compute.delete(`/os-server-groups/${id}`)).status, 204)
})

test('metadata of a server is read, merged, replaced and deleted, one by one or all', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server({ metadata: { a: '1' } })
  await world.settle()
  const { member, reader } = world
  const path = `/servers/${id}/metadata`
  assert.deepEqual((await member.compute.post(path, { metadata: { b: '2' } })).body, { metadata: { a: '1', b: '2' } })
  assert.deepEqual((await member.compute.get(`${path}/b`)).body, { meta: { b: '2' } })
  assert.deepEqual((await member.compute.put(`${path}/b`, { meta: { b: '3' } })).body, { meta: { b: '3' } })
  assert.equal((await member.compute.put(`${path}/b`, { meta: { c: '3' } })).status, 400)
  assert.deepEqual((await member.compute.put(path, { metadata: { z: '9' } })).body, { metadata: { z: '9' } })
  assert.equal((await member.compute.delete(`${path}/b`)).status, 404)
  assert.equal((await member.compute.delete(`${path}/z`)).status, 204)
  assert.deepEqual((await reader.compute.get(path)).body, { metadata: {} })
  assert.equal((await reader.compute.post(path, { metadata: { b: '2' } })).status, 403)
})

test('tags of a server come and go', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const at = { version: '2.26' }
  const { compute } = world.member
  assert.equal((await compute.put(`/servers/${id}/tags/red`, undefined, at)).status, 201)
  assert.equal((await compute.put(`/servers/${id}/tags/red`, undefined, at)).status, 204)
  assert.equal((await compute.put(`/servers/${id}/tags/a,b`, undefined, at)).status, 400)
  assert.equal((await compute.get(`/servers/${id}/tags/red`, at)).status, 204)
  assert.deepEqual((await compute.put(`/servers/${id}/tags`, { tags: ['x', 'y', 'x'] }, at)).body, { tags: ['x', 'y'] })
  assert.equal((await compute.get(`/servers/${id}/tags/red`, at)).status, 404)
  assert.equal((await compute.delete(`/servers/${id}/tags/x`, at)).status, 204)
  assert.deepEqual((await compute.get(`/servers/${id}/tags`, at)).body, { tags: ['y'] })
  assert.equal((await compute.delete(`/servers/${id}/tags`, at)).status, 204)
  assert.equal((await compute.get(`/servers/${id}/tags`, { version: '2.25' })).status, 404)
})

test('interfaces are listed, attached and detached, and the host hears of it', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const { compute } = world.member
  const path = `/servers/${id}/os-interface`
  const [first] = (await compute.get(path)).body.interfaceAttachments
  assert.equal(first.port_state, 'ACTIVE')
  assert.deepEqual((await compute.get(`${path}/${first.port_id}`)).body.interfaceAttachment, first)
  const made = await compute.post(path, { interfaceAttachment: { net_id: world.network } })
  assert.equal(made.status, 200)
  assert.equal((await world.show(id)).addresses.net.length, 2)
  assert.equal((await compute.delete(`${path}/${made.body.interfaceAttachment.port_id}`)).status, 202)
  assert.equal((await world.show(id)).addresses.net.length, 1)
  assert.equal((await compute.delete(`${path}/${made.body.interfaceAttachment.port_id}`)).status, 404)
  assert.equal((await compute.post(path, { interfaceAttachment: { port_id: first.port_id, net_id: world.network } })).status, 400)
  assert.equal((await world.reader.compute.post(path, {})).status, 403)
  assert.deepEqual(Object.keys((await compute.get(`/servers/${id}/ips`)).body.addresses), ['net'])
  assert.equal((await compute.get(`/servers/${id}/ips/none`)).status, 404)
})

test('a port that its user deletes is missed by nobody: the server boots again without it', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server({ networks: [{ uuid: world.network }, { uuid: world.network }] })
  await world.settle()
  const [first] = (await world.member.compute.get(`/servers/${id}/os-interface`)).body.interfaceAttachments
  assert.equal((await world.member.network.delete(`/ports/${first.port_id}`)).status, 204)
  await world.settle()
  assert.equal((await world.show(id)).addresses.net.length, 1)
  await world.act(id, { reboot: { type: 'HARD' } })
  await world.settle()
  assert.equal((await world.show(id)).status, 'ACTIVE')
  assert.deepEqual(world.hosts[0]!.hypervisor.guests.get(id)!.guest.nics.length, 1)
})

test('a port that is deleted while the server is built is not waited for', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server({ networks: [{ uuid: world.network }, { uuid: world.network }] })
  await world.cloud.runner.settle()
  const [first] = (await world.member.compute.get(`/servers/${id}/os-interface`)).body.interfaceAttachments
  assert.equal((await world.member.network.delete(`/ports/${first.port_id}`)).status, 204)
  await world.settle()
  const server = await world.show(id)
  assert.deepEqual([server.status, server.addresses.net.length], ['ACTIVE', 1])
})

test('security groups are found as old clients find them, added and removed', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const { compute, network } = world.member
  const group = (await network.post('/security-groups', { security_group: { name: 'sg1' } })).body.security_group
  const rule = { security_group_id: group.id, direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22 }
  await network.post('/security-group-rules', { security_group_rule: rule })
  const groups = (await compute.get('/os-security-groups')).body.security_groups
  assert.deepEqual(
    groups.map((one: { name: string }) => one.name),
    ['default', 'sg1'],
  )
  const shown = (await compute.get(`/os-security-groups/${group.id}`)).body.security_group
  assert.deepEqual([shown.rules[0].from_port, shown.rules[0].ip_range], [22, { cidr: '0.0.0.0/0' }])
  assert.equal((await compute.get('/os-security-groups', { version: '2.36' })).status, 404)
  assert.equal((await world.stranger.compute.get(`/os-security-groups/${group.id}`)).status, 404)
  assert.equal(await world.act(id, { addSecurityGroup: { name: 'sg1' } }), 202)
  const names = async () => (await world.show(id)).security_groups.map((one: { name: string }) => one.name).sort()
  assert.deepEqual(await names(), ['default', 'sg1'])
  assert.equal((await compute.get(`/servers/${id}/os-security-groups`)).body.security_groups.length, 2)
  assert.equal(await world.act(id, { removeSecurityGroup: { name: group.id } }), 202)
  assert.deepEqual(await names(), ['default'])
  assert.equal(await world.act(id, { addSecurityGroup: { name: 'none' } }), 404)
})

test('the console shows its last lines', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const ask = async (body: object | null) =>
    (await world.member.compute.post(`/servers/${id}/action`, { 'os-getConsoleOutput': body })).body
  assert.equal((await ask({})).output, 'sim: boot 1 of web\nREADY\n')
  for (const [length, output] of [
    [1, ''],
    [2, 'READY\n'],
    [0, ''],
  ] as const)
    assert.equal((await ask({ length })).output, output)
  assert.equal((await ask({ length: '-2' })).badRequest.code, 400)
  assert.equal(await world.act(id, { 'os-getConsoleOutput': {} }, world.reader), 403)
})

test('what was asked of a server is told, with the event to whom it may be told', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const path = `/servers/${id}/os-instance-actions`
  const [{ request_id }] = (await world.member.compute.get(path)).body.instanceActions
  const show = async (version: string, client = world.member) =>
    (await client.compute.get(`${path}/${request_id}`, { version })).body.instanceAction
  assert.equal((await show('2.50')).events, undefined)
  const [event] = (await show('2.62')).events
  assert.deepEqual([event.event, event.result, event.traceback], ['compute__do_build_and_run_instance', 'Success', undefined])
  assert.ok(event.hostId && !event.host)
  const [whole] = (await show('2.84', world.admin)).events
  assert.deepEqual([whole.host, whole.traceback, whole.details], ['host-1', null, null])
  await world.member.compute.delete(`/servers/${id}`)
  await world.settle()
  assert.equal((await world.member.compute.get(path, { version: '2.20' })).status, 404)
  const actions = (await world.member.compute.get(path, { version: '2.96' })).body.instanceActions
  assert.deepEqual(
    actions.map((one: { action: string }) => one.action),
    ['delete', 'create'],
  )
  assert.equal((await world.member.compute.get(`${path}/req-none`)).status, 404)
})

test('a guest reads its own metadata, in the forms of OpenStack and of EC2', async (t) => {
  const world = await serverWorld(t)
  await world.member.compute.post('/os-keypairs', { keypair: { name: 'k1', public_key: publicKey } })
  const data = Buffer.from([0x1f, 0x8b, 0xff]).toString('base64')
  const { id } = await world.server({ key_name: 'k1', user_data: data, metadata: { role: 'web' }, config_drive: true })
  await world.settle()
  const get = (path: string, method = 'GET') => world.cloud.contracts.compute.metadata({ server: id, path, method })
  assert.match((await get('/openstack')).body, /^2012-08-10\n[\s\S]*\nlatest$/)
  const json = await get('/openstack/latest/meta_data.json')
  assert.equal(json.contentType, 'application/json')
  const meta = JSON.parse(json.body)
  assert.deepEqual([meta.uuid, meta.hostname, meta.meta, meta.keys[0].data], [id, 'web', { role: 'web' }, publicKey])
  const network = JSON.parse((await get('/openstack/latest/network_data.json')).body)
  assert.equal(network.networks[0].type, 'ipv4_dhcp')
  assert.deepEqual(await get('/openstack/latest/user_data'), {
    status: 200,
    contentType: 'text/plain; charset=UTF-8',
    body: data,
    encoding: 'base64',
  })
  assert.equal((await get('/openstack/2012-08-10/network_data.json')).status, 404)
  assert.equal((await get('/latest/meta-data/public-keys/')).body, '0=k1')
  assert.equal((await get('/latest/meta-data/public-keys/0/openssh-key')).body, publicKey)
  assert.equal((await get('/2009-04-04/meta-data/instance-type')).body, 'small')
  assert.equal((await get('/1.0/meta-data/instance-type')).status, 404)
  assert.match((await get('/latest/meta-data/instance-id')).body, /^i-[0-9a-f]{8}$/)
  assert.match((await get('/latest/meta-data/')).body, /^ami-id\n[\s\S]*placement\/\n/)
  for (const path of ['/latest/../x', '/nonsense', '/latest/meta-data/constructor', '/latest/meta-data/hostname/x'])
    assert.equal((await get(path)).status, 404, path)
  assert.equal((await get('/latest/meta-data/', 'POST')).status, 405)
  const drive = world.hosts[0]!.hypervisor.guests.get(id)!.guest.configDrive!
  const file = (path: string) => Buffer.from(drive[path]!, 'base64').toString()
  assert.equal(JSON.parse(file('openstack/latest/meta_data.json')).uuid, id)
  assert.equal(drive['openstack/latest/user_data'], data)
})
