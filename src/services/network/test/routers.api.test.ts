import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import { external, faultOf, inside, made, network, port, subnet } from './world.ts'

const router = (client: Client, values: Json = {}): Promise<Json> => made(client, '/routers', { router: values })

/** A router between the private network and the external one. */
async function joined(t: TestContext) {
  const all = await inside(t)
  const outside = await external(all.cloud)
  const { member } = all.cloud
  const made = await router(member, { name: 'r', external_gateway_info: { network_id: outside.id } })
  const add = (body: Json) => member.network.put(`/routers/${made.id}/add_router_interface`, body)
  const remove = (body: Json) => member.network.put(`/routers/${made.id}/remove_router_interface`, body)
  assert.equal((await add({ subnet_id: all.sub.id })).status, 200)
  const fip = (values: Json = {}) =>
    member.network.post('/floatingips', { floatingip: { floating_network_id: outside.id, ...values } })
  return { ...all, member, outside, router: made, add, remove, fip }
}

test('a router is born with everything the API shows; its gateway port is nobody’s', async (t) => {
  const { cloud } = await inside(t)
  const outside = await external(cloud)
  const { id, created_at, updated_at, external_gateway_info, revision_number, ...rest } = await router(cloud.member, {
    name: 'r',
    external_gateway_info: { network_id: outside.id },
  })
  assert.deepEqual(rest, {
    name: 'r',
    tenant_id: cloud.member.caller.projectId,
    admin_state_up: true,
    status: 'ACTIVE',
    availability_zone_hints: [],
    availability_zones: ['nova'],
    routes: [],
    description: '',
    tags: [],
    project_id: cloud.member.caller.projectId,
  })
  const { external_fixed_ips, ...gateway } = external_gateway_info
  assert.deepEqual(gateway, { network_id: outside.id, enable_snat: true })
  assert.equal(external_fixed_ips[0].ip_address, '172.24.4.2')
  assert.deepEqual((await cloud.member.network.get('/ports?device_owner=network:router_gateway')).body.ports, [])
  const [port] = (await cloud.admin.network.get('/ports?device_owner=network:router_gateway')).body.ports
  assert.deepEqual([port.project_id, port.device_id, port.port_security_enabled], ['', id, false])
  assert.deepEqual(faultOf(await cloud.admin.network.delete(`/ports/${port.id}`)), [409, 'ServicePortInUse'])
  const cleared = await cloud.member.network.put(`/routers/${id}`, { router: { external_gateway_info: {} } })
  assert.equal(cleared.body.router.external_gateway_info, null)
  assert.deepEqual((await cloud.admin.network.get('/ports?device_owner=network:router_gateway')).body.ports, [])
})

test('only administrators choose a gateway’s address or turn its translation off', async (t) => {
  const { cloud, net } = await inside(t)
  const outside = await external(cloud)
  const ask = (client: Client, more: Json) =>
    client.network.post('/routers', { router: { external_gateway_info: { network_id: outside.id, ...more } } })
  assert.deepEqual(faultOf(await ask(cloud.member, { enable_snat: false })), [403, 'PolicyNotAuthorized'])
  const fixed = { external_fixed_ips: [{ ip_address: '172.24.4.99' }] }
  assert.deepEqual(faultOf(await ask(cloud.member, fixed)), [403, 'PolicyNotAuthorized'])
  const chosen = (await ask(cloud.admin, { ...fixed, enable_snat: false })).body.router.external_gateway_info
  assert.deepEqual([chosen.external_fixed_ips[0].ip_address, chosen.enable_snat], ['172.24.4.99', false])
  const inner = { external_gateway_info: { network_id: net.id } }
  assert.deepEqual(faultOf(await cloud.member.network.post('/routers', { router: inner })), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await cloud.stranger.network.post('/routers', { router: inner })), [404, 'NetworkNotFound'])
})

