import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Device, gatewaysOf, holdingOf, isLeased, moveLines, together } from './uplinks-holding.ts'
import { type Entry, openJournal } from './uplinks-journal.ts'

const forever = 4_294_967_295
const base = { scope: 'global', valid_life_time: forever }
const card: Device = {
  ifname: 'eth1',
  address: 'ba:41:ff:11:08:e7',
  mtu: 1500,
  addr_info: [
    { ...base, family: 'inet', local: '10.0.0.5', prefixlen: 24 },
    { ...base, family: 'inet6', local: 'fd00::5', prefixlen: 64 },
    { ...base, family: 'inet6', local: 'fe80::b841:ffff:fe11:8e7', prefixlen: 64, scope: 'link' },
  ],
}
const routes4 = [
  { dst: 'default', gateway: '10.0.0.2', table: '77' },
  { dst: 'default', gateway: '10.0.0.1', metric: 50 },
  { dst: '10.9.0.0/16', scope: 'link' },
  { dst: '10.0.0.0/24', protocol: 'kernel', scope: 'link', prefsrc: '10.0.0.5' },
  { type: 'local', dst: '10.0.0.5', table: 'local', protocol: 'kernel', scope: 'host' },
]
const routes6 = [
  { dst: 'default', gateway: 'fe80::1', protocol: 'ra', metric: 1024 },
  { dst: 'fe80::/64', protocol: 'kernel', metric: 256 },
]

test('addresses and routes of both kinds go along, with metric and table; what the kernel makes by itself does not', () => {
  assert.deepEqual(holdingOf(card, routes4, routes6), {
    addresses: ['10.0.0.5/24', 'fd00::5/64 nodad'],
    routes: [
      '10.9.0.0/16 scope link',
      '0.0.0.0/0 via 10.0.0.2 table 77',
      '0.0.0.0/0 via 10.0.0.1 metric 50',
      '::/0 via fe80::1 proto ra metric 1024',
    ],
  })
})

test('where the address came without its prefix route, somebody made that route, and it goes along', () => {
  const manual: Device = {
    ...card,
    addr_info: [{ ...base, family: 'inet', local: '10.0.0.5', prefixlen: 24, noprefixroute: true }],
  }
  const { addresses, routes } = holdingOf(manual, routes4.slice(3, 4), [])
  assert.deepEqual(addresses, ['10.0.0.5/24 noprefixroute'])
  assert.deepEqual(routes, ['10.0.0.0/24 proto kernel scope link src 10.0.0.5'])
})

test('everything is on the new device before anything leaves the old one', () => {
  const lines = moveLines({ addresses: ['10.0.0.5/24'], routes: ['0.0.0.0/0 via 10.0.0.1 metric 50'] }, 'eth1', 'br-eth1')
  assert.deepEqual(lines, [
    'link set dev br-eth1 up',
    'address replace 10.0.0.5/24 dev br-eth1',
    'route replace 0.0.0.0/0 via 10.0.0.1 metric 50 dev br-eth1',
    'route delete 0.0.0.0/0 via 10.0.0.1 metric 50 dev eth1',
    'address delete 10.0.0.5/24 dev eth1',
  ])
})

test('what a card was given since stands in the place of what was moved before; the rest stays', () => {
  const before = { addresses: ['10.0.0.5/24', '10.0.0.6/24'], routes: ['0.0.0.0/0 via 10.0.0.1'] }
  const now = { addresses: ['10.0.0.5/24 metric 5'], routes: ['0.0.0.0/0 via 10.0.0.9', '10.8.0.0/16 scope link'] }
  assert.deepEqual(together(before, now), {
    addresses: ['10.0.0.5/24 metric 5', '10.0.0.6/24'],
    routes: ['10.8.0.0/16 scope link', '0.0.0.0/0 via 10.0.0.9'],
  })
  assert.deepEqual(gatewaysOf(now), ['10.0.0.9'])
})

test('an address that runs out is leased', () => {
  assert.equal(isLeased(card), false)
  assert.equal(
    isLeased({ ...card, addr_info: [{ ...base, family: 'inet', local: '10.0.0.5', prefixlen: 24, valid_life_time: 3600 }] }),
    true,
  )
})

test('the journal keeps one entry for each card, across processes', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'altostack-uplinks-'))
  t.after(() => rm(dir, { recursive: true }))
  const entry: Entry = {
    ...{ nic: 'eth1', bridge: 'br-eth1', step: 'moving', boot: 'b', holding: { addresses: [], routes: [] }, proofs: [] },
    ...{ mac: card.address, mtu: 1500, joined: true },
  }
  const journal = openJournal(dir)
  assert.deepEqual(await journal.all(), [])
  await journal.put(entry)
  await journal.put({ ...entry, step: 'moved' })
  await journal.put({ ...entry, nic: 'eth2' })
  assert.deepEqual(
    (await openJournal(dir).all()).map(({ nic, step }) => `${nic} ${step}`),
    ['eth1 moved', 'eth2 moving'],
  )
  await journal.drop('eth1')
  assert.equal((await journal.all()).length, 1)
})
