import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Json, type TestCloud, testCloud } from '../../../../test/cloud.ts'
import type { Desired, Elsewhere, HostPort } from '../../../agents/document.ts'
import { network, port, subnet } from './world.ts'

const documentOf = async (cloud: TestCloud, host: string) =>
  (await cloud.cloud.desk.agent('port').desired(host)) as Desired<HostPort>

/** Three hosts, and a network with a server on the first two. */
async function world(t: TestContext, attributes: object = {}) {
  const cloud = await testCloud(t, { hosts: [] })
  for (const number of [1, 2, 3]) await cloud.addHost(`host-${number}`, { tunnelIp: `192.0.2.${number}` })
  const net = await network(cloud.admin, attributes)
  await subnet(cloud.admin, net.id, '10.0.0.0/24', { enable_dhcp: false })
  const { network: ports } = cloud.cloud.contracts
  const guest = async (owner: string, host: string, nic: object = { network: net.id }) => {
    const ask = { owner, index: 0, projectId: cloud.admin.caller.projectId!, nic, securityGroups: [], hostname: owner }
    const made = await ports.ensurePort(ask)
    await ports.bind({ owner, host, availabilityZone: 'nova' })
    return made
  }
  const elsewhere = async (host: string): Promise<Elsewhere[]> =>
    (await documentOf(cloud, host)).shared?.segments[net.id]?.elsewhere ?? []
  return { cloud, net, ports, guest, elsewhere }
}

test('a host is told the cards of its networks on other hosts, and where they are', async (t) => {
  const { cloud, net, ports, guest, elsewhere } = await world(t)
  await guest('one', 'host-1')
  const two = await guest('two', 'host-2')
  const three = await guest('three', 'host-3')
  const card = (made: Json, at: string) => ({ mac: made.mac, ips: [made.fixedIps[0].ip], at, hides: false })
  assert.deepEqual(await elsewhere('host-1'), [card(two, '192.0.2.2'), card(three, '192.0.2.3')])
  await cloud.admin.network.put(`/ports/${three.id}`, { port: { admin_state_up: false } })
  assert.deepEqual(await elsewhere('host-1'), [card(two, '192.0.2.2')])
  await cloud.admin.network.put(`/ports/${three.id}`, { port: { admin_state_up: true } })
  await ports.release({ owner: 'two' })
  const { segments } = (await documentOf(cloud, 'host-1')).shared!
  assert.deepEqual([segments[net.id]!.peers, segments[net.id]!.elsewhere], [['192.0.2.3'], [card(three, '192.0.2.3')]])
})

test('a card on its way is at both its hosts, and both know that it moves', async (t) => {
  const { cloud, ports, guest, elsewhere } = await world(t)
  await guest('one', 'host-1')
  const two = await guest('two', 'host-2')
  await ports.openAt({ owner: 'two', host: 'host-3' })
  const places = async (host: string) => (await elsewhere(host)).filter((one) => one.mac === two.mac).map((one) => one.at)
  assert.deepEqual(await places('host-1'), ['192.0.2.2', '192.0.2.3'])
  assert.deepEqual(await places('host-2'), ['192.0.2.3'])
  assert.deepEqual(await places('host-3'), ['192.0.2.2'])
  const move = async (host: string) => (await documentOf(cloud, host)).items.find((item) => item.id === two.id)?.move
  assert.deepEqual([await move('host-2'), await move('host-3')], ['leaves', 'comes'])
  await ports.bind({ owner: 'two', host: 'host-3', availabilityZone: 'nova' })
  assert.deepEqual(await places('host-1'), ['192.0.2.3'])
  assert.deepEqual([await move('host-2'), await move('host-3')], [undefined, undefined])
})

test('an address that an allowed pair shares is not answered for, and the card of the pair is known', async (t) => {
  const { cloud, net, guest, elsewhere } = await world(t)
  await guest('one', 'host-1')
  const two = await guest('two', 'host-2')
  const [ip, shared] = [two.fixedIps[0]!.ip, '00:00:5e:00:01:01']
  const pairs = (allowed: object[]) => port(cloud.admin, net.id, { 'binding:host_id': 'host-3', allowed_address_pairs: allowed })
  const third = await pairs([{ ip_address: '10.0.0.128/25', mac_address: shared }])
  const seen = async () => (await elsewhere('host-1')).map((card) => [card.mac, card.ips, card.at])
  const ownOf = (made: Json) => made.fixed_ips[0].ip_address
  assert.deepEqual(await seen(), [
    [two.mac, [ip], '192.0.2.2'],
    [third.mac_address, [ownOf(third)], '192.0.2.3'],
    [shared, [], '192.0.2.3'],
  ])
  const fourth = await pairs([{ ip_address: '10.0.0.0/24' }])
  assert.deepEqual(
    (await seen()).map(([, ips]) => ips),
    [[], [], [], []],
  )
  await cloud.admin.network.delete(`/ports/${fourth.id}`)
  await pairs([{ ip_address: ip }])
  assert.deepEqual((await seen())[0], [two.mac, [], '192.0.2.2'])
})