test('interfaces come by subnet or by port, once, and do not overlap', async (t) => {
  const { member, cloud, net, sub, router: own, add, remove } = await joined(t)
  const [face] = (await member.network.get(`/ports?device_id=${own.id}`)).body.ports
  assert.deepEqual(
    [face.device_owner, face.fixed_ips],
    ['network:router_interface', [{ subnet_id: sub.id, ip_address: '10.0.0.1' }]],
  )
  assert.deepEqual(faultOf(await add({ subnet_id: sub.id })), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await add({})), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await add({ subnet_id: sub.id, port_id: face.id })), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await add({ subnet_id: net.id })), [404, 'SubnetNotFound'])
  const other = await network(member)
  const twin = await subnet(member, other.id, '10.0.0.0/25')
  assert.deepEqual(faultOf(await add({ subnet_id: twin.id })), [400, 'BadRequest'])
  const third = await network(member)
  const far = await subnet(member, third.id, '10.3.0.0/24')
  const brought = await port(member, third.id)
  const answer = await add({ port_id: brought.id })
  assert.deepEqual(answer.body, {
    id: own.id,
    tenant_id: member.caller.projectId,
    project_id: member.caller.projectId,
    port_id: brought.id,
    network_id: third.id,
    subnet_id: far.id,
    subnet_ids: [far.id],
  })
  assert.deepEqual(faultOf(await add({ port_id: brought.id })), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await member.network.delete(`/ports/${brought.id}`)), [409, 'ServicePortInUse'])
  assert.deepEqual(faultOf(await member.network.delete(`/routers/${own.id}`)), [409, 'RouterInUse'])
  assert.deepEqual(faultOf(await member.network.delete(`/subnets/${sub.id}`)), [409, 'SubnetInUse'])
  assert.deepEqual(faultOf(await remove({ subnet_id: twin.id })), [404, 'RouterInterfaceNotFoundForSubnet'])
  assert.deepEqual(faultOf(await remove({ port_id: face.id, subnet_id: far.id })), [400, 'SubnetMismatchForPort'])
  assert.equal((await remove({ port_id: brought.id })).status, 200)
  assert.equal((await remove({ subnet_id: sub.id })).status, 200)
  assert.equal((await member.network.delete(`/routers/${own.id}`)).status, 204)
  assert.deepEqual((await cloud.admin.network.get('/ports?device_owner=network:router_gateway')).body.ports, [])
})

test('the same subnet is not joined twice by two who ask at once', async (t) => {
  const { cloud, sub } = await inside(t)
  const own = await router(cloud.member)
  const answers = await Promise.all(
    [1, 2, 3].map(() => cloud.member.network.put(`/routers/${own.id}/add_router_interface`, { subnet_id: sub.id })),
  )
  assert.deepEqual(answers.map((one) => one.status).toSorted(), [200, 400, 400])
})

test('nobody puts a router on what is another’s', async (t) => {
  const { cloud, sub, net } = await inside(t)
  const { admin, stranger } = cloud
  const own = await router(stranger)
  const add = (body: Json) => stranger.network.put(`/routers/${own.id}/add_router_interface`, body)
  assert.deepEqual(faultOf(await add({ subnet_id: sub.id })), [404, 'SubnetNotFound'])
  const theirs = await port(cloud.member, net.id)
  assert.deepEqual(faultOf(await add({ port_id: theirs.id })), [404, 'PortNotFound'])
  const shared = await network(admin, { shared: true })
  const common = await subnet(admin, shared.id, '10.9.0.0/24')
  assert.equal((await add({ subnet_id: common.id })).status, 403)
  assert.equal((await add({ port_id: (await port(stranger, shared.id)).id })).status, 200)
  const others = await cloud.member.network.put(`/routers/${own.id}/add_router_interface`, { subnet_id: sub.id })
  assert.deepEqual(faultOf(others), [404, 'RouterNotFound'])
})

test('routes lead to what the router is on, and are added and removed as a set', async (t) => {
  const { member, sub, router: own, remove } = await joined(t)
  const put = (routes: Json) => member.network.put(`/routers/${own.id}`, { router: { routes } })
  const route = (destination: string, nexthop = '10.0.0.9') => ({ destination, nexthop })
  assert.deepEqual((await put([route('192.0.2.0/24')])).body.router.routes, [route('192.0.2.0/24')])
  assert.deepEqual(faultOf(await put([route('192.0.2.0/24', '10.7.0.9')])), [400, 'InvalidRoutes'])
  assert.deepEqual(faultOf(await put([route('192.0.2.0/24', '10.0.0.1')])), [400, 'InvalidRoutes'])
  const extra = (verb: string, ...routes: Json[]) =>
    member.network.put(`/routers/${own.id}/${verb}_extraroutes`, { router: { routes } })
  const more = await extra('add', route('198.51.100.0/24'))
  assert.deepEqual(more.body.router.routes, [route('192.0.2.0/24'), route('198.51.100.0/24')])
  assert.deepEqual((await extra('remove', route('192.0.2.0/24'))).body.router.routes, [route('198.51.100.0/24')])
  assert.deepEqual(faultOf(await remove({ subnet_id: sub.id })), [409, 'RouterInterfaceInUseByRoute'])
  const many = Array.from({ length: 31 }, (_, at) => route(`192.0.${at}.0/24`))
  assert.deepEqual(faultOf(await put(many)), [400, 'RoutesExhausted'])
})

