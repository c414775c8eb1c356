import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSimNetns, simNetns } from '../../drivers/netns/sim/sim.ts'
import { silentLog } from '../../kit/log.ts'
import type { HostRouter } from '../document.ts'
import { routerAgent } from './index.ts'
import { shapeOf } from './plan.ts'

const inner = { portId: 'p1', device: 'qr-1', mac: 'fa:16:3e:00:00:01', mtu: 1450, addresses: [{ ip: '10.0.0.1', prefix: 24 }] }
const outer = {
  portId: 'p2',
  device: 'qg-1',
  mac: 'fa:16:3e:00:00:02',
  mtu: 1500,
  addresses: [{ ip: '172.24.4.10', prefix: 24 }],
  gatewayIps: ['172.24.4.1'],
  snat: true,
}
const router = (id = 'r1'): HostRouter => ({
  id,
  external: outer,
  internal: [inner],
  floatingIps: [{ id: 'f1', floatingIp: '172.24.4.11', fixedIp: '10.0.0.5' }],
  routes: [{ destination: '192.0.2.0/24', nexthop: '10.0.0.9' }],
})

const link = { metadata: async () => ({ status: 200, contentType: 'text/plain', body: '' }) }

test('a router is its links, routes and translations', () => {
  const shape = shapeOf(router())
  assert.deepEqual(shape.links[0]?.addresses, [
    { ip: '172.24.4.10', prefix: 24 },
    { ip: '172.24.4.11', prefix: 32 },
  ])
  assert.deepEqual(shape.routes, [
    { destination: '0.0.0.0/0', nexthop: '172.24.4.1', device: 'qg-1' },
    { destination: '192.0.2.0/24', nexthop: '10.0.0.9', device: undefined },
  ])
  assert.deepEqual(shape.nat, {
    external: 'qg-1',
    snatTo: '172.24.4.10',
    floating: [{ floatingIp: '172.24.4.11', fixedIp: '10.0.0.5' }],
  })
})

test('without source translation only floating addresses get out', () => {
  assert.equal(shapeOf({ ...router(), external: { ...outer, snat: false } }).nat?.snatTo, undefined)
})

test('a router is ready once its devices are there', async () => {
  const devices = new Set(['qr-1'])
  const agent = routerAgent({ driver: openSimNetns({ host: simNetns((device) => devices.has(device)) }), link, log: silentLog })
  const before = await agent.round({ complete: true, items: [router()] })
  assert.deepEqual(before.seen, [{ id: 'r1', ready: false, floatingIps: [], error: undefined }])
  assert.ok(before.again !== undefined)
  devices.add('qg-1')
  const after = await agent.round({ complete: true, items: [router()] })
  assert.deepEqual(after, { seen: [{ id: 'r1', ready: true, floatingIps: ['172.24.4.11'], error: undefined }] })
})

test('one broken router never blocks the others', async () => {
  const host = simNetns(undefined, { broken: { name: 'qrouter-r1', why: 'It cannot be.' } })
  const agent = routerAgent({ driver: openSimNetns({ host }), link, log: silentLog })
  const { seen } = await agent.round({ complete: true, items: [router(), router('r2')] })
  assert.deepEqual(
    seen.map(({ id, ready, error }) => [id, ready, error]),
    [
      ['r1', false, 'It cannot be.'],
      ['r2', true, undefined],
    ],
  )
})

test('routers go when a complete document does not name them, and namespaces of others stay', async () => {
  const host = simNetns()
  host.spaces.set('qdhcp-n1', { shape: shapeOf(router()), listening: undefined })
  const agent = routerAgent({ driver: openSimNetns({ host }), link, log: silentLog })
  await agent.round({ complete: true, items: [router()] })
  await agent.round({ complete: false, items: [] })
  assert.ok(host.spaces.has('qrouter-r1'))
  assert.deepEqual((await agent.round({ complete: true, items: [] })).seen, [])
  assert.deepEqual([...host.spaces.keys()], ['qdhcp-n1'])
})
