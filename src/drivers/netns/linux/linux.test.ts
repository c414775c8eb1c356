import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NsShape } from '../driver.ts'
import { linkLines, newAddresses, readLinks, readRoutes, routeLines, type Seen } from './links.ts'
import { natRules } from './nat.ts'

const shape: NsShape = {
  links: [
    {
      device: 'qg-1',
      mac: 'fa:16:3e:00:00:01',
      mtu: 1500,
      addresses: [
        { ip: '172.24.4.10', prefix: 24 },
        { ip: '172.24.4.50', prefix: 32 },
      ],
    },
    { device: 'qr-1', mac: 'fa:16:3e:00:00:02', mtu: 1450, addresses: [{ ip: '10.0.0.1', prefix: 24 }] },
  ],
  routes: [{ destination: '0.0.0.0/0', nexthop: '172.24.4.1', device: 'qg-1' }],
  forwards: true,
  nat: { external: 'qg-1', snatTo: '172.24.4.10', floating: [{ floatingIp: '172.24.4.50', fixedIp: '10.0.0.5' }] },
  metadataPort: 9697,
}
const lo = {
  device: 'lo',
  mac: '00:00:00:00:00:00',
  mtu: 65536,
  up: true,
  carrier: true,
  addresses: [{ ip: '127.0.0.1', prefix: 8 }],
}
const done: Seen = {
  links: [lo, ...shape.links.map((link) => ({ ...link, up: true, carrier: true }))],
  routes: [{ destination: '0.0.0.0/0', nexthop: '172.24.4.1', device: 'qg-1' }],
}

test('a namespace that is as it should be is not touched', () => {
  assert.deepEqual([linkLines(shape, done), routeLines(shape, done), newAddresses(shape, done)], [[], [], []])
})

test('a new device gets card, size and addresses, and its addresses are announced', () => {
  const seen: Seen = {
    links: [
      { ...lo, up: false },
      { device: 'qr-1', mac: '02:00:00:00:00:00', mtu: 1500, up: false, carrier: false, addresses: [] },
    ],
    routes: [],
  }
  assert.deepEqual(linkLines(shape, seen), [
    'link set dev lo up',
    'link set dev qr-1 down',
    'link set dev qr-1 address fa:16:3e:00:00:02',
    'link set dev qr-1 mtu 1450',
    'link set dev qr-1 up',
    'addr replace 10.0.0.1/24 dev qr-1',
  ])
  assert.deepEqual(routeLines(shape, seen), [])
  assert.ok(newAddresses(shape, seen).some(({ device, ip }) => device === 'qr-1' && ip === '10.0.0.1'))
})

test('an address that is not wanted any more goes, and a route that leads elsewhere is replaced', () => {
  const seen: Seen = {
    links: done.links.map((link) =>
      link.device === 'qg-1' ? { ...link, addresses: [...link.addresses, { ip: '172.24.4.51', prefix: 32 }] } : link,
    ),
    routes: [
      { destination: '0.0.0.0/0', nexthop: '172.24.4.2', device: 'qg-1' },
      { destination: '192.0.2.0/24', nexthop: '10.0.0.9', device: 'qr-1' },
    ],
  }
  assert.deepEqual(linkLines(shape, seen), ['addr del 172.24.4.51/32 dev qg-1'])
  assert.deepEqual(routeLines(shape, seen), [
    'route del 192.0.2.0/24 via 10.0.0.9',
    'route replace 0.0.0.0/0 via 172.24.4.1 dev qg-1 onlink',
  ])
})

test('what ip tells is read, also where it tells little', () => {
  assert.deepEqual(
    readLinks(
      '[{"ifname":"a","address":"02:00:00:00:00:01","mtu":1500,"flags":["UP"],"addr_info":[{"local":"10.0.0.1","prefixlen":24,"scope":"global"},{"local":"fe80::1","prefixlen":64,"scope":"link"}]},{}]',
    ),
    [{ device: 'a', mac: '02:00:00:00:00:01', mtu: 1500, up: true, carrier: false, addresses: [{ ip: '10.0.0.1', prefix: 24 }] }],
  )
  assert.deepEqual(readLinks(''), [])
  assert.deepEqual(
    readRoutes(
      '[{"dst":"default","gateway":"10.0.0.1","dev":"a"},{"dst":"10.0.0.0/24","dev":"a"},{"dst":"192.0.2.1","gateway":"10.0.0.2","dev":"a"}]',
    ),
    [
      { destination: '0.0.0.0/0', nexthop: '10.0.0.1', device: 'a' },
      { destination: '192.0.2.1/32', nexthop: '10.0.0.2', device: 'a' },
    ],
  )
})

test('the rules are replaced as a whole, and their name tells whether they are these', () => {
  const rules = natRules(shape)
  assert.match(rules?.text ?? '', /^add table ip altostack\ndelete table ip altostack\ntable ip altostack \{/)
  assert.ok(rules?.text.includes('elements = { 172.24.4.50 : 10.0.0.5 }'))
  assert.ok(rules?.text.includes('snat to 172.24.4.10'))
  assert.equal(natRules(shape)?.version, rules?.version)
  assert.notEqual(natRules({ ...shape, nat: { ...shape.nat!, floating: [] } })?.version, rules?.version)
})

test('a namespace that neither translates nor serves metadata has no rules', () => {
  assert.equal(natRules({ ...shape, nat: undefined, metadataPort: undefined }), undefined)
})
