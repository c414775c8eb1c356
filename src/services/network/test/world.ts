import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Answer, type Client, type Json, testCloud } from '../../../../test/cloud.ts'

/** Makes it, and fails unless it was made. */
export async function made(client: Client, path: string, body: Json): Promise<Json> {
  const answer = await client.network.post(path, body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return Object.values(answer.body)[0]
}

export const network = (client: Client, values: Json = {}): Promise<Json> => made(client, '/networks', { network: values })

export const subnet = (client: Client, networkId: string, cidr: string, values: Json = {}): Promise<Json> =>
  made(client, '/subnets', { subnet: { network_id: networkId, cidr, ip_version: cidr.includes(':') ? 6 : 4, ...values } })

export const port = (client: Client, networkId: string, values: Json = {}): Promise<Json> =>
  made(client, '/ports', { port: { network_id: networkId, ...values } })

/** The name of the fault, and its status. */
export const faultOf = ({ status, body }: Answer): [number, string] => [status, body.NeutronError?.type]

/** An external network `public` of the administrator's, with 172.24.4.0/24. */
export async function external(cloud: Awaited<ReturnType<typeof testCloud>>): Promise<Json> {
  const outside = await network(cloud.admin, {
    name: 'public',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'extnet',
  })
  await subnet(cloud.admin, outside.id, '172.24.4.0/24', { enable_dhcp: false })
  return outside
}

/** A member's network with a subnet 10.0.0.0/24. */
export async function inside(t: TestContext) {
  const cloud = await testCloud(t)
  const net = await network(cloud.member, { name: 'private' })
  const sub = await subnet(cloud.member, net.id, '10.0.0.0/24')
  return { cloud, net, sub }
}
