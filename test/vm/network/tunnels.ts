import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Segment } from '../../../src/agents/document.ts'
import type { WholePort } from '../../../src/agents/port/sample.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'
import { become, guestPort, heard, type Layout, layWires, makeHost, passesTcp, type TunnelHost, told, within } from './hosts.ts'
import { until } from './switch.ts'
import { type Guest, makeGuest, segment } from './world.ts'

type Proof = (sentence: string, check: () => Promise<unknown>) => Promise<void>
type World = { exec: Exec; proof: Proof; hosts: [TunnelHost, TunnelHost, TunnelHost]; guests: [Guest, Guest, Guest] }

/** By type: bytes an IP packet may have on a physical network of 1,500, and what is seen of it on the wire. */
const types = {
  vxlan: { mtu: 1450, filter: 'udp dst port 4789' },
  gre: { mtu: 1458, filter: 'ip proto 47' },
  geneve: { mtu: 1450, filter: 'udp dst port 6081' },
} as const
type Tunnelled = keyof typeof types

const net = (type: Tunnelled, segmentationId = 500): Segment =>
  segment(`net-${type}-${segmentationId}`, { type, segmentationId, mtu: types[type].mtu })

const pings = async (guest: Guest, to: string, ...more: string[]) =>
  (await guest.run('ping', '-c', '3', '-i', '0.2', '-W', '1', ...more, to)).code === 0

const setMtu = (guests: Guest[], mtu: number) =>
  Promise.all(guests.map((guest) => guest.run('ip', 'link', 'set', 'eth0', 'mtu', `${mtu}`)))

/** A network with a guest on each of the first two hosts. */
const pair = ([one, two]: World['hosts'], on: Segment): Layout => [
  { host: one, port: guestPort(1, on) },
  { host: two, port: guestPort(2, on) },
]

const portsOf = async (host: TunnelHost): Promise<string[]> =>
  (await host.ovs.vsctl('list-ports', 'br-tun')).trim().split('\n').sort()

async function proveTypes({ exec, proof, hosts, guests }: World): Promise<void> {
  const [one, two, three] = hosts
  for (const type of ['vxlan', 'gre', 'geneve'] as const) {
    const { mtu, filter } = types[type]
    await proof(
      `two hosts share a network over ${type}: packets of ${mtu} bytes and TCP pass, in packets of that protocol`,
      async () => {
        await setMtu(guests, mtu)
        await become(hosts, pair(hosts, net(type)))
        assert.ok(await pings(guests[0], '10.9.0.2', '-M', 'do', '-s', `${mtu - 28}`), 'ping')
        assert.ok(await passesTcp(guests[0], guests[1], '10.9.0.2'), 'TCP')
        const seen = await heard(exec, one.wires.tunnel, `${filter} and src ${one.ip} and dst ${two.ip}`, () =>
          pings(guests[0], '10.9.0.2'),
        )
        assert.ok(seen.length >= 3, `${seen.length} packets on the wire`)
      },
    )
    await proof(`a ${type} tunnel leads to the peer, by its name, and to nobody else`, async () => {
      assert.deepEqual(await portsOf(one), [`${type}-c0000202`, 'patch-int'].sort())
      assert.deepEqual(await portsOf(two), [`${type}-c0000201`, 'patch-int'].sort())
      assert.deepEqual(await portsOf(three), ['patch-int'])
    })
    await proof(`over ${type} networks of unlike numbers do not meet`, async () => {
      await one.become(told(one, pair(hosts, net(type, 500))))
      await two.become(told(two, pair(hosts, net(type, 501))))
      assert.equal(await pings(guests[0], '10.9.0.2'), false)
    })
  }
}

