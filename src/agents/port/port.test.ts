import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSimSwitch, simSwitch, simSwitchRestart } from '../../drivers/vswitch/sim/sim.ts'
import { silentLog } from '../../kit/log.ts'
import type { SecurityRule } from '../document.ts'
import { switchPorts } from './expand.ts'
import { portAgent } from './index.ts'
import { plan } from './plan.ts'
import { documentOf, type WholePort } from './sample.ts'

const port = (id: string, more: Partial<WholePort> = {}): WholePort => ({
  id,
  kind: 'vm',
  device: `tap${id}`,
  mac: 'fa:16:3e:00:00:01',
  addresses: ['10.0.0.5'],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules: [],
  segment: {
    networkId: 'n1',
    type: 'local',
    physicalNetwork: undefined,
    segmentationId: undefined,
    mtu: 1500,
    peers: [],
    elsewhere: [],
  },
  ...more,
})

const open: SecurityRule = {
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: undefined,
  portMin: undefined,
  portMax: undefined,
  remotes: undefined,
}

const cloud = () => {
  const host = simSwitch()
  return { host, agent: portAgent({ driver: openSimSwitch({ host }), log: silentLog }) }
}

test('a port that is asked for becomes wired, and one that is not goes', async () => {
  const { host, agent } = cloud()
  assert.deepEqual((await agent.round(documentOf([port('a')]))).seen, [{ id: 'a', wired: true, error: undefined }])
  assert.deepEqual((await agent.round(documentOf([]))).seen, [])
  assert.equal(host.ports.size, 0)
})

test('without a complete document no port is taken away', async () => {
  const { host, agent } = cloud()
  await agent.round(documentOf([port('a')]))
  assert.deepEqual((await agent.round(documentOf([], false))).seen, [{ id: 'a', wired: true, error: undefined }])
  assert.equal(host.ports.size, 1)
})

test('one broken port does not keep the others from their traffic', async () => {
  const { host, agent } = cloud()
  host.faults.brokenPort = 'a'
  const { seen, again } = await agent.round(documentOf([port('a'), port('b')]))
  assert.deepEqual(
    seen.map(({ id, wired }) => [id, wired]),
    [
      ['a', false],
      ['b', true],
    ],
  )
  assert.ok(seen[0]?.error)
  assert.ok(again !== undefined)
})

test('a trouble that passes is not told, one that stays is', async () => {
  const { host, agent } = cloud()
  host.faults.plugFails = 'No room.'
  const round = async () => (await agent.round(documentOf([port('a')]))).seen[0]
  assert.deepEqual(await round(), { id: 'a', wired: false, error: undefined })
  delete host.faults.plugFails
  assert.deepEqual(await round(), { id: 'a', wired: true, error: undefined })
  await agent.round(documentOf([]))
  host.faults.plugFails = 'No room.'
  assert.deepEqual([await round(), await round(), await round()].at(-1), { id: 'a', wired: false, error: 'No room.' })
})

test('a port that is switched off is here and carries nothing', async () => {
  const { agent } = cloud()
  const { seen, again } = await agent.round(documentOf([port('a', { adminUp: false })]))
  assert.deepEqual(seen, [{ id: 'a', wired: false, error: undefined }])
  assert.equal(again, undefined)
})

test('a restarted switch gets its flows again', async () => {
  const { host, agent } = cloud()
  const hints: string[] = []
  agent.watch?.(() => hints.push('look'))
  await agent.round(documentOf([port('a')]))
  simSwitchRestart(host)
  assert.deepEqual(hints, ['look'])
  const { seen } = await agent.round(documentOf([port('a')]))
  assert.equal(seen[0]?.wired, true)
})

test('a port that moved to another network goes before it comes', () => {
  const seen = {
    id: 'a',
    kind: 'vm' as const,
    device: 'tapa',
    networkId: 'n0',
    bridge: 'br-int',
    plugged: true,
    error: undefined,
  }
  assert.deepEqual(
    plan({ complete: false, items: [port('a')] }, [seen]).map((action) => action.do),
    ['unplug', 'plug'],
  )
})

test('what is as it should be is left alone', () => {
  const seen = {
    id: 'a',
    kind: 'vm' as const,
    device: 'tapa',
    networkId: 'n1',
    bridge: 'br-int',
    plugged: true,
    error: undefined,
  }
  assert.deepEqual(plan({ complete: true, items: [port('a')] }, [seen]), [])
})

test('what a document says once reaches every port that refers to it', () => {
  const { segment } = port('a')
  const shared = {
    segments: { n1: segment },
    groups: {
      g1: [{ ...open, remoteGroup: 'g2' }],
      g2: [{ ...open, remotes: ['192.0.2.0/24'] }],
    },
    members: { g2: ['10.0.0.5/32', '2001:db8::5/128'] },
  }
  const items = ['a', 'b'].map((id) => ({ ...documentOf([port(id)]).items[0]!, groups: ['g1', 'g2'] }))
  const ports = switchPorts({ complete: true, items, shared })
  for (const one of ports) {
    assert.equal(one.segment, segment)
    assert.deepEqual(
      one.rules.map((rule) => rule.remotes),
      [['10.0.0.5/32', '2001:db8::5/128'], ['192.0.2.0/24']],
    )
  }
  assert.throws(() => switchPorts({ complete: true, items, shared: { ...shared, members: {} } }), /refers to g2/)
})
