import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Elsewhere, SwitchSegment } from '../../driver.ts'
import { wantedTunnels } from '../tunnels.ts'
import type { WiredPort } from './tables.ts'
import { type TunnelDoors, tunnelName, tunnelPipeline } from './tunnels.ts'

const [own, peer, other] = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
const doors: TunnelDoors = { inside: 1, tunnels: { 'vxlan-c0000202': 2, 'vxlan-c0000203': 3, 'gre-c0000202': 4 } }

const card = (number: number, at: string, more: Partial<Elsewhere> = {}): Elsewhere => ({
  mac: `fa:16:3e:00:01:0${number}`,
  ips: [`10.0.0.${number}`],
  at,
  hides: false,
  ...more,
})

const port = (more: Partial<SwitchSegment> = {}, vlan = 7): WiredPort => ({
  id: `port-${more.networkId ?? 'n1'}`,
  kind: 'vm',
  device: 'tap1',
  mac: 'fa:16:3e:00:00:01',
  addresses: ['10.0.0.1'],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules: [],
  segment: {
    networkId: 'n1',
    type: 'vxlan',
    physicalNetwork: undefined,
    segmentationId: 500,
    mtu: 1450,
    peers: [peer],
    elsewhere: [],
    ...more,
  },
  ofport: 9,
  zone: 1,
  vlan,
})

/** Flows of a table, without cookie and priority. */
const inTable = (ports: WiredPort[], table: number) =>
  tunnelPipeline(ports, doors).flatMap(
    (flow) => new RegExp(`^cookie=0x[0-9a-f]{16},table=${table},priority=\\d,(.*)$`).exec(flow)?.[1] ?? [],
  )

test('a tunnel has the name that users of the Open vSwitch agent know', () => {
  assert.equal(tunnelName({ type: 'geneve', peer: '255.255.255.255' }), 'geneve-ffffffff')
  assert.equal(tunnelName({ type: 'gre', peer: '10.0.0.1' }), 'gre-0a000001')
})

test('tunnels lead to the peers of the networks that are here, once each, and never to ourselves or to what is no address', () => {
  const ports = [
    port({ peers: [peer, own, 'nonsense'] }),
    port({ networkId: 'n2', peers: [peer] }),
    port({ networkId: 'n3', type: 'gre', peers: [other] }),
    port({ networkId: 'n4', type: 'vlan', peers: [other] }),
  ]
  assert.deepEqual([...wantedTunnels(ports, own).keys()].sort(), ['gre-c0000203', 'vxlan-c0000202'])
})

test('a peer is believed in the networks it shares, under their numbers', () => {
  const both = [port(), port({ networkId: 'n2', segmentationId: 501, peers: [other] }, 8)]
  assert.deepEqual(inTable(both, 4), [
    'in_port=2,tun_id=500,actions=push_vlan:0x8100,set_field:4103->vlan_vid,resubmit(,10)',
    'in_port=3,tun_id=501,actions=push_vlan:0x8100,set_field:4104->vlan_vid,resubmit(,10)',
  ])
})

test('a card is sent to at its host, one on its way at both, one nobody has nowhere', () => {
  const elsewhere = [card(2, peer), card(3, other), card(4, peer), card(4, other)]
  assert.deepEqual(inTable([port({ peers: [peer, other], elsewhere })], 20), [
    'dl_vlan=7,dl_dst=fa:16:3e:00:01:02,actions=pop_vlan,set_field:500->tun_id,output:2',
    'dl_vlan=7,dl_dst=fa:16:3e:00:01:03,actions=pop_vlan,set_field:500->tun_id,output:3',
    'dl_vlan=7,dl_dst=fa:16:3e:00:01:04,actions=pop_vlan,set_field:500->tun_id,output:2,output:3',
  ])
  const hiding = [card(2, peer, { hides: true }), card(3, other)]
  assert.ok(
    inTable([port({ peers: [peer, other], elsewhere: hiding })], 20).includes(
      'dl_vlan=7,actions=pop_vlan,set_field:500->tun_id,output:2',
    ),
  )
})

test('what is for all goes to the hosts of the network', () => {
  const all = inTable([port({ peers: [other, peer] }), port({ networkId: 'n2', peers: [] }, 8)], 22)
  assert.deepEqual(all, ['dl_vlan=7,actions=pop_vlan,set_field:500->tun_id,output:2,output:3', 'dl_vlan=8,actions=drop'])
})

test('addresses are answered for: those of one card, which is not here too', () => {
  const asked = (elsewhere: Elsewhere[]) =>
    inTable([port({ elsewhere })], 21).flatMap(
      (flow) => /^arp,dl_vlan=7,arp_tpa=([^,]+),.*set_field:([^,]+)->arp_sha/.exec(flow)?.slice(1, 3) ?? [],
    )
  assert.deepEqual(asked([card(2, peer), card(2, other)]), ['10.0.0.2', 'fa:16:3e:00:01:02'])
  assert.deepEqual(asked([card(2, peer), card(3, peer, { ips: ['10.0.0.2'] })]), [])
  assert.deepEqual(asked([card(2, peer, { mac: port().mac })]), [])
  assert.deepEqual(asked([card(2, peer, { ips: ['2001:db8::1', '10.0.0.0/8', 'nonsense'] })]), [])
})

test('nothing a document says becomes a flow of its own', () => {
  const hostile = fc.string({ unit: fc.constantFrom('1', '0', '.', ':', 'a', '/', ',', '\n', ' ', '=', '-') })
  fc.assert(
    fc.property(hostile, hostile, hostile, (mac, ip, at) => {
      for (const flow of tunnelPipeline([port({ peers: [at], elsewhere: [{ mac, ips: [ip], at, hides: true }] })], doors))
        assert.match(flow, /^cookie=0x[0-9a-f]{16},table=\d+,priority=\d+,[^\n\t ]*actions=[^\n\t ]+$/)
    }),
  )
})