async function proveSilence({ exec, proof, hosts, guests }: World): Promise<void> {
  const [one, two, three] = hosts
  const [g1, , g3] = guests
  const on = net('vxlan')
  const all = 'udp dst port 4789'
  const layout = pair(hosts, on)
  const stranger = '10.9.0.77'
  const shout = async () => {
    await g1.run('ip', 'neigh', 'replace', stranger, 'lladdr', 'fa:16:3e:00:77:77', 'dev', 'eth0', 'nud', 'permanent')
    await g1.run('ping', '-c', '3', '-i', '0.2', '-W', '1', stranger)
  }
  await become(hosts, layout)
  await proof('who has an address is answered without a packet on the wire', async () => {
    let answer = ''
    const seen = await heard(exec, one.wires.tunnel, all, async () => {
      answer = (await g1.run('arping', '-b', '-c', '2', '-w', '2', '-I', 'eth0', '10.9.0.2')).stdout
    })
    assert.match(answer.toLowerCase(), /fa:16:3e:00:09:02/)
    assert.deepEqual(seen, [])
  })
  await proof('who has an address that others may take too is asked over the wire', async () => {
    const open = layout.map(({ host, port }) => ({ host, port: { ...port, addresses: [] } }))
    await one.become(told(one, open).map((port) => ({ ...port, addresses: ['10.9.0.1'] })))
    const seen = await heard(exec, one.wires.tunnel, all, () =>
      g1.run('arping', '-b', '-c', '2', '-w', '2', '-I', 'eth0', '10.9.0.2'),
    )
    assert.ok(seen.length > 0)
    await become(hosts, layout)
  })
  await proof('what is sent to a card nobody has goes nowhere', async () => {
    assert.deepEqual(await heard(exec, one.wires.tunnel, all, shout), [])
  })
  await proof('where a port without port security may hide cards it goes there, and to no other host', async () => {
    const hiding: Layout = [
      ...layout.slice(0, 1),
      { host: two, port: guestPort(2, on, { guarded: false }) },
      { host: three, port: guestPort(3, on) },
    ]
    await become(hosts, hiding)
    const others = heard(exec, three.wires.tunnel, all, async () => {})
    const mine = heard(within(exec, 'guest-t2'), 'eth0', `icmp and dst ${stranger}`, async () => {})
    await delay(600)
    await shout()
    assert.ok((await mine).length > 0, 'the port that may hide it')
    assert.deepEqual(await others, [], 'the other host')
    await g1.run('ip', 'neigh', 'del', stranger, 'dev', 'eth0')
  })
  await proof('what is for all reaches the hosts of the network, and no other', async () => {
    const ask = () => g1.run('arping', '-c', '2', '-w', '1', '-I', 'eth0', stranger)
    await become(hosts, [...layout, { host: three, port: guestPort(3, on) }])
    assert.ok((await heard(exec, three.wires.tunnel, all, ask)).length > 0, 'with a guest there')
    await become(hosts, [...layout, { host: three, port: guestPort(3, net('vxlan', 700)) }])
    assert.deepEqual(await heard(exec, three.wires.tunnel, all, ask), [], 'with a guest of another network there')
  })
  await proof('known cards are sent to at their host only', async () => {
    await become(hosts, [...layout, { host: three, port: guestPort(3, on) }])
    assert.deepEqual(await heard(exec, three.wires.tunnel, all, () => pings(g1, '10.9.0.2')), [])
    assert.ok(await pings(g1, '10.9.0.3'), 'to the third')
    assert.ok(await pings(g3, '10.9.0.2'), 'from the third')
  })
  await proof('a host that shares no network any more has no tunnel here', async () => {
    await become(hosts, layout)
    assert.deepEqual(await portsOf(one), ['patch-int', 'vxlan-c0000202'])
    await one.become(told(one, layout.slice(0, 1)))
    assert.deepEqual(await portsOf(one), ['patch-int'])
    await one.become([])
    assert.deepEqual(await portsOf(one), ['patch-int'])
    await become(hosts, layout)
    assert.ok(await pings(g1, '10.9.0.2'))
  })
}

async function proveBorders({ exec, proof, hosts, guests }: World): Promise<void> {
  const [one, , three] = hosts
  const [, , g3] = guests
  const at = (host: TunnelHost): WholePort['segment']['elsewhere'] => [
    { mac: guestPort(1, net('vxlan')).mac, ips: ['10.9.0.1'], at: host.ip, hides: false },
  ]
  /** The third host says it is in the network; whether the first agrees is up to what the first was told. */
  const intrude = () => three.become([guestPort(3, { ...net('vxlan'), peers: [one.ip], elsewhere: at(one) })])
  const knock = () => g3.run('ping', '-c', '3', '-i', '0.2', '-W', '1', '10.9.0.1')
  const hearsIt = async () => (await heard(within(exec, 'guest-t1'), 'eth0', 'src 10.9.0.3', knock)).length > 0
  await proof('a host that is no peer is not believed, whatever number it sends', async () => {
    await become(hosts, pair(hosts, net('vxlan')))
    await intrude()
    assert.ok((await heard(exec, one.wires.tunnel, `udp dst port 4789 and src ${three.ip}`, knock)).length > 0, 'it does send')
    assert.equal(await hearsIt(), false)
  })
  await proof('a peer in one network is not believed in another', async () => {
    const other = { host: one, port: guestPort(4, net('vxlan', 600)) }
    const theirs = { host: three, port: guestPort(5, net('vxlan', 600)) }
    await one.become(told(one, [...pair(hosts, net('vxlan')), other, theirs]))
    assert.deepEqual(await portsOf(one), ['patch-int', 'vxlan-c0000202', 'vxlan-c0000203'])
    await intrude()
    assert.equal(await hearsIt(), false)
    await become(hosts, [...pair(hosts, net('vxlan')), { host: three, port: guestPort(3, net('vxlan')) }])
    assert.equal(await hearsIt(), true, 'once it is a peer there it is heard, or this proves nothing')
  })
}