test('a pair that names the card of another port gets nothing of what is sent to that port', async (t) => {
  const { cloud, net, guest, elsewhere } = await world(t)
  await guest('one', 'host-1')
  const two = await guest('two', 'host-2')
  const pairs = { allowed_address_pairs: [{ ip_address: '10.0.0.200', mac_address: two.mac }], 'binding:host_id': 'host-3' }
  await port(cloud.admin, net.id, pairs)
  const places = (await elsewhere('host-1')).filter((card) => card.mac === two.mac).map((card) => card.at)
  assert.deepEqual(places, ['192.0.2.2'])
})

test('a port without port security may hide cards; our own ports do not', async (t) => {
  const { cloud, net, guest, elsewhere } = await world(t)
  await guest('one', 'host-1')
  const open = await port(cloud.admin, net.id, { port_security_enabled: false, 'binding:host_id': 'host-2' })
  await subnet(cloud.admin, net.id, '10.1.0.0/24')
  const hiding = (await elsewhere('host-1')).filter((card) => card.hides).map((card) => card.mac)
  assert.deepEqual(hiding, [open.mac_address])
})

test('on networks that physical switches carry, nothing is told of other hosts', async (t) => {
  const provider = { 'provider:network_type': 'flat', 'provider:physical_network': 'extnet' }
  const { cloud, net, guest } = await world(t, provider)
  await guest('one', 'host-1')
  await guest('two', 'host-2')
  const segment = (await documentOf(cloud, 'host-1')).shared?.segments[net.id]
  assert.deepEqual([segment?.type, segment?.peers, segment?.elsewhere], ['flat', [], []])
})

test('every host of a network is hinted when a card of it comes, goes or changes, and no other host', async (t) => {
  const { cloud, ports, guest } = await world(t)
  await guest('one', 'host-1')
  const hinted = new Set<string>()
  for (const host of cloud.hosts) host.rounds.port!.hint = () => void hinted.add(host.name)
  const after = async (act: () => Promise<unknown>) => {
    hinted.clear()
    await act()
    return [...hinted].sort()
  }
  let two: Json
  const all = ['host-1', 'host-2']
  assert.deepEqual(await after(async () => (two = await guest('two', 'host-2'))), all)
  const pairs = { allowed_address_pairs: [{ ip_address: '10.0.0.200' }] }
  assert.deepEqual(await after(() => cloud.admin.network.put(`/ports/${two.id}`, { port: pairs })), all)
  assert.deepEqual(await after(() => ports.openAt({ owner: 'two', host: 'host-3' })), [...all, 'host-3'])
  assert.deepEqual(await after(() => ports.openAt({ owner: 'two', host: undefined })), [...all, 'host-3'])
  assert.deepEqual(await after(() => ports.release({ owner: 'two' })), all)
  const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'extnet' }
  const outer = await network(cloud.admin, flat)
  for (const host of ['host-1', 'host-2']) await port(cloud.admin, outer.id, { 'binding:host_id': host })
  const more = () => port(cloud.admin, outer.id, { 'binding:host_id': 'host-3' })
  assert.deepEqual(await after(more), ['host-3'], 'where physical switches know, others are left alone')
})

test('many ports of one group take a document that grows with them, not with their square', async (t) => {
  const { cloud, net, ports } = await world(t)
  const projectId = cloud.admin.caller.projectId!
  await cloud.admin.network.put(`/quotas/${projectId}`, { quota: { port: -1 } })
  const size = async () => Buffer.byteLength(JSON.stringify(await documentOf(cloud, 'host-1')))
  const grow = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      const owner = `many-${at}`
      await ports.ensurePort({ owner, index: 0, projectId, nic: { network: net.id }, securityGroups: [], hostname: owner })
      await ports.bind({ owner, host: at % 2 === 0 ? 'host-1' : 'host-2', availabilityZone: 'nova' })
    }
    return size()
  }
  const [small, large] = [await grow(0, 40), await grow(40, 120)]
  assert.ok(large < 3.2 * small, `${small} bytes, then ${large}`)
})
