import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

test('hypervisors are named by number until 2.52 and by uuid since, with what each version tells of them', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  const { id } = await world.server()
  await world.settle()
  const get = async (path: string, version: string) => (await world.admin.compute.get(path, { version })).body
  const old = (await get('/os-hypervisors/detail', '2.1')).hypervisors
  assert.deepEqual([old[0].id, old[0].vcpus, typeof old[0].cpu_info], [1, 16, 'string'])
  assert.equal(old[0].running_vms + old[1].running_vms, 1)
  const [first] = (await get('/os-hypervisors', '2.53')).hypervisors
  assert.deepEqual(Object.keys(first), ['id', 'hypervisor_hostname', 'state', 'status'])
  const shown = (await get(`/os-hypervisors/${first.id}`, '2.88')).hypervisor
  assert.equal('vcpus' in shown, false)
  assert.match(shown.uptime, /up .* 0 users/)
  assert.deepEqual(shown.service.host, 'host-1')
  const withServers = (await get('/os-hypervisors?with_servers=true', '2.75')).hypervisors
  assert.deepEqual(
    withServers.flatMap((one: { servers: { uuid: string }[] }) => one.servers.map((server) => server.uuid)),
    [id],
  )
  assert.equal((await get('/os-hypervisors?hypervisor_hostname_pattern=host-2', '2.53')).hypervisors.length, 1)
  assert.equal((await world.admin.compute.get('/os-hypervisors?hypervisor_hostname_pattern=x', { version: '2.53' })).status, 404)
  assert.equal((await world.admin.compute.get('/os-hypervisors/1', { version: '2.53' })).status, 400)
  assert.equal((await world.admin.compute.get('/os-hypervisors/99')).status, 404)
  assert.equal((await get('/os-hypervisors/statistics', '2.87')).hypervisor_statistics.count, 2)
  assert.equal((await world.admin.compute.get('/os-hypervisors/statistics', { version: '2.88' })).status, 404)
  assert.match((await get('/os-hypervisors?limit=1', '2.53')).hypervisors_links[0].href, /marker=/)
  assert.equal((await get('/os-hypervisors/host/search', '2.52')).hypervisors.length, 2)
  assert.equal((await world.member.compute.get('/os-hypervisors')).status, 403)
})

test('services are up while they are heard, and a disabled one takes no servers', async (t) => {
  const world = await serverWorld(t)
  const list = async (version = '2.53') => (await world.admin.compute.get('/os-services', { version })).body.services
  const compute = (await list()).find((one: { binary: string }) => one.binary === 'nova-compute')
  assert.deepEqual(
    [compute.host, compute.zone, compute.status, compute.state, compute.forced_down],
    ['host-1', 'nova', 'enabled', 'up', false],
  )
  assert.deepEqual(
    (await list()).slice(0, 2).map((one: { binary: string; zone: string }) => [one.binary, one.zone]),
    [
      ['nova-scheduler', 'internal'],
      ['nova-conductor', 'internal'],
    ],
  )
  const put = (body: object) => world.admin.compute.put(`/os-services/${compute.id}`, body, { version: '2.53' })
  assert.equal((await put({ status: 'disabled', disabled_reason: 'broken' })).body.service.disabled_reason, 'broken')
  assert.equal((await put({})).status, 400)
  assert.equal((await put({ status: 'enabled', disabled_reason: 'x' })).status, 400)
  const { id } = await world.server()
  await world.settle()
  assert.equal((await world.show(id)).status, 'ERROR')
  assert.equal((await put({ status: 'enabled' })).body.service.status, 'enabled')
  const old = (action: string, more: object = {}) =>
    world.admin.compute.put(`/os-services/${action}`, { host: 'host-1', binary: 'nova-compute', ...more }, { version: '2.11' })
  assert.deepEqual((await old('disable-log-reason', { disabled_reason: 'y' })).body.service.disabled_reason, 'y')
  assert.equal((await old('enable')).body.service.status, 'enabled')
  assert.equal((await old('force-down', { forced_down: true })).body.service.forced_down, true)
  assert.equal((await list()).at(-1).state, 'down')
  assert.equal((await old('fly')).status, 404)
  await old('force-down', { forced_down: false })
  world.clock.advance(2 * minute)
  assert.equal((await list()).at(-1).state, 'down')
  assert.equal((await world.member.compute.get('/os-services')).status, 403)
  const services = await world.cloud.contracts.compute.services()
  assert.deepEqual(
    services.map((one) => one.up),
    [true, true, false],
  )
})