async function proveMove({ exec, proof, hosts, guests }: World): Promise<void> {
  const [one, two, three] = hosts
  const [g1, g2, g3] = guests
  const on = net('vxlan')
  const p1 = { host: one, port: guestPort(1, on) }
  const at = (host: TunnelHost, device: string, move?: 'comes' | 'leaves') => ({ host, port: guestPort(2, on, { device, move }) })
  await proof(
    'a guest goes to another host: one answer to each ping, and none is lost but what the guest itself misses',
    async () => {
      // The third guest is the second one where it will be.
      await g3.run('ip', 'link', 'set', 'eth0', 'down')
      await g3.run('ip', 'addr', 'flush', 'dev', 'eth0')
      await g3.run('ip', 'link', 'set', 'eth0', 'address', p1.port.mac.replace(/1$/, '2'))
      await g3.run('ip', 'addr', 'add', '10.9.0.2/24', 'dev', 'eth0')
      await g3.run('ip', 'link', 'set', 'eth0', 'up', 'mtu', '1450')
      // As quiet as a guest that does not run yet.
      await g3.run(
        'nft',
        'add table netdev t; add chain netdev t out { type filter hook egress device "eth0" priority 0; policy drop; }',
      )
      await become(hosts, [p1, at(two, 'tapt2')])
      const listening = g3.run('timeout', '--signal=INT', '3', 'tcpdump', '-lnnpi', 'eth0', 'icmp')
      const running = g1.run('ping', '-c', '60', '-i', '0.1', '-W', '1', '10.9.0.2')
      await delay(500)
      await become([three, two, one], [p1, at(two, 'tapt2', 'leaves'), at(three, 'tapt3', 'comes')])
      assert.equal((await listening).stdout.trim(), '', 'before it is there it hears nothing')
      const wire = heard(exec, three.wires.tunnel, `udp dst port 4789 and src ${one.ip}`, async () => {})
      await wire.then((seen) => assert.ok(seen.length > 0, 'a copy is sent to where it goes'))
      await g2.run('ip', 'link', 'set', 'eth0', 'down')
      await g3.run('nft', 'delete', 'table', 'netdev', 't')
      await g3.run('arping', '-U', '-c', '1', '-w', '1', '-I', 'eth0', '10.9.0.2')
      await become([three, one, two], [p1, at(three, 'tapt3')])
      const { stdout } = await running
      const [, received] = /(\d+) received/.exec(stdout) ?? []
      assert.ok(60 - Number(received) <= 5, `${60 - Number(received)} of 60 lost`)
      assert.doesNotMatch(stdout, /DUP/)
      assert.doesNotMatch(await three.ovs.ofctl('dump-flows', 'br-int', 'table=61'), /reg7/)
    },
  )
  await g2.run('ip', 'link', 'set', 'eth0', 'up')
}

async function proveTogether({ exec, proof, hosts, guests }: World): Promise<void> {
  const [one, two, three] = hosts
  const [g1, g2] = guests
  const vlan = segment('net-vlan', { type: 'vlan', physicalNetwork: 'physnet1', segmentationId: 101, mtu: 1500 })
  const flat = segment('net-flat', { type: 'flat', physicalNetwork: 'physnet1', mtu: 1500 })
  const local = segment('net-local', { mtu: 1500 })
  const lay = async (on: Segment, more: Layout = []) => {
    await setMtu(guests, on.mtu)
    await become(hosts, [...pair(hosts, on), ...more])
  }
  await proof(
    'a VLAN over the physical bridge, with full packets and its tag on the wire, while tunnels are there too',
    async () => {
      const more = [4, 5].map((number) => ({ host: number === 4 ? one : three, port: guestPort(number, net('gre', 9)) }))
      await lay(vlan, more)
      assert.deepEqual(await portsOf(one), ['gre-c0000203', 'patch-int'])
      assert.ok(await pings(g1, '10.9.0.2', '-M', 'do', '-s', '1472'), 'ping')
      assert.ok(await passesTcp(g1, g2, '10.9.0.2'), 'TCP')
      const seen = await heard(exec, two.wires.physical, 'vlan 101 and icmp', () => pings(g1, '10.9.0.2'))
      assert.ok(seen.length >= 6, `${seen.length} with the tag`)
    },
  )
  await proof(
    "what QEMU says for a guest that has just come is heard by the physical switches, and only under the guest's own card",
    async () => {
      const number = (await one.ovs.vsctl('get', 'interface', 'tapt1', 'ofport')).trim()
      const rarp = (card: string) => `ffffffffffff${card}80350001080006040003${card}00000000${card}00000000`
      const say = (card: string) =>
        heard(exec, two.wires.physical, 'vlan 101 and ether proto 0x8035', () =>
          one.ovs.ofctl('packet-out', 'br-int', `in_port=${number} packet=${rarp(card)} actions=table`),
        )
      assert.ok((await say('fa163e000901')).length > 0)
      assert.deepEqual(await say('fa163e000977'), [])
    },
  )
  await proof('a flat network is untagged on the wire', async () => {
    await lay(flat)
    assert.ok(await pings(g1, '10.9.0.2', '-M', 'do', '-s', '1472'), 'ping')
    assert.ok((await heard(exec, two.wires.physical, 'icmp', () => pings(g1, '10.9.0.2'))).length >= 6)
  })
  await proof('a tag that a guest itself writes leads nowhere', async () => {
    await lay(flat)
    const [to, from] = ['ffffffffffff', 'fa163e000901']
    const question = '0806' + `0001080006040001${from}0a090001` + '0000000000000a090063'
    // As if it came in there: no program here writes frames of its own.
    const number = (await one.ovs.vsctl('get', 'interface', 'tapt1', 'ofport')).trim()
    const send = (tag: string) =>
      one.ovs.ofctl('packet-out', 'br-int', `in_port=${number} packet=${to}${from}${tag}${question} actions=table`)
    const arps = (tag: string) => heard(exec, one.wires.physical, 'ether src fa:16:3e:00:09:01', () => send(tag))
    assert.ok((await arps('')).length > 0, 'without a tag it passes, or this proves nothing')
    assert.deepEqual(await arps('81000066'), [])
  })
  await proof('a local network leaves no host', async () => {
    await lay(local)
    const quiet = async (wire: string) => heard(exec, wire, 'arp or icmp or udp port 4789', () => pings(g1, '10.9.0.2'))
    assert.equal(await pings(g1, '10.9.0.2'), false)
    assert.deepEqual([await quiet(one.wires.physical), await quiet(one.wires.tunnel)], [[], []])
  })
}

