import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultGateway, defaultPools, poolFault, positionsOf, sizeOf } from './allocation.ts'
import { canonicalIp, eui64, formatIp, holds, overlap, parseCidr, parseIp } from './ip.ts'

test('addresses are read and written canonically, and nonsense is none', () => {
  assert.equal(canonicalIp('10.0.0.1'), '10.0.0.1')
  assert.equal(canonicalIp('2001:DB8:0:0:0:0:0:1'), '2001:db8::1')
  assert.equal(canonicalIp('::'), '::')
  assert.equal(canonicalIp('1:0:0:2:0:0:0:3'), '1:0:0:2::3')
  assert.equal(canonicalIp('10:0:0:1::'), '10:0:0:1::')
  assert.equal(canonicalIp('::ffff:10.0.0.1'), '::ffff:a00:1')
  for (const bad of ['', '10.0.0', '10.0.0.256', '010.0.0.1', '1::2::3', ':::', '1:2:3:4:5:6:7:8:9', '10.0.0.1\n', 'g::'])
    assert.equal(parseIp(bad), undefined, bad)
})

test('every text of an address comes back the same', () => {
  for (let at = 0; at < 500; at++) {
    const groups = Array.from({ length: 8 }, (_, group) => ((at >> group) & 1 ? (at * 31 + group).toString(16) : '0'))
    const ip = parseIp(groups.join(':'))!
    assert.deepEqual(parseIp(formatIp(ip)), ip)
  }
})

test('a prefix knows what it holds and what it overlaps', () => {
  const cidr = parseCidr('10.0.0.77/26')!
  assert.equal(cidr.text, '10.0.0.64/26')
  assert.ok(holds(cidr, parseIp('10.0.0.127')!))
  assert.ok(!holds(cidr, parseIp('10.0.0.128')!))
  assert.ok(overlap(cidr, parseCidr('10.0.0.0/24')!))
  assert.ok(!overlap(cidr, parseCidr('10.0.0.0/26')!))
  for (const bad of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/24/3', 'x/3', '10.0.0.0/'])
    assert.equal(parseCidr(bad), undefined, bad)
})

test('pools leave out network, broadcast and gateway', () => {
  const cidr = parseCidr('10.0.0.0/24')!
  assert.equal(defaultGateway(cidr), '10.0.0.1')
  assert.deepEqual(defaultPools(cidr, '10.0.0.1'), [{ start: '10.0.0.2', end: '10.0.0.254' }])
  assert.deepEqual(defaultPools(cidr, '10.0.0.100'), [
    { start: '10.0.0.1', end: '10.0.0.99' },
    { start: '10.0.0.101', end: '10.0.0.254' },
  ])
  assert.deepEqual(defaultPools(parseCidr('10.0.0.0/31')!, ''), [{ start: '10.0.0.0', end: '10.0.0.1' }])
})

test('a /64 is one range', () => {
  const cidr = parseCidr('2001:db8::/64')!
  const pools = defaultPools(cidr, defaultGateway(cidr))
  assert.deepEqual(pools, [{ start: '2001:db8::2', end: '2001:db8::ffff:ffff:ffff:ffff' }])
  assert.equal(sizeOf(pools), 2n ** 64n - 2n)
  assert.equal(positionsOf(cidr, pools[0]!)[1], Number.MAX_SAFE_INTEGER)
})

test('pools that are backwards, outside or overlapping are found out', () => {
  const cidr = parseCidr('10.0.0.0/24')!
  const fault = (...pools: [string, string][]) =>
    poolFault(
      cidr,
      pools.map(([start, end]) => ({ start, end })),
    )?.fault
  assert.equal(fault(['10.0.0.9', '10.0.0.2']), 'invalid')
  assert.equal(fault(['10.0.0.9', '10.0.1.2']), 'out-of-bounds')
  assert.equal(fault(['10.0.0.0', '10.0.0.2']), 'out-of-bounds')
  assert.equal(fault(['10.0.0.2', '10.0.0.9'], ['10.0.0.9', '10.0.0.20']), 'overlap')
  assert.equal(fault(['10.0.0.2', '10.0.0.8'], ['10.0.0.9', '10.0.0.20']), undefined)
})

test('a card makes its own address of prefix and MAC', () => {
  assert.equal(eui64(parseCidr('2001:db8::/64')!, 'fa:16:3e:01:02:03'), '2001:db8::f816:3eff:fe01:203')
})