test('a host that has servers is not forgotten; one without them is, and comes back when it is heard', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const at = { version: '2.53' }
  const service = (await world.admin.compute.get('/os-services', at)).body.services.at(-1)
  assert.equal((await world.admin.compute.delete(`/os-services/${service.id}`, at)).status, 409)
  await world.member.compute.delete(`/servers/${id}`)
  await world.settle()
  assert.equal((await world.admin.compute.delete(`/os-services/${service.id}`, at)).status, 204)
  assert.deepEqual((await world.admin.compute.get('/os-hypervisors')).body.hypervisors, [])
  await world.settle()
  assert.equal((await world.admin.compute.get('/os-hypervisors')).body.hypervisors.length, 1)
})

test('aggregates group hosts and make zones of them', async (t) => {
  const { admin, member, ...world } = await serverWorld(t, { hosts: ['host-1', 'host-2'] })
  const made = await admin.compute.post('/os-aggregates', { aggregate: { name: 'east', availability_zone: 'east' } })
  assert.deepEqual([made.status, made.body.aggregate.id, made.body.aggregate.availability_zone], [200, 1, 'east'])
  assert.equal((await admin.compute.post('/os-aggregates', { aggregate: { name: 'east' } })).status, 409)
  const act = (action: object, number = 1) => admin.compute.post(`/os-aggregates/${number}/action`, action)
  assert.deepEqual((await act({ add_host: { host: 'host-1' } })).body.aggregate.hosts, ['host-1'])
  assert.equal((await act({ add_host: { host: 'host-1' } })).status, 409)
  assert.equal((await act({ add_host: { host: 'none' } })).status, 404)
  await admin.compute.post('/os-aggregates', { aggregate: { name: 'west', availability_zone: 'west' } })
  assert.equal((await act({ add_host: { host: 'host-1' } }, 2)).status, 409)
  const zones = (await member.compute.get('/os-availability-zone')).body.availabilityZoneInfo
  assert.deepEqual(
    zones.map((zone: { zoneName: string }) => zone.zoneName),
    ['east', 'nova'],
  )
  const detail = (await admin.compute.get('/os-availability-zone/detail')).body.availabilityZoneInfo
  assert.equal(detail[1].hosts['host-1']['nova-compute'].available, true)
  assert.equal((await member.compute.get('/os-availability-zone/detail')).status, 403)
  const { id } = await world.server({ availability_zone: 'east' })
  await world.settle()
  const server = await world.show(id)
  assert.deepEqual([server['OS-EXT-AZ:availability_zone'], server.pinned_availability_zone], ['east', 'east'])
  assert.equal((await act({ remove_host: { host: 'host-1' } })).status, 409)
  assert.equal((await act({ set_metadata: { metadata: { ssd: 'true' } } })).body.aggregate.metadata.ssd, 'true')
  assert.equal((await act({ set_metadata: { metadata: { ssd: null } } })).body.aggregate.metadata.ssd, undefined)
  assert.equal((await admin.compute.delete('/os-aggregates/1')).status, 400)
  assert.equal((await admin.compute.delete('/os-aggregates/2')).status, 200)
  assert.equal((await admin.compute.get('/os-aggregates/2')).status, 404)
})

