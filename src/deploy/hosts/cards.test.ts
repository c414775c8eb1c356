import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { settingsOf } from '../answers/settings.ts'
import { nodeConfig } from '../config.ts'
import { placeAt } from '../place.ts'
import {
  type CardsSeen,
  type CardsWanted,
  cardLines,
  cardScript,
  cardTroubles,
  readCards,
  readSaid,
  sayScript,
  tunnelAddress,
} from './cards.ts'

const seen: CardsSeen = {
  cards: ['lo', 'eth0', 'eth1', 'eth2', 'br-eth1'],
  pairs: [
    ['lo', '127.0.0.1'],
    ['eth0', '192.0.2.2'],
    ['br-eth1', '198.51.100.2'],
    ['eth2', '203.0.113.2'],
  ],
  bridged: new Map([['eth1', 'br-eth1']]),
}
const none: CardsWanted = { tunnelInterface: '', tunnelSubnets: [], uplinks: [] }
const troubles = (wanted: Partial<CardsWanted>) => cardTroubles(seen, { ...none, ...wanted }).map(({ what }) => what)

test('a card that a host does not have, or has in another bridge, is a problem; all of them at once', () => {
  const uplinks = [
    { bridge: 'br-eth1', nic: 'eth1' },
    { bridge: 'br-ex', nic: 'eth7' },
  ]
  assert.deepEqual(troubles({ uplinks }), ['it has no network card eth7, which is to be part of br-ex'])
  assert.deepEqual(troubles({ uplinks: [{ bridge: 'br-ex', nic: 'eth1' }], tunnelInterface: 'eth9' }), [
    'its network card eth1 is part of br-eth1, and is to be part of br-ex',
    'its interface eth9 has no IPv4 address, and is to carry tunnels',
  ])
})

test('the address of a card that became part of a bridge is found on the bridge', () => {
  assert.equal(tunnelAddress(seen, { ...none, tunnelInterface: 'eth1' }), '198.51.100.2')
  assert.deepEqual(troubles({ tunnelInterface: 'eth1' }), [])
})

test('tunnels begin at the address within the subnets; without one, that is a problem', () => {
  assert.equal(tunnelAddress(seen, { ...none, tunnelSubnets: ['203.0.113.0/24'] }), '203.0.113.2')
  assert.deepEqual(troubles({ tunnelSubnets: ['10.0.0.0/8'] }), ['it has no address within 10.0.0.0/8'])
  assert.deepEqual(troubles({ tunnelSubnets: ['10.0.0.0/8'], tunnelInterface: 'eth2' }), [
    'its tunnels would begin at 203.0.113.2, which is not within 10.0.0.0/8',
  ])
})

test('the plan names cards that move, with their addresses, and no others', () => {
  const uplinks = [
    { bridge: 'br-eth1', nic: 'eth1' },
    { bridge: 'br-ex', nic: 'eth2' },
  ]
  assert.deepEqual(
    cardLines(seen, { ...none, uplinks }).map((line) => line.trim()),
    ['eth2 becomes part of br-ex, and its address 203.0.113.2 goes to the bridge'],
  )
})

test('a shell says what cards there are', () => {
  const text = execFileSync('sh', ['-s'], { input: `${sayScript}\n${cardScript}`, encoding: 'utf8' })
  const { cards, pairs } = readCards(readSaid(text))
  assert.ok(cards.includes('lo'))
  assert.ok(pairs.every((pair) => pair.length === 2))
})

const settings = (more: [string, string][]) =>
  settingsOf(
    new Map([
      ['CONFIG_CONTROLLER_HOST', '192.0.2.1'],
      ['CONFIG_COMPUTE_HOSTS', '192.0.2.2'],
      ['CONFIG_NETWORK_HOSTS', '192.0.2.1'],
      ['CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS', 'physnet1:br-ex,physnet2:br-eth1,physnet3:br-eth2'],
      ...more,
    ]),
    new Map(),
  )
const agentOf = (more: [string, string][], isNetworkHost: boolean) => {
  const node = { name: 'h', address: '192.0.2.2', tunnelIp: '192.0.2.2', isController: false, isGateway: false, runsAgent: true }
  return nodeConfig(placeAt(), settings(more).settings, { ...node, isNetworkHost }).agent
}

test('a host gets the cards of the bridges it has: all with routers, else those named for it or all but the outside', () => {
  const cards: [string, string] = ['CONFIG_NEUTRON_OVS_BRIDGE_IFACES', 'br-ex:eth3,br-eth1:eth1,br-eth2:eth2']
  assert.deepEqual(
    agentOf([cards], true).uplinks?.map(({ nic }) => nic),
    ['eth3', 'eth1', 'eth2'],
  )
  assert.deepEqual(
    agentOf([cards], false).uplinks?.map(({ nic }) => nic),
    ['eth1', 'eth2'],
  )
  const named = agentOf([cards, ['CONFIG_NEUTRON_OVS_BRIDGES_COMPUTE', 'br-eth2']], false)
  assert.deepEqual([named.uplinks, named.bridgeMappings], [[{ bridge: 'br-eth2', nic: 'eth2' }], { physnet3: 'br-eth2' }])
  assert.equal('uplinks' in agentOf([], true), false)
})

test('pairs of bridges and cards that cannot be are named', () => {
  const said = (value: string) => settings([['CONFIG_NEUTRON_OVS_BRIDGE_IFACES', value]]).problems.map(({ what }) => what)
  assert.deepEqual(said('br-eth1:eth1'), [])
  assert.match(said('br-eth9:eth1')[0] ?? '', /the bridge br-eth9 is in no mapping; there are: br-ex, br-eth1, br-eth2/)
  assert.match(said('br-eth1:eth1,br-eth1:eth2')[0] ?? '', /br-eth1 has two cards/)
  assert.match(said('br-eth1:eth1,br-eth2:eth1')[0] ?? '', /eth1 is to be in two bridges/)
  assert.match(said('eth1')[0] ?? '', /"eth1" is no pair/)
  const names = settings([['CONFIG_NEUTRON_OVS_BRIDGES_COMPUTE', 'br-x']]).problems
  assert.match(names[0]?.what ?? '', /the bridge br-x is in no mapping/)
  const subnets = settings([['CONFIG_NEUTRON_OVS_TUNNEL_SUBNETS', '10.0.0.0/8,nonsense']]).problems
  assert.match(subnets[0]?.what ?? '', /"nonsense" is no subnet/)
})
