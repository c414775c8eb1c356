import assert from 'node:assert/strict'
import type { HostPort, Segment } from '../../../src/agents/document.ts'
import { portAgent } from '../../../src/agents/port/index.ts'
import { openOvs } from '../../../src/drivers/vswitch/ovs/ovs.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'
import { startSwitch } from './switch.ts'
import { anyone, makeGuest, segment } from './world.ts'

type Proof = (sentence: string, check: () => Promise<unknown>) => Promise<void>

/** Runs every program in a host's namespace. */
const within = (exec: Exec, space: string): Exec => ({
  attempt: (argv, options) => exec.attempt(['ip', 'netns', 'exec', space, ...argv], options),
  run: (argv, options) => exec.run(['ip', 'netns', 'exec', space, ...argv], options),
})

const everything = [anyone('egress'), anyone('ingress')]

const port = (number: number, address: string, on: Segment): HostPort => ({
  id: `70000000-0000-4000-8000-00000000000${number}`,
  kind: 'vm',
  device: `tapt${number}`,
  mac: `fa:16:3e:00:09:0${number}`,
  addresses: [address],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules: everything,
  segment: on,
})

/** A host of its own: a namespace, a switch, an underlay card in a bridge, the port agent. */
async function makeHost(exec: Exec, log: Log, dir: string, name: string, ip: string) {
  const inside = within(exec, name)
  await inside.run(['ip', 'link', 'set', 'lo', 'up'])
  const ovs = await startSwitch(exec, `${dir}/${name}`, ['ip', 'netns', 'exec', name])
  // A tunnel in user space sends by way of a bridge that has both the card and the address.
  await ovs.vsctl(
    'add-br',
    'br-phy',
    '--',
    'set',
    'bridge',
    'br-phy',
    'datapath_type=netdev',
    '--',
    'add-port',
    'br-phy',
    'under',
  )
  await inside.run(['ip', 'link', 'set', 'under', 'up', 'mtu', '1600'])
  await inside.run(['ip', 'addr', 'add', `${ip}/24`, 'dev', 'br-phy'])
  await inside.run(['ip', 'link', 'set', 'br-phy', 'up', 'mtu', '1600'])
  const driver = openOvs({
    exec: inside,
    log,
    runDir: ovs.dir,
    bridgeMappings: {},
    tunnelIp: ip,
    datapath: 'netdev',
    holds: async () => false,
  })
  return { ovs, inside, agent: portAgent({ driver, log }) }
}

/** Two hosts and a third that is no peer: networks reach over tunnels, and only where they should. */
export async function proveTunnels({
  exec,
  log,
  dir,
  proof,
}: {
  exec: Exec
  log: Log
  dir: string
  proof: Proof
}): Promise<void> {
  await exec.run(['ip', 'netns', 'add', 'host1'])
  await exec.run(['ip', 'netns', 'add', 'host2'])
  await exec.run(['ip', 'link', 'add', 'under', 'netns', 'host1', 'type', 'veth', 'peer', 'name', 'under', 'netns', 'host2'])
  for (const name of ['host1', 'host2']) await exec.run(['ip', 'netns', 'exec', name, 'ethtool', '-K', 'under', 'tx', 'off'])
  const one = await makeHost(exec, log, dir, 'host1', '192.0.2.1')
  const two = await makeHost(exec, log, dir, 'host2', '192.0.2.2')
  const [p1, p2] = [port(1, '10.9.0.1', segment('t')), port(2, '10.9.0.2', segment('t'))]
  const [g1, g2] = [await makeGuest(exec, dir, 't1', p1, 'host1'), await makeGuest(exec, dir, 't2', p2, 'host2')]
  await g1.run('ip', 'addr', 'add', '10.9.0.1/24', 'dev', 'eth0')
  await g2.run('ip', 'addr', 'add', '10.9.0.2/24', 'dev', 'eth0')
  for (const guest of [g1, g2]) await guest.run('ip', 'link', 'set', 'eth0', 'mtu', '1400')

  const wire = async (first: Segment, second: Segment) => {
    const told = [
      await one.agent.round({ complete: true, items: [{ ...p1, segment: first }] }),
      await two.agent.round({ complete: true, items: [{ ...p2, segment: second }] }),
    ]
    for (const { seen } of told)
      assert.deepEqual(
        seen.map(({ wired, error }) => [wired, error]),
        [[true, undefined]],
      )
  }
  const pings = async () =>
    (await g1.run('ping', '-c', '4', '-i', '0.3', '-W', '1', '10.9.0.2')).stdout.includes(' 0% packet loss') ||
    (await g1.run('ping', '-c', '3', '-i', '0.2', '-W', '1', '10.9.0.2')).code === 0

  for (const type of ['vxlan', 'gre', 'geneve'] as const) {
    await proof(`two hosts share a network over ${type}, and unlike numbers do not meet`, async () => {
      const on = (id: number, peer: string) => segment(`t-${type}`, { type, segmentationId: id, mtu: 1400, peers: [peer] })
      await wire(on(500, '192.0.2.2'), on(500, '192.0.2.1'))
      assert.ok(await pings(), 'same number')
      const learned = await one.ovs.ofctl('dump-flows', 'br-int', 'table=20')
      assert.match(learned, /hard_timeout=300.*dl_dst=fa:16:3e:00:09:02/)
      await one.agent.round({ complete: true, items: [{ ...p1, segment: on(500, '192.0.2.2') }] })
      assert.match(
        await one.ovs.ofctl('dump-flows', 'br-int', 'table=20'),
        /dl_dst=fa:16:3e:00:09:02/,
        'what was learned stays over rounds',
      )
      await wire(on(500, '192.0.2.2'), on(501, '192.0.2.1'))
      assert.equal(await pings(), false, 'other number')
    })
  }
  await one.agent.close?.()
  await two.agent.close?.()
}