test('quotas are shown, set within reason, and go back to their defaults', async (t) => {
  const { admin, member, reader, stranger } = await testCloud(t)
  const project = member.caller.projectId
  const path = `/os-quota-sets/${project}`
  const get = async (version = '2.1') => (await member.compute.get(path, { version })).body.quota_set
  assert.deepEqual([(await get()).instances, (await get()).cores, (await get()).ram], [10, 20, 51_200])
  assert.equal('floating_ips' in (await get()), true)
  assert.equal('floating_ips' in (await get('2.36')), false)
  assert.equal('injected_files' in (await get('2.57')), false)
  assert.equal((await admin.compute.put(path, { quota_set: { instances: '7' } })).body.quota_set.instances, 7)
  assert.equal((await get()).instances, 7)
  assert.deepEqual((await admin.compute.get(`${path}/detail`)).body.quota_set.instances, { limit: 7, in_use: 0, reserved: 0 })
  assert.equal((await admin.compute.get(`${path}/defaults`)).body.quota_set.instances, 10)
  assert.equal((await admin.compute.put(path, { quota_set: { floating_ips: 1 } }, { version: '2.36' })).status, 400)
  assert.equal((await admin.compute.put(path, { quota_set: { instances: -2 } })).status, 400)
  assert.equal((await admin.compute.put(`/os-quota-sets/${'f'.repeat(32)}`, { quota_set: {} })).status, 400)
  assert.equal((await reader.compute.get(path)).status, 200)
  assert.equal((await stranger.compute.get(path)).status, 403)
  assert.equal((await member.compute.put(path, { quota_set: { instances: 99 } })).status, 403)
  assert.equal((await admin.compute.delete(path)).status, 202)
  assert.equal((await get()).instances, 10)
  const all = await admin.compute.put('/os-quota-class-sets/default', { quota_class_set: { instances: 3 } })
  assert.equal(all.body.quota_class_set.instances, 3)
  assert.equal((await get()).instances, 3)
  const absolute = (await member.compute.get('/limits')).body.limits.absolute
  assert.deepEqual([absolute.maxTotalInstances, absolute.maxImageMeta, absolute.totalFloatingIpsUsed], [3, 128, 0])
  assert.equal('maxImageMeta' in (await member.compute.get('/limits', { version: '2.39' })).body.limits.absolute, false)
  assert.equal((await member.compute.get(`/limits?tenant_id=${admin.caller.projectId}`)).status, 403)
})

test('the version documents say what is true, and what is gone answers so', async (t) => {
  const { withToken, member } = await testCloud(t)
  const anyone = withToken(undefined).compute
  const root = await anyone.get('///')
  assert.deepEqual([root.status, root.body.versions[0].version, root.body.versions[0].min_version], [200, '2.96', '2.1'])
  assert.equal((await anyone.get('//v2.1/')).body.version.id, 'v2.1')
  assert.equal((await anyone.get('//v2.1')).body.version.id, 'v2.1')
  const cells = await member.compute.get('/os-cells')
  assert.deepEqual([cells.status, cells.body.computeFault.code], [410, 410])
  assert.equal((await member.compute.get('/os-networks')).status, 404)
  assert.equal((await member.compute.post('/os-networks', {})).status, 410)
  assert.equal((await member.compute.get('/extensions')).status, 200)
  assert.equal((await member.compute.get('/flavors', { version: '2.97' })).status, 406)
  assert.deepEqual((await member.compute.get('/nonsense')).body.code, '404 Not Found')
})

test('use is counted by hours of the servers that lived in a period', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  world.clock.advance(120 * minute)
  await world.member.compute.delete(`/servers/${id}`)
  await world.settle()
  world.clock.advance(60 * minute)
  const path = `/os-simple-tenant-usage/${world.member.caller.projectId}`
  const usage = (await world.member.compute.get(path)).body.tenant_usage
  assert.ok(Math.abs(usage.total_hours - 2) < 0.1, String(usage.total_hours))
  assert.ok(Math.abs(usage.total_memory_mb_usage - 1024) < 40)
  assert.equal(usage.server_usages[0].state, 'terminated')
  const all = (await world.admin.compute.get('/os-simple-tenant-usage', { version: '2.40' })).body
  assert.equal(all.tenant_usages.length, 1)
  assert.equal((await world.member.compute.get('/os-simple-tenant-usage')).status, 403)
  assert.equal((await world.stranger.compute.get(path)).status, 403)
  assert.equal((await world.member.compute.get(`${path}?start=nonsense`)).status, 400)
})
