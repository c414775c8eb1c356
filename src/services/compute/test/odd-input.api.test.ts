import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverWorld } from './world.ts'

const oddBodies: unknown[] = [
  undefined,
  {},
  [],
  { server: null },
  { server: [] },
  { server: { name: 'a\u0000b', flavorRef: 'small', networks: 'none' } },
  { server: { name: 'x', flavorRef: { a: 1 }, imageRef: 7, networks: [null] } },
  { flavor: { name: 'x', ram: 1e300, vcpus: '١', disk: '1e3' } },
  { flavor: { name: 'x', ram: 1, vcpus: 1, disk: 1, id: '\u0000' } },
  { keypair: { name: 'x', public_key: '\u0000', type: 'x509' } },
  { metadata: { 'k\u0000': 'v' } },
  { metadata: { k: 'v\u0000' } },
  { meta: { k: { deep: [] } } },
  { tags: [null, '\u0000'] },
  { quota_set: { instances: '99999999999999999999', force: 'maybe' } },
  { 'os-getConsoleOutput': { length: 1e21 } },
  { reboot: null },
  { lock: { locked_reason: ['x'] } },
  { addSecurityGroup: { name: '\u0000' } },
  { interfaceAttachment: { net_id: '00000000-0000-0000-0000-000000000000' } },
  { host: '\u0000', binary: 'nova-compute' },
  { aggregate: { name: '\u0000' } },
  { server_group: { name: '\u0000', policy: 'affinity' } },
  { extra_specs: { '\u0000': '\u0000' } },
]
const oddIds = ['x', '%00', '..%2f..', '%F0%9F%98%80', '9'.repeat(30), '00000000-0000-4000-8000-000000000000', 'a'.repeat(600)]
const oddQueries = [
  'limit=-1',
  'limit=9999999999999999999',
  'marker=%00',
  'sort_key=%00',
  'changes-since=nonsense',
  'name=%00',
  'name=%25',
  'a[b]=c',
]

test('odd input is refused, never an error of ours, whoever sends it', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const wrong: string[] = []
  const note = (what: string, status: number) => {
    if (status >= 500) wrong.push(`${status} ${what}`)
  }
  const { endpoints } = world.cloud.services.compute
  for (const { method, path } of endpoints) {
    if (path.startsWith('//')) continue
    const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'
    for (const version of ['2.1', '2.96']) {
      if (verb === 'get' || verb === 'delete') {
        for (const odd of path.includes('{') ? oddIds : ['']) {
          const url = path.replace(/\{[^}]+\}/g, odd)
          note(`${method} ${url}`, (await world.admin.compute[verb](url, { version })).status)
        }
        if (verb === 'get')
          for (const query of oddQueries) {
            const url = `${path.replace(/\{[^}]+\}/g, id)}?${query}`
            note(`${method} ${url}`, (await world.member.compute.get(url, { version })).status)
          }
      } else
        for (const body of oddBodies) {
          const url = path.replace(/\{[^}]+\}/g, id)
          const answer = await world.admin.compute[verb](url, body, { version })
          note(`${method} ${url} ${JSON.stringify(body)}`, answer.status)
        }
    }
  }
  assert.deepEqual([...new Set(wrong)], [])
})
