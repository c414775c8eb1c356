import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { uuid } from '../../src/kit/ids.ts'
import { serviceNames } from '../../src/main/services.ts'
import { serverWorld } from '../../src/services/compute/test/world.ts'
import { external, made, port } from '../../src/services/network/test/world.ts'
import type { Answer, ServiceClient } from '../cloud.ts'

/** One thing of the member's of each kind that has a rule for who may know of it; ids by service and parameter, or collection where that is just `id`. */
async function belongings(t: TestContext) {
  const world = await serverWorld(t)
  const { admin, member } = world
  const net = world.network
  const outside = await external(world)
  const group = await made(member, '/security-groups', { security_group: { name: 'web' } })
  const image = (await member.image.post('/images', { disk_format: 'raw', container_format: 'bare', visibility: 'shared' })).body
  await member.image.post(`/images/${image.id}/members`, { member: admin.caller.projectId })
  const namespace = { namespace: 'Theirs', owner: member.caller.projectId }
  const serverGroup = { server_group: { name: 'apart', policies: ['anti-affinity'] } }
  const ids: Record<string, string> = {
    'compute server_id': (await world.server()).id,
    'compute server_group_id': (await member.compute.post('/os-server-groups', serverGroup)).body.server_group.id,
    'image image_id': image.id,
    'image namespace': (await admin.image.post('/metadefs/namespaces', namespace)).body.namespace,
    'network networks': net,
    'network subnets': (await member.network.get('/subnets')).body.subnets[0].id,
    'network ports': (await port(member, net)).id,
    'network routers': (await made(member, '/routers', { router: {} })).id,
    'network floatingips': (await made(member, '/floatingips', { floatingip: { floating_network_id: outside.id } })).id,
    'network security-groups': group.id,
    'network security-group-rules': group.security_group_rules[0].id,
    'network agents': (await admin.network.get('/agents')).body.agents[0].id,
  }
  return { world, ids }
}

const send = (client: ServiceClient, method: string, url: string, body: object, version: string): Promise<Answer> => {
  if (method === 'GET' || method === 'DELETE') return client[method === 'GET' ? 'get' : 'delete'](url, { version })
  return client[method.toLowerCase() as 'post' | 'put' | 'patch'](url, body, { version })
}

test('a stranger cannot tell a thing of another project from one that is not there, by any request', async (t) => {
  const { world, ids } = await belongings(t)
  const told: string[] = []
  let asked = 0
  for (const service of serviceNames) {
    const { dialect, endpoints } = world.cloud.services[service]
    const newest = dialect.versions ? `${dialect.versions.major}.${dialect.versions.max}` : ''
    for (const { method, path, variant, visible } of endpoints) {
      if (visible === undefined) continue
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name)
      const place = named.find((name) => `${service} ${name}` in ids) ?? 'id'
      const id = ids[`${service} ${place === 'id' ? path.split('/')[1] : place}`]
      assert.ok(id, `belongings has nothing for ${service} ${path}`)
      const ask = (thing: string) => {
        const url = path.replace(`{${place}}`, thing).replace(/\{[^}]+\}/g, world.member.caller.projectId!)
        return send(world.stranger[service], method, url, variant === undefined ? {} : { [variant]: null }, newest)
      }
      const nothing = uuid()
      const [theirs, missing] = [await ask(id), await ask(nothing)]
      asked++
      const isSame = JSON.stringify(theirs.body).replaceAll(id, nothing) === JSON.stringify(missing.body)
      if (theirs.status !== 404 || missing.status !== 404 || !isSame)
        told.push(`${method} ${path} ${variant ?? ''}: ${theirs.status} ${JSON.stringify(theirs.body)}, else ${missing.status}`)
    }
  }
  assert.deepEqual(told, [])
  assert.ok(asked > 100, `${asked} endpoints`)
})
