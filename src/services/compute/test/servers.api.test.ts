import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simEvent } from '../../../drivers/hypervisor/sim/host.ts'
import { minute } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

test('a server is built, shown whole, and deleted without a trace', async (t) => {
  const world = await serverWorld(t)
  const { member, admin } = world
  const made = await world.server({ name: 'Web 1', metadata: { role: 'web' }, config_drive: true })
  assert.deepEqual(Object.keys(made).sort(), ['OS-DCF:diskConfig', 'adminPass', 'id', 'links', 'security_groups'])
  const building = await world.show(made.id)
  assert.deepEqual([building.status, building['OS-EXT-STS:task_state'], building.hostId], ['BUILD', 'scheduling', ''])
  await world.settle()
  const server = await world.show(made.id)
  assert.deepEqual(
    [server.status, server['OS-EXT-STS:vm_state'], server['OS-EXT-STS:task_state'], server['OS-EXT-STS:power_state']],
    ['ACTIVE', 'active', null, 1],
  )
  assert.equal(server['OS-EXT-SRV-ATTR:hostname'], 'web-1')
  assert.equal(server['OS-EXT-SRV-ATTR:host'], undefined)
  assert.equal(server['OS-EXT-AZ:availability_zone'], 'nova')
  assert.equal(server.config_drive, 'True')
  assert.deepEqual(server.metadata, { role: 'web' })
  assert.deepEqual(server.security_groups, [{ name: 'default' }])
  assert.equal(server.addresses.net[0].version, 4)
  assert.equal(server.addresses.net[0]['OS-EXT-IPS:type'], 'fixed')
  assert.match(server['OS-SRV-USG:launched_at'], /^2026-01-01T.*\.\d{6}$/)
  const seen = await world.show(made.id, admin)
  assert.equal(seen['OS-EXT-SRV-ATTR:host'], 'host-1')
  assert.equal(seen['OS-EXT-SRV-ATTR:instance_name'], 'instance-00000001')
  assert.equal(seen.host_status, 'UP')
  assert.equal(world.hosts[0]!.hypervisor.guests.get(made.id)?.state, 'on')
  assert.equal((await member.compute.delete(`/servers/${made.id}`)).status, 204)
  assert.equal((await world.show(made.id))['OS-EXT-STS:task_state'], 'deleting')
  await world.settle()
  assert.equal((await member.compute.get(`/servers/${made.id}`)).status, 404)
  assert.equal(world.hosts[0]!.hypervisor.guests.size, 0)
  assert.deepEqual(
    (await member.network.get('/ports')).body.ports.filter((port: { device_id: string }) => port.device_id === made.id),
    [],
  )
  assert.deepEqual(await world.cloud.contracts.placement.allocationsOf({ consumer: made.id }), [])
  const deleted = await admin.compute.get('/servers/detail?all_tenants=1&deleted=1')
  assert.deepEqual(
    deleted.body.servers.map((one: { status: string }) => one.status),
    ['DELETED'],
  )
})

test('each power action shows its task, and then where it led', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const walk: [object, string, string][] = [
    [{ pause: null }, 'pausing', 'PAUSED'],
    [{ unpause: null }, 'unpausing', 'ACTIVE'],
    [{ suspend: null }, 'suspending', 'SUSPENDED'],
    [{ resume: null }, 'resuming', 'ACTIVE'],
    [{ reboot: { type: 'SOFT' } }, 'rebooting', 'ACTIVE'],
    [{ reboot: { type: 'HARD' } }, 'rebooting_hard', 'ACTIVE'],
    [{ 'os-stop': null }, 'powering-off', 'SHUTOFF'],
    [{ 'os-start': null }, 'powering-on', 'ACTIVE'],
    [{ 'os-stop': null }, 'powering-off', 'SHUTOFF'],
    [{ reboot: { type: 'hard' } }, 'rebooting_hard', 'ACTIVE'],
  ]
  for (const [action, task, status] of walk) {
    assert.equal(await world.act(id, action), 202, JSON.stringify(action))
    assert.equal((await world.show(id))['OS-EXT-STS:task_state'], task)
    await world.settle()
    const server = await world.show(id)
    assert.deepEqual([server.status, server['OS-EXT-STS:task_state']], [status, null], JSON.stringify(action))
  }
  assert.equal(world.hosts[0]!.hypervisor.guests.get(id)?.state, 'on')
  const actions = (await world.member.compute.get(`/servers/${id}/os-instance-actions`)).body.instanceActions
  assert.deepEqual(
    actions.map((one: { action: string }) => one.action),
    ['reboot', 'stop', 'start', 'stop', 'reboot', 'reboot', 'resume', 'suspend', 'unpause', 'pause', 'create'],
  )
})