test('a floating IP leads through the router to a port, and is let go with it', async (t) => {
  const { member, cloud, net, sub, router: own, remove, fip, outside } = await joined(t)
  const guest = await port(member, net.id)
  const answer = await fip({ port_id: guest.id, description: 'd' })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  const { id, created_at, updated_at, revision_number, port_details, ...rest } = answer.body.floatingip
  assert.deepEqual(rest, {
    tenant_id: member.caller.projectId,
    floating_ip_address: '172.24.4.3',
    floating_network_id: outside.id,
    router_id: own.id,
    port_id: guest.id,
    fixed_ip_address: '10.0.0.3',
    status: 'DOWN',
    description: 'd',
    tags: [],
    project_id: member.caller.projectId,
  })
  assert.equal(port_details.mac_address, guest.mac_address)
  assert.deepEqual(faultOf(await fip({ port_id: guest.id })), [409, 'FloatingIPPortAlreadyAssociated'])
  assert.deepEqual(faultOf(await remove({ subnet_id: sub.id })), [409, 'RouterInterfaceInUseByFloatingIP'])
  const clear = await member.network.put(`/routers/${own.id}`, { router: { external_gateway_info: null } })
  assert.deepEqual(faultOf(clear), [409, 'RouterExternalGatewayInUseByFloatingIp'])
  assert.equal((await cloud.stranger.network.get(`/floatingips/${id}`)).status, 404)
  const put = (values: Json) => member.network.put(`/floatingips/${id}`, { floatingip: values })
  assert.equal((await put({ description: 'x' })).body.floatingip.port_id, guest.id)
  assert.equal((await put({ port_id: null })).body.floatingip.router_id, null)
  assert.equal((await put({ port_id: guest.id })).body.floatingip.fixed_ip_address, '10.0.0.3')
  assert.equal((await member.network.delete(`/ports/${guest.id}`)).status, 204)
  assert.equal((await member.network.get(`/floatingips/${id}`)).body.floatingip.port_id, null)
  const [kept] = (await cloud.admin.network.get('/ports?device_owner=network:floatingip')).body.ports
  assert.deepEqual([kept.device_id, kept.status, kept.project_id], [id, 'N/A', ''])
  assert.equal((await member.network.delete(`/floatingips/${id}`)).status, 204)
  assert.deepEqual((await cloud.admin.network.get('/ports?device_owner=network:floatingip')).body.ports, [])
})

test('a floating IP that cannot be is refused by name', async (t) => {
  const { member, cloud, net, fip } = await joined(t)
  assert.deepEqual(faultOf(await fip({ floating_network_id: net.id })), [400, 'BadRequest'])
  assert.deepEqual(faultOf(await fip({ floating_ip_address: '172.24.4.50' })), [403, 'PolicyNotAuthorized'])
  assert.deepEqual(faultOf(await fip({ port_id: net.id })), [404, 'PortNotFound'])
  const lone = await network(member)
  await subnet(member, lone.id, '10.5.0.0/24')
  assert.deepEqual(faultOf(await fip({ port_id: (await port(member, lone.id)).id })), [
    404,
    'ExternalGatewayForFloatingIPNotFound',
  ])
  const two = await port(member, net.id, { fixed_ips: [{ ip_address: '10.0.0.60' }, { ip_address: '10.0.0.61' }] })
  assert.deepEqual(faultOf(await fip({ port_id: two.id })), [400, 'BadRequest'])
  assert.equal((await fip({ port_id: two.id, fixed_ip_address: '10.0.0.61' })).body.floatingip.fixed_ip_address, '10.0.0.61')
  assert.deepEqual(faultOf(await fip({ port_id: two.id, fixed_ip_address: '10.0.0.99' })), [400, 'BadRequest'])
  const theirs = await network(cloud.stranger)
  await subnet(cloud.stranger, theirs.id, '10.6.0.0/24')
  assert.deepEqual(faultOf(await fip({ port_id: (await port(cloud.stranger, theirs.id)).id })), [404, 'PortNotFound'])
  const all = (await member.network.get('/floatingips')).body.floatingips
  assert.equal(all.length, 1)
})
