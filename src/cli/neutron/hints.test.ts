import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withPlainDashes } from '../dashes.ts'
import { identityUrl } from '../session.ts'
import { emptyTenant, largestGap } from './hints.ts'
import { protocolAndPorts, remoteOf, rulesCell } from './security-groups.ts'

test('long dashes in front of options are short ones, with a warning; within a word they stay', () => {
  const { words, warnings } = withPlainDashes(['net-list', '–c', '—field', '–-name', 'a–b', '-x'])
  assert.deepEqual(words, ['net-list', '-c', '--field', '--name', 'a–b', '-x'])
  assert.equal(warnings.length, 3)
})

test('an empty variable after --tenant-id is recognised, quoted or not', () => {
  assert.match(emptyTenant(['--tenant-id', '--name', 'x']) ?? '', /is the shell variable set/)
  assert.match(emptyTenant(['--tenant-id', '']) ?? '', /is the shell variable set/)
  assert.match(emptyTenant(['--tenant-id=']) ?? '', /is the shell variable set/)
  assert.equal(emptyTenant(['--tenant-id', 'abc']), undefined)
  assert.equal(emptyTenant(['--name', '']), undefined)
})

test('the largest range without addresses that are taken', () => {
  assert.deepEqual(largestGap(2, 254, [64, 110]), [111, 254])
  assert.deepEqual(largestGap(2, 254, [1, 300]), [2, 254])
})

test('addresses of identity of any version are version 3', () => {
  for (const url of ['http://a:5000', 'http://a:5000/', 'http://a:5000/v2.0/', 'http://a:5000/v3'])
    assert.equal(identityUrl(url), 'http://a:5000/v3')
  assert.equal(identityUrl('http://a/identity'), 'http://a/identity/v3')
})

test('rules of security groups in words', () => {
  const rule = {
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: 'tcp',
    port_range_min: 22,
    port_range_max: 22,
    remote_ip_prefix: '0.0.0.0/0',
  }
  assert.equal(protocolAndPorts(rule), '22/tcp')
  assert.equal(protocolAndPorts({ protocol: 'udp', port_range_min: 1, port_range_max: 9 }), '1-9/udp')
  assert.equal(protocolAndPorts({ protocol: 'icmp', port_range_min: 8, port_range_max: 0 }), 'icmp (type:8, code:0)')
  assert.equal(protocolAndPorts({ protocol: null }), undefined)
  assert.equal(remoteOf(rule), '0.0.0.0/0 (CIDR)')
  assert.equal(rulesCell({ security_group_rules: [rule] }), 'ingress, IPv4, 22/tcp, remote_ip_prefix: 0.0.0.0/0')
})