test('an action that the state does not allow is a conflict, and so is one on a locked server', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  const post = (action: object, client = world.member) => client.compute.post(`/servers/${id}/action`, action)
  assert.equal((await post({ 'os-stop': null })).status, 409)
  await world.settle()
  await post({ 'os-stop': null })
  await world.settle()
  const refused = await post({ pause: null })
  assert.deepEqual(refused.body, {
    conflictingRequest: { code: 409, message: `Cannot 'pause' instance ${id} while it is in vm_state stopped` },
  })
  await post({ lock: null })
  assert.equal((await post({ 'os-start': null })).body.conflictingRequest.message, `Instance ${id} is locked`)
  assert.equal((await world.member.compute.delete(`/servers/${id}`)).status, 409)
  assert.equal((await post({ 'os-start': null }, world.admin)).status, 202)
  assert.equal((await post({ unlock: null })).status, 202)
  assert.equal((await post({ fly: null })).body.badRequest.message, 'There is no such action: fly')
  await world.settle()
  assert.equal(await world.act(id, { lock: { locked_reason: 'mine' } }), 202)
  assert.equal((await world.show(id)).locked_reason, 'mine')
  assert.equal(await world.act(id, { lock: null }, world.admin), 202)
  assert.equal(await world.act(id, { unlock: null }), 403)
})

test('who may do what: readers look, members act, strangers see nothing', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const statuses = async (client: typeof world.member) => [
    (await client.compute.get(`/servers/${id}`)).status,
    (await client.compute.put(`/servers/${id}`, { server: { name: 'n' } })).status,
    await world.act(id, { 'os-resetState': { state: 'error' } }, client),
    await world.act(id, { reboot: { type: 'HARD' } }, client),
    (await client.compute.delete(`/servers/${id}`)).status,
  ]
  assert.deepEqual(await statuses(world.stranger), [404, 404, 404, 404, 404])
  assert.deepEqual(await statuses(world.service), [404, 404, 404, 404, 404])
  assert.deepEqual(await statuses(world.reader), [200, 403, 403, 403, 403])
  assert.deepEqual(await statuses(world.member), [200, 200, 403, 202, 204])
  assert.equal((await world.reader.compute.post('/servers', { server: { name: 'x', flavorRef: 'small' } })).status, 403)
  assert.equal((await world.member.compute.get('/servers?all_tenants=1')).status, 403)
  assert.equal((await world.admin.compute.get('/servers?all_tenants=1')).body.servers.length, 1)
  assert.deepEqual((await world.stranger.compute.get('/servers/detail')).body, { servers: [] })
})

test('without room anywhere the server is in error, and the history names each host and why', async (t) => {
  const world = await serverWorld(t, { hosts: [] })
  await world.addHost('tiny', { memoryMb: 600 })
  await world.addHost('other')
  await world.admin.compute.post('/os-aggregates', { aggregate: { name: 'far', availability_zone: 'far' } })
  await world.admin.compute.post('/os-aggregates/1/action', { add_host: { host: 'other' } })
  const { id } = await world.server({ availability_zone: 'nova' })
  await world.settle()
  const server = await world.show(id, world.admin)
  assert.equal(server.status, 'ERROR')
  assert.equal(server.fault.code, 500)
  assert.match(server.fault.message, /^No valid host was found\. /)
  assert.ok(server.fault.details)
  assert.equal((await world.show(id)).fault.details, undefined)
  const rows = await world.cloud.work.history(id)
  const detail = JSON.parse(rows.find((row) => row.detail !== '')!.detail)
  assert.match(detail.tiny, /MEMORY_MB|memory/i)
  assert.match(detail.other, /AvailabilityZoneFilter/)
  assert.deepEqual(
    (await world.member.network.get('/ports')).body.ports.filter((port: { device_id: string }) => port.device_id === id),
    [],
  )
  assert.equal(await world.act(id, { reboot: { type: 'HARD' } }), 409)
  assert.equal((await world.member.compute.delete(`/servers/${id}`)).status, 204)
  await world.settle()
  assert.equal((await world.member.compute.get(`/servers/${id}`)).status, 404)
})

test('a host that cannot boot it gives way to another one', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  world.hosts[0]!.hypervisor.faults.bootFails = 'broken'
  const servers = [await world.server(), await world.server()]
  for (let n = 0; n < 8; n++) {
    await world.settle()
    world.clock.advance(minute / 2)
  }
  for (const server of servers) {
    const shown = await world.show(server.id, world.admin)
    assert.deepEqual([shown.status, shown['OS-EXT-SRV-ATTR:host']], ['ACTIVE', 'host-2'])
  }
  assert.equal(world.hosts[0]!.hypervisor.guests.size, 0)
})