async function proveRestarts({ proof, hosts, guests }: World): Promise<void> {
  const [one] = hosts
  const [g1] = guests
  const layout = pair(hosts, net('geneve'))
  await setMtu(guests, 1450)
  await become(hosts, layout)
  await proof('a restarted agent loses no packet between hosts and changes no flow', async () => {
    const flows = () => one.ovs.ofctl('dump-flows', '--no-stats', 'br-tun')
    const before = await flows()
    const running = g1.run('ping', '-c', '20', '-i', '0.1', '-W', '1', '10.9.0.2')
    await delay(400)
    await one.restartAgent()
    await become(hosts, layout)
    assert.match((await running).stdout, /20 received/)
    assert.equal(await flows(), before)
  })
  await proof('without a complete document no tunnel and no flow of br-tun is taken away', async () => {
    const state = async () => [await portsOf(one), await one.ovs.ofctl('dump-flows', '--no-stats', 'br-tun')]
    const before = await state()
    await one.become([], false)
    assert.deepEqual(await state(), before)
    assert.ok(await pings(g1, '10.9.0.2'))
  })
  await proof('Open vSwitch killed and restarted: tunnels come back', async () => {
    await one.ovs.kill()
    await one.ovs.start()
    await one.address()
    const back = () =>
      become(hosts, layout).then(
        () => true,
        () => false,
      )
    await until('a round', back, 8000)
    await until('the ping', () => pings(g1, '10.9.0.2'), 8000)
  })
  await proof('a tunnel that somebody deleted is laid again, and one from an old address is laid anew', async () => {
    await one.ovs.vsctl('del-port', 'geneve-c0000202')
    await become(hosts, layout)
    assert.ok(await pings(g1, '10.9.0.2'))
    await one.ovs.vsctl('set', 'interface', 'geneve-c0000202', 'options:local_ip=192.0.2.99')
    await become(hosts, layout)
    assert.ok(await pings(g1, '10.9.0.2'))
  })
}

/** Three hosts over wires of ours: networks reach over tunnels and VLANs, and only where they should. */
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
  await layWires(exec)
  const make = (number: number) => makeHost(exec, log, dir, number)
  const hosts: World['hosts'] = [await make(1), await make(2), await make(3)]
  const guest = async (number: number, host: TunnelHost) => {
    const made = await makeGuest(exec, dir, `t${number}`, guestPort(number, net('vxlan')), host.name)
    // It would speak of itself all the time.
    await made.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
    await made.run('ip', 'addr', 'add', `10.9.0.${number}/24`, 'dev', 'eth0')
    return made
  }
  const guests: World['guests'] = [await guest(1, hosts[0]), await guest(2, hosts[1]), await guest(3, hosts[2])]
  const world = { exec, proof, hosts, guests }
  await proveTypes(world)
  await proveSilence(world)
  await proveBorders(world)
  await proveTogether(world)
  await proveRestarts(world)
  await proveMove(world)
  for (const host of hosts) await host.close()
}
