import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, type Json, type TestCloud, testCloud } from '../../../../test/cloud.ts'
import { external, made, network, subnet } from './world.ts'

async function boot(cloud: TestCloud, client: Client, networkId: string, image: string): Promise<Json> {
  const server = { name: 'web', flavorRef: 'small', imageRef: image, networks: [{ uuid: networkId }] }
  const answer = await client.compute.post('/servers', { server }, { version: '2.79' })
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  await cloud.settle()
  return (await client.compute.get(`/servers/${answer.body.server.id}`)).body.server
}

/** Two projects, each with a network of the same addresses, a router and a server. */
async function twoProjects(t: Parameters<typeof testCloud>[0]) {
  const cloud = await testCloud(t)
  const { admin, member, stranger } = cloud
  await admin.compute.post('/flavors', { flavor: { id: 'small', name: 'small', ram: 64, vcpus: 1, disk: 1 } })
  const image = (
    await admin.image.post('/images', { name: 'i', disk_format: 'raw', container_format: 'bare', visibility: 'public' })
  ).body.id
  assert.equal((await admin.image.put(`/images/${image}/file`, new Uint8Array(4096).fill(7))).status, 204)
  const outside = await external(cloud)
  const side = async (client: Client) => {
    const net = await network(client)
    const sub = await subnet(client, net.id, '10.0.0.0/24')
    const router = await made(client, '/routers', { router: { external_gateway_info: { network_id: outside.id } } })
    await client.network.put(`/routers/${router.id}/add_router_interface`, { subnet_id: sub.id })
    const server = await boot(cloud, client, net.id, image)
    const [port] = (await client.network.get(`/ports?device_id=${server.id}`)).body.ports
    return { client, net, router, server, port }
  }
  return { cloud, outside, mine: await side(member), theirs: await side(stranger) }
}

test('a server’s port is ACTIVE and bound, its floating IP is among its addresses, and with it all is let go', async (t) => {
  const { cloud, outside, mine } = await twoProjects(t)
  const { member } = cloud
  assert.deepEqual([mine.server.status, mine.port.status, mine.port.device_owner], ['ACTIVE', 'ACTIVE', 'compute:nova'])
  const fip = await made(member, '/floatingips', { floatingip: { floating_network_id: outside.id, port_id: mine.port.id } })
  await cloud.settle()
  assert.equal((await member.network.get(`/floatingips/${fip.id}`)).body.floatingip.status, 'ACTIVE')
  const shown = (await member.compute.get(`/servers/${mine.server.id}`)).body.server
  const addresses = Object.values<Json>(shown.addresses).flat()
  assert.deepEqual(
    addresses.map((one: Json) => [one.addr, one['OS-EXT-IPS:type']]),
    [
      [mine.port.fixed_ips[0].ip_address, 'fixed'],
      [fip.floating_ip_address, 'floating'],
    ],
  )
  assert.equal((await member.compute.delete(`/servers/${mine.server.id}`)).status, 204)
  await cloud.settle()
  assert.equal((await member.network.get(`/ports/${mine.port.id}`)).status, 404)
  const left = (await member.network.get(`/floatingips/${fip.id}`)).body.floatingip
  assert.deepEqual([left.port_id, left.status], [null, 'DOWN'])
  assert.deepEqual((await cloud.cloud.services.network.audit!()).problems, [])
})

test('OSSA-2013-033: of two guests with the same address each gets its own metadata, by network and by router', async (t) => {
  const { cloud, mine, theirs } = await twoProjects(t)
  const ip = mine.port.fixed_ips[0].ip_address
  assert.equal(theirs.port.fixed_ips[0].ip_address, ip)
  const ask = async (place: { networkId?: string; routerId?: string }) => {
    const request = {
      networkId: undefined,
      routerId: undefined,
      ...place,
      ip,
      method: 'GET',
      path: '/openstack/latest/meta_data.json',
    }
    const { status, body } = await cloud.cloud.desk.metadata(request)
    assert.equal(status, 200)
    return JSON.parse(body).uuid
  }
  for (const side of [mine, theirs]) {
    assert.equal(await ask({ networkId: side.net.id }), side.server.id)
    assert.equal(await ask({ routerId: side.router.id }), side.server.id)
  }
})

test('what a user writes into a server’s port moves neither the server nor its guard', async (t) => {
  const { cloud, mine, theirs } = await twoProjects(t)
  const put = (values: Json) => cloud.member.network.put(`/ports/${mine.port.id}`, { port: values })
  assert.equal((await put({ device_owner: 'network:odd' })).status, 409)
  assert.equal((await put({ device_owner: 'network:dhcp' })).status, 403)
  assert.equal((await put({ device_id: theirs.server.id })).status, 200)
  const owned = await cloud.cloud.contracts.network.portsOf({ owners: [mine.server.id, theirs.server.id] })
  assert.deepEqual(
    owned[mine.server.id]!.map((port) => port.id),
    [mine.port.id],
  )
  assert.deepEqual(
    owned[theirs.server.id]!.map((port) => port.id),
    [theirs.port.id],
  )
})