test('when the last host fails to boot it the server is in error, and nothing is kept', async (t) => {
  const world = await serverWorld(t)
  world.hosts[0]!.hypervisor.faults.bootFails = 'broken'
  const { id } = await world.server()
  for (let n = 0; n < 8; n++) {
    await world.settle()
    world.clock.advance(minute / 2)
  }
  const server = await world.show(id)
  assert.equal(server.status, 'ERROR')
  assert.match(server.fault.message, /^Exceeded maximum number of retries\./)
  assert.equal(world.hosts[0]!.hypervisor.guests.size, 0)
  assert.deepEqual(await world.cloud.contracts.placement.allocationsOf({ consumer: id }), [])
})

test('a guest that powers itself off stays off; one that dies is started again', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  simEvent(world.hosts[0]!.hypervisor, id, 'powers itself off')
  await world.settle()
  let server = await world.show(id)
  assert.deepEqual([server.status, server['OS-EXT-STS:power_state']], ['SHUTOFF', 4])
  assert.equal(await world.act(id, { 'os-start': null }), 202)
  await world.settle()
  simEvent(world.hosts[0]!.hypervisor, id, 'dies')
  for (let n = 0; n < 3; n++) {
    await world.settle()
    world.clock.advance(minute / 2)
  }
  server = await world.show(id)
  assert.deepEqual([server.status, server['OS-EXT-STS:power_state']], ['ACTIVE', 1])
})

test('a host that is down keeps its servers’ state, and does not stand in the way of deleting them', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const host = world.hosts[0]!
  world.clock.advance(2 * minute)
  assert.equal((await world.show(id, world.admin)).host_status, 'UNKNOWN')
  assert.equal((await world.show(id)).status, 'ACTIVE')
  assert.equal((await world.admin.compute.get('/os-services?binary=nova-compute')).body.services[0].state, 'down')
  assert.equal((await world.member.compute.delete(`/servers/${id}`)).status, 204)
  await world.cloud.runner.settle()
  world.clock.advance(minute)
  await world.cloud.runner.settle()
  assert.equal((await world.member.compute.get(`/servers/${id}`)).status, 404)
  assert.equal(host.hypervisor.guests.size, 1)
  await world.settle()
  assert.equal(host.hypervisor.guests.size, 0)
})

test('many servers at once get numbered names, distinct hosts’ rooms, and all become active', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2', 'host-3'] })
  const quota = { quota_set: { instances: 200, cores: 400, ram: 500_000 } }
  await world.admin.compute.put(`/os-quota-sets/${world.member.caller.projectId}`, quota)
  const started = performance.now()
  await world.server({ min_count: 100, max_count: 100 })
  await world.settle()
  const took = performance.now() - started
  const { servers } = (await world.member.compute.get('/servers/detail')).body
  assert.equal(servers.length, 100)
  assert.ok(servers.every((server: { status: string }) => server.status === 'ACTIVE'))
  assert.deepEqual(new Set(servers.map((server: { name: string }) => server.name)).size, 100)
  t.diagnostic(`100 servers in ${Math.round(took)} ms`)
})

test('the quota is exact, and a request for some gets as many as fit', async (t) => {
  const world = await serverWorld(t)
  const post = (more: object) =>
    world.member.compute.post('/servers', {
      server: { name: 'q', flavorRef: 'small', imageRef: world.image, networks: [{ uuid: world.network }], ...more },
    })
  const many = await Promise.all(Array.from({ length: 12 }, () => post({})))
  assert.equal(many.filter((answer) => answer.status === 202).length, 10)
  const refused = many.find((answer) => answer.status === 403)!
  assert.equal(refused.body.forbidden.message, 'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances')
  const limits = (await world.member.compute.get('/limits')).body.limits.absolute
  assert.deepEqual([limits.totalInstancesUsed, limits.totalCoresUsed, limits.totalRAMUsed], [10, 10, 5120])
  const [first, second] = (await world.member.compute.get('/servers')).body.servers
  for (const { id } of [first, second]) await world.member.compute.delete(`/servers/${id}`)
  await world.settle()
  assert.equal((await post({ min_count: 1, max_count: 5 })).status, 202)
  assert.equal((await world.member.compute.get('/servers')).body.servers.length, 10)
  assert.equal((await post({ min_count: 2, max_count: 1 })).status, 400)
})
