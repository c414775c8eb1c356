import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSimDhcpd, simDhcpd } from '../../drivers/dhcpd/sim/sim.ts'
import { openSimNetns, simNetns } from '../../drivers/netns/sim/sim.ts'
import { fakeClock } from '../../kit/clock.ts'
import { silentLog } from '../../kit/log.ts'
import type { HostDhcp } from '../document.ts'
import { dhcpAgent } from './index.ts'

const dhcp = (networkId = 'n1'): HostDhcp => ({
  networkId,
  portId: 'p1',
  device: 'tapdhcp',
  mac: 'fa:16:3e:00:00:01',
  mtu: 1450,
  addresses: [{ ip: '10.0.0.2', prefix: 24 }],
  domain: 'openstacklocal',
  subnets: [
    {
      id: 's1',
      cidr: '10.0.0.0/24',
      gatewayIp: '10.0.0.1',
      dns: [],
      routes: [],
      hosts: [{ mac: 'fa:16:3e:00:00:05', ip: '10.0.0.5', hostname: 'vm1' }],
    },
  ],
  metadata: true,
})

const cloud = (hasDevice?: (device: string) => boolean) => {
  const [spaces, servers] = [simNetns(hasDevice), simDhcpd()]
  const link = { metadata: async () => ({ status: 200, contentType: 'text/plain', body: '' }) }
  const agent = dhcpAgent({
    netns: openSimNetns({ host: spaces }),
    dhcpd: openSimDhcpd({ host: servers, clock: fakeClock() }),
    link,
    log: silentLog,
  })
  return { spaces, servers, agent }
}

test('a network is served, tells its leases and listens for metadata', async () => {
  const { spaces, agent } = cloud()
  const { seen, again } = await agent.round({ complete: true, items: [dhcp()] })
  assert.equal(again, undefined)
  assert.deepEqual(
    seen.map(({ ready, leases }) => [ready, leases.map(({ ip, last }) => [ip, last])]),
    [[true, [['10.0.0.5', 'DHCPACK']]]],
  )
  const space = spaces.spaces.get('qdhcp-n1')
  assert.deepEqual([space?.listening?.ip, space?.listening?.port], ['169.254.169.254', 80])
  assert.ok(space?.shape.links[0]?.addresses.some(({ ip }) => ip === '169.254.169.254'))
})

test('no server runs before its device is there', async () => {
  const { servers, agent } = cloud(() => false)
  const { seen, again } = await agent.round({ complete: true, items: [dhcp()] })
  assert.equal(seen[0]?.ready, false)
  assert.equal(servers.servers.size, 0)
  assert.ok(again !== undefined)
})

test('nothing is left of a network that a complete document does not name', async () => {
  const { spaces, servers, agent } = cloud()
  await agent.round({ complete: true, items: [dhcp()] })
  await agent.round({ complete: false, items: [] })
  assert.equal(spaces.spaces.size, 1)
  assert.deepEqual((await agent.round({ complete: true, items: [] })).seen, [])
  assert.deepEqual([spaces.spaces.size, servers.servers.size], [0, 0])
})
