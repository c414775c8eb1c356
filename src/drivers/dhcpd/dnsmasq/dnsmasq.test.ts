import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DhcpdConfig } from '../driver.ts'
import { dnsmasqConfig, readNet } from './config.ts'
import { readJournal } from './journal.ts'

const paths = { pid: '/d/pid', hosts: '/d/hosts', options: '/d/options', names: '/d/names', log: '/d/log' }
const config: DhcpdConfig = {
  id: 'n1',
  namespace: 'qdhcp-n1',
  device: 'tap1',
  mtu: 1450,
  addresses: [{ ip: '10.0.0.2', prefix: 24 }],
  domain: 'openstacklocal',
  subnets: [
    {
      id: 's1',
      cidr: '10.0.0.0/24',
      gatewayIp: '10.0.0.1',
      dns: ['192.0.2.53'],
      routes: [{ destination: '198.51.100.0/24', nexthop: '10.0.0.9' }],
      hosts: [{ mac: 'fa:16:3e:00:00:01', ip: '10.0.0.5', hostname: 'vm1' }],
    },
  ],
  metadata: true,
}
const withHost = (hostname: string, ip = '10.0.0.5', mac = 'fa:16:3e:00:00:01'): DhcpdConfig => ({
  ...config,
  subnets: [{ ...config.subnets[0]!, hosts: [{ mac, ip, hostname }] }],
})

test('a network is served with its range, size, hosts and options', () => {
  const { argv, files, problems } = dnsmasqConfig(config, paths)
  assert.ok(argv.includes('--dhcp-range=set:subnet0,10.0.0.0,static,255.255.255.0,86400s'))
  assert.ok(argv.includes('--dhcp-option-force=option:mtu,1450'))
  assert.equal(files.hosts, 'fa:16:3e:00:00:01,10.0.0.5,vm1\n')
  assert.equal(files.names, '10.0.0.5 vm1\n')
  const routes = '198.51.100.0/24,10.0.0.9,169.254.169.254/32,10.0.0.2,0.0.0.0/0,10.0.0.1'
  assert.equal(
    files.options,
    `tag:subnet0,option:router,10.0.0.1\ntag:subnet0,option:dns-server,192.0.2.53\ntag:subnet0,option:classless-static-route,${routes}\ntag:subnet0,249,${routes}\n`,
  )
  assert.deepEqual(problems, [])
})

test('a network without gateway names none, and its own address is not named in its place', () => {
  const { files } = dnsmasqConfig({ ...config, subnets: [{ ...config.subnets[0]!, gatewayIp: undefined, routes: [] }] }, paths)
  assert.ok(files.options.startsWith('tag:subnet0,option:router\n'))
  assert.ok(files.options.includes('option:classless-static-route,169.254.169.254/32,10.0.0.2\n'))
})

test('no name, card or address a user gives can add a line or a field', () => {
  const hostile = fc.string({ unit: fc.constantFrom('a', '1', '.', ',', '\n', '\r', ' ', ':', '=', '-', '\t') })
  fc.assert(
    fc.property(hostile, hostile, hostile, (hostname, ip, mac) => {
      for (const one of [withHost(hostname), withHost('vm1', ip), withHost('vm1', '10.0.0.5', mac)]) {
        const { files, problems } = dnsmasqConfig(one, paths)
        assert.match(files.hosts, /^([0-9a-f:]{17},[0-9.]+(,[A-Za-z0-9.-]+)?\n)?$/)
        assert.equal(files.hosts === '', problems.length > 0)
      }
      const { argv } = dnsmasqConfig({ ...config, domain: hostname }, paths)
      assert.ok(argv.every((arg) => !/[\n\r\t ]/.test(arg)))
    }),
  )
})

test('an address outside its subnet is not given out', () => {
  const { files, problems } = dnsmasqConfig(withHost('vm1', '10.0.1.5'), paths)
  assert.equal(files.hosts, '')
  assert.equal(problems.length, 1)
})

test('networks are read by their numbers', () => {
  assert.deepEqual([readNet('10.0.0.77/20')?.network, readNet('10.0.0.77/20')?.netmask], ['10.0.0.0', '255.255.240.0'])
  assert.ok(readNet('0.0.0.0/0')?.holds('255.255.255.255'))
  assert.equal(readNet('2001:db8::/64'), undefined)
  assert.equal(readNet('10.0.0.0/33'), undefined)
})

test('the journal tells what was said last to each card', () => {
  const journal = [
    'Nov 25 13:23:18 dnsmasq[148]: started, version 2.90 cachesize 150',
    'Nov 25 13:23:18 dnsmasq-dhcp[148]: DHCPDISCOVER(tap1) fa:16:3e:00:00:03 ',
    'Nov 25 13:23:19 dnsmasq-dhcp[148]: DHCPACK(tap1) 10.0.0.11 fa:16:3e:00:00:03 vm1',
    'Nov 25 13:23:20 dnsmasq-dhcp[148]: DHCPDISCOVER(tap1) fa:16:3e:00:00:04 no address available',
  ].join('\n')
  const now = Date.parse('2026-11-25T13:24:00')
  assert.deepEqual(
    readJournal(journal, now).map(({ mac, ip, at, last }) => [mac, ip, (now - at / 1000) / 1000, last]),
    [
      ['fa:16:3e:00:00:04', '', 40, 'DHCPDISCOVER no address available'],
      ['fa:16:3e:00:00:03', '10.0.0.11', 41, 'DHCPACK'],
    ],
  )
})

test('a line of last December is of last year', () => {
  const [said] = readJournal(
    'Dec 31 23:59:00 dnsmasq-dhcp[1]: DHCPACK(t) 10.0.0.1 fa:16:3e:00:00:03',
    Date.parse('2027-01-01T00:01:00'),
  )
  assert.equal(said?.at, Date.parse('2026-12-31T23:59:00') * 1000)
})
