import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Client, type Json, type TestCloud, type TestCloudOptions, testCloud } from '../../../../test/cloud.ts'

export type ServerWorld = TestCloud & {
  image: string
  network: string
  /** Asks for a server; gives the answer's body or fails. */
  server(more?: object, client?: Client): Promise<Json>
  show(id: string, client?: Client, version?: string): Promise<Json>
  act(id: string, action: object, client?: Client, version?: string): Promise<number>
}

/** A life takes five times as long over PostgreSQL: every third place is tried there, all of them over SQLite. */
export const crashStride = (): number => (process.env['ALTOSTACK_TEST_DATABASE'] ? 3 : 1)

/** A cloud with a flavor `small`, an image, and a network of the member's project. */
export async function serverWorld(t: TestContext | undefined, options: TestCloudOptions = {}): Promise<ServerWorld> {
  const cloud = await testCloud(t, options)
  const { admin, member } = cloud
  const flavor = await admin.compute.post('/flavors', {
    flavor: { id: 'small', name: 'small', ram: 512, vcpus: 1, disk: 1 },
  })
  assert.equal(flavor.status, 200)
  const image = await imageOf(cloud)
  const net = (await member.network.post('/networks', { network: { name: 'net' } })).body.network
  const subnet = { network_id: net.id, ip_version: 4, cidr: '10.1.0.0/16' }
  assert.equal((await member.network.post('/subnets', { subnet })).status, 201)
  return {
    ...cloud,
    get hosts() {
      return cloud.hosts
    },
    image,
    network: net.id,
    async server(more = {}, client = member) {
      const body = {
        server: { name: 'web', flavorRef: 'small', imageRef: image, networks: [{ uuid: net.id }], ...more },
      }
      const made = await client.compute.post('/servers', body, { version: '2.90' })
      assert.equal(made.status, 202, JSON.stringify(made.body))
      return made.body.server
    },
    async show(id, client = member, version = '2.96') {
      const shown = await client.compute.get(`/servers/${id}`, { version })
      assert.equal(shown.status, 200, JSON.stringify(shown.body))
      return shown.body.server
    },
    act: async (id, action, client = member, version = '2.96') =>
      (await client.compute.post(`/servers/${id}/action`, action, { version })).status,
  }
}

async function imageOf(cloud: TestCloud): Promise<string> {
  const raw = { name: 'mini', disk_format: 'raw', container_format: 'bare', visibility: 'public' }
  const { id } = (await cloud.admin.image.post('/images', raw)).body
  assert.equal((await cloud.admin.image.put(`/images/${id}/file`, new Uint8Array(4096).fill(7))).status, 204)
  return id
}
