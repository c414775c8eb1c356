import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostnameOf } from './create-server.ts'
import { netmask } from './metadata/network-data.ts'
import { likePattern } from './patterns.ts'
import { choose, resourcesOf } from './scheduling.ts'
import { judge, type Sight, type Standing, status } from './states.ts'
import { hoursIn } from './usage.ts'

const wanted: Standing = { vmState: 'active', taskState: '', generation: 2, power: 'on', boots: 1, softBoots: 0, failing: false }
const seen: Sight = { generation: 2, power: 'on', boots: 1, softBoots: 0, error: '' }

test('what a host saw is there, on its way, gone off by itself, or failing', () => {
  assert.equal(judge(wanted, seen).is, 'there')
  assert.equal(judge(wanted, { ...seen, generation: 1 }).is, 'on its way')
  assert.equal(judge({ ...wanted, boots: 2 }, seen).is, 'on its way')
  assert.equal(judge(wanted, { ...seen, power: 'off' }).is, 'gone off by itself')
  assert.equal(judge(wanted, { ...seen, power: 'off', generation: 1 }).is, 'on its way')
  assert.equal(judge(wanted, { ...seen, power: 'crashed' }).is, 'on its way')
  assert.deepEqual(judge(wanted, { ...seen, power: 'crashed', error: 'no memory' }), { is: 'failing', why: 'no memory' })
  assert.equal(judge(wanted, { ...seen, error: 'an old trouble' }).is, 'there')
})

test('the word users see follows from state and task', () => {
  assert.equal(status('active', ''), 'ACTIVE')
  assert.equal(status('active', 'rebooting_hard'), 'HARD_REBOOT')
  assert.equal(status('active', 'deleting'), 'ACTIVE')
  assert.equal(status('stopped', 'powering-on'), 'SHUTOFF')
})

test('an expression becomes a pattern, or nothing when it says more than a pattern can', () => {
  const cases: Record<string, string | undefined> = {
    web: '%web%',
    '^web': 'web%',
    web$: '%web',
    '^w.b$': 'w_b',
    'a.*b': '%a%b%',
    a_b: '%a\\_b%',
    '10\\.0': '%10.0%',
    '(a+)+$': undefined,
    '[ab]': undefined,
    'a|b': undefined,
    '\\d': undefined,
  }
  for (const [expression, pattern] of Object.entries(cases)) assert.equal(likePattern(expression), pattern, expression)
})

test('a name becomes a host name', () => {
  const cases: Record<string, string> = {
    'Web 1': 'web-1',
    a_b: 'a-b',
    '.-x-.': 'x',
    ['x'.repeat(80)]: 'x'.repeat(63),
    höst: 'hst',
    日本: 'server-id',
  }
  for (const [name, hostname] of Object.entries(cases)) assert.equal(hostnameOf(name, 'id'), hostname, name)
})

test('masks of both families', () => {
  assert.equal(netmask('10.0.0.0/20', 4), '255.255.240.0')
  assert.equal(netmask('0.0.0.0/0', 4), '0.0.0.0')
  assert.equal(netmask('2001:db8::/64', 6), 'ffff:ffff:ffff:ffff::')
  assert.equal(netmask('::/0', 6), '::')
  assert.equal(netmask('2001:db8::1/128', 6), 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')
})

test('extra specs override what a flavor takes', () => {
  const flavor = { id: 'f', name: 'f', memoryMb: 512, vcpus: 2, rootGb: 1, ephemeralGb: 2, swapMb: 1500, extraSpecs: {} }
  assert.deepEqual(resourcesOf(flavor), { VCPU: 2, MEMORY_MB: 512, DISK_GB: 5 })
  assert.deepEqual(resourcesOf({ ...flavor, extraSpecs: { 'resources:VCPU': '0', 'resources:CUSTOM_X': '1' } }), {
    MEMORY_MB: 512,
    DISK_GB: 5,
    CUSTOM_X: 1,
  })
})

test('the host with most free memory comes first, and each other one has its reason', () => {
  const host = (name: string, more: object = {}) =>
    ({ name, nodeId: name, enabled: true, disabledReason: null, up: true, ...more }) as never
  const candidate = (name: string, free: number) => ({ provider: name, name, free: { MEMORY_MB: free }, traits: [] })
  const server = { pinnedZone: '', forcedHost: '', refusedHosts: ['c'] }
  const around = {
    hosts: [host('a'), host('b'), host('c'), host('d', { up: false }), host('e', { enabled: false, disabledReason: 'old' })],
    zones: new Map<string, string>(),
    group: undefined,
  }
  const { chosen, refused } = choose(
    server,
    ['a', 'b', 'c', 'd', 'e'].map((name, at) => candidate(name, at)),
    around,
  )
  assert.deepEqual(
    chosen.map((one) => one.name),
    ['b', 'a'],
  )
  assert.deepEqual(refused, {
    c: 'RetryFilter: it failed there before',
    d: 'ComputeFilter: the host is down',
    e: 'ComputeFilter: the service is disabled (old)',
  })
})

test('hours of a server within a period', () => {
  const hour = 3600e6
  const period = { start: 10 * hour, end: 20 * hour }
  assert.equal(hoursIn({ launchedAt: 5 * hour, terminatedAt: 12 * hour }, period), 2)
  assert.equal(hoursIn({ launchedAt: 15 * hour, terminatedAt: 0 }, period), 5)
  assert.equal(hoursIn({ launchedAt: 25 * hour, terminatedAt: 0 }, period), 0)
  assert.equal(hoursIn({ launchedAt: 0, terminatedAt: 0 }, period), 0)
})
