import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { family, linkLocal, masks } from './addresses.ts'
import { cookie, isOurs } from './cookies.ts'
import { bundle } from './difference.ts'
import { type Bystander, pipeline, portProblem, type Uplinks } from './pipeline.ts'
import { ruleMatches } from './rules.ts'
import type { WiredPort } from './tables.ts'

const port = (number: number, more: Partial<WiredPort> = {}): WiredPort => ({
  id: `port-${number}`,
  kind: 'vm',
  device: `tap${number}`,
  mac: `fa:16:3e:00:00:0${number}`,
  addresses: [`10.0.0.${number}`],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules: [],
  segment: {
    networkId: 'n1',
    type: 'local',
    physicalNetwork: undefined,
    segmentationId: undefined,
    mtu: 1500,
    peers: [],
    elsewhere: [],
  },
  ofport: number,
  zone: 100 + number,
  vlan: 7,
  ...more,
})
const rule = {
  direction: 'ingress' as const,
  ethertype: 'IPv4' as const,
  protocol: 'tcp',
  portMin: 22,
  portMax: 22,
  remotes: undefined,
}
const uplinks: Uplinks = { physical: { extnet: 50 }, tunnel: 60 }
const flows = (ports: WiredPort[], others: Bystander[] = []) => pipeline(ports, others, uplinks)

test('a range of ports becomes masks that cover it exactly', () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }))
  fc.assert(
    fc.property(pair, fc.integer({ min: 0, max: 65535 }), ([one, two], probe) => {
      const [from, to] = [Math.min(one, two), Math.max(one, two)]
      const covers = masks(from, to).some((text) => {
        const [value = '', mask = '0xffff'] = text.split('/')
        return (probe & Number(mask)) === Number(value)
      })
      assert.equal(covers, probe >= from && probe <= to)
      assert.ok(masks(from, to).length <= 30)
    }),
  )
})

test('the link-local address is made of the card as RFC 4291 says', () => {
  assert.equal(linkLocal('fa:16:3e:0a:0b:0c'), 'fe80::f816:3eff:fe0a:b0c')
})

test('what is no address is known as such', () => {
  assert.deepEqual(
    ['10.0.0.1', '10.0.0.0/8', '::/0', '10.0.0.1/33', 'fe80::1%eth0', '10.0.0.1,actions=NORMAL', ''].map(family),
    [4, 4, 6, 0, 0, 0, 0],
  )
})

test('rules become matches of their protocol, ports and remotes', () => {
  assert.deepEqual(ruleMatches(rule).matches, ['tcp,tp_dst=22'])
  assert.deepEqual(ruleMatches({ ...rule, remotes: ['10.0.0.0/8', '::/0'] }).matches, ['tcp,nw_src=10.0.0.0/8,tp_dst=22'])
  assert.deepEqual(ruleMatches({ ...rule, remotes: [] }).matches, [])
  assert.deepEqual(ruleMatches({ ...rule, protocol: undefined, portMin: undefined, portMax: undefined }).matches, ['ip'])
  assert.deepEqual(ruleMatches({ ...rule, ethertype: 'IPv6', protocol: 'icmp', portMin: 128, portMax: undefined }).matches, [
    'icmp6,icmp_type=128',
  ])
  assert.deepEqual(ruleMatches({ ...rule, protocol: '47', portMin: undefined, portMax: undefined }).matches, ['ip,nw_proto=47'])
  assert.deepEqual(
    ruleMatches({ ...rule, direction: 'egress', ethertype: 'IPv6', protocol: 'udp', remotes: ['2001:db8::/32'] }).matches,
    ['udp6,ipv6_dst=2001:db8::/32,tp_dst=22'],
  )
})

test('a rule that makes no sense gives no match and says so, whatever it is', () => {
  const bad = [
    { ...rule, protocol: '47' },
    { ...rule, portMin: 30, portMax: 20 },
    { ...rule, portMin: -1 },
    { ...rule, portMax: 70_000 },
    { ...rule, protocol: 'tcp\nadd priority=1,actions=NORMAL' },
    { ...rule, protocol: undefined },
    { ...rule, protocol: 'icmp', portMin: undefined, portMax: 3 },
    { ...rule, protocol: '300', portMin: undefined, portMax: undefined },
  ]
  for (const one of bad) {
    const { matches, problem } = ruleMatches(one)
    assert.deepEqual([matches, problem === undefined], [[], false], JSON.stringify(one))
    assert.ok(!problem?.includes('\n'))
  }
})

test('no text of a user can become a flow of its own', () => {
  const hostile = fc.string({ unit: fc.constantFrom('1', '0', '.', ':', 'a', '/', ',', '\n', ' ', '=', '\t', '-') })
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (mac, ip, pair, protocol) => {
      const one = port(1, {
        mac,
        addresses: [ip],
        allowedPairs: [{ ip: pair, mac: '' }],
        rules: [{ ...rule, protocol, portMin: undefined, portMax: undefined, remotes: [ip, pair] }],
      })
      if (portProblem(one) !== undefined) return
      for (const flow of flows([one]))
        assert.match(flow, /^cookie=0x[0-9a-f]{16},table=\d+,priority=\d+,[^\n\t ]+,actions=[^\n\t ]+$/)
    }),
  )
})

test('the port of a guest is known by its card and address, and every other flow of its belongs to it', () => {
  const mine = flows([port(1)]).filter((flow) => flow.includes(cookie('port', 'port-1')))
  assert.ok(
    mine.some((flow) =>
      flow.includes('table=71,priority=65,in_port=1,ip,dl_src=fa:16:3e:00:00:01,nw_src=10.0.0.1,actions=ct(table=72,zone=101)'),
    ),
  )
  assert.ok(
    mine.some((flow) =>
      /table=71,priority=95,in_port=1,arp,dl_src=fa:16:3e:00:00:01,arp_sha=fa:16:3e:00:00:01,arp_spa=10\.0\.0\.1,/.test(flow),
    ),
  )
  assert.ok(mine.every((flow) => /in_port=1,|reg5=1,|table=60,/.test(flow)))
})

test('neighbour discovery never passes as ordinary traffic, and guests are neither routers nor DHCP servers', () => {
  const mine = flows([port(1)])
  const drops = ['90,in_port=1,icmp6,icmp_type=135', '90,in_port=1,icmp6,icmp_type=136', '100,in_port=1,icmp6,icmp_type=134']
  for (const match of [...drops, '100,in_port=1,udp,tp_src=67,tp_dst=68', '100,in_port=1,udp6,tp_src=547,tp_dst=546']) {
    assert.ok(
      mine.some((flow) => flow.endsWith(`table=71,priority=${match},actions=drop`)),
      match,
    )
  }
})

test('an unguarded port is believed and heard', () => {
  const mine = flows([port(1, { guarded: false })])
  assert.ok(mine.some((flow) => flow.includes('in_port=1,vlan_tci=0x0000/0x1fff,actions=set_field:7->reg6,resubmit(,60)')))
  assert.ok(!mine.some((flow) => flow.includes('table=71') || flow.includes('table=81')))
})

test('what is for everybody reaches each port of the network once, guests by their rules, and no port of another network', () => {
  const ports = [port(1), port(2, { guarded: false }), port(3, { vlan: 8, segment: { ...port(3).segment, networkId: 'n2' } })]
  const everybody = flows(ports).filter((flow) => flow.includes('dl_dst=01:00:00:00:00:00/01:00:00:00:00:00'))
  assert.deepEqual(
    everybody.map((flow) => flow.slice(flow.indexOf('reg6='))),
    [
      'reg6=7,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=set_field:1->reg5,resubmit(,81),output:2',
      'reg6=8,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=set_field:3->reg5,resubmit(,81)',
    ],
  )
})

test('networks of tunnels go to br-tun and come from it with their local number', () => {
  const segment = { ...port(1).segment, type: 'vxlan' as const, segmentationId: 500, peers: ['192.0.2.2'] }
  const all = flows([port(1, { segment })])
  assert.ok(all.some((flow) => flow.includes('in_port=60,dl_vlan=7,actions=pop_vlan,set_field:7->reg6,resubmit(,60)')))
  assert.ok(all.some((flow) => flow.endsWith('priority=40,reg6=7,actions=push_vlan:0x8100,set_field:4103->vlan_vid,output:60')))
})

test('what is sent to a guest on its way goes to both hosts, and to where it comes only once it spoke there', () => {
  const segment = { ...port(1).segment, type: 'vxlan' as const, segmentationId: 500, peers: ['192.0.2.2'] }
  const to = (move: 'comes' | 'leaves' | undefined) => {
    const all = flows([port(1, { segment, move })])
    return { all, deliver: all.find((flow) => flow.includes('dl_dst=fa:16:3e:00:00:01,'))?.split('actions=')[1] }
  }
  const out = 'push_vlan:0x8100,set_field:4103->vlan_vid,output:60'
  assert.equal(to(undefined).deliver, 'set_field:1->reg5,resubmit(,81)')
  assert.equal(to('leaves').deliver, `set_field:1->reg5,resubmit(,81),${out}`)
  assert.equal(to('comes').deliver, `set_field:1->reg7,set_field:0->reg5,resubmit(,61),resubmit(,81),${out}`)
  const learns = (move: 'comes' | 'leaves') => to(move).all.filter((flow) => flow.includes('learn('))
  assert.equal(learns('leaves').length, 0)
  assert.equal(learns('comes').length, 1)
  assert.match(
    learns('comes')[0]!,
    /table=0,.*in_port=1,vlan_tci=0x0000\/0x1fff,actions=learn\(table=61,.*reg7=1,load:1->NXM_NX_REG5\[\]\)/,
  )
})

test('a VLAN is put on and taken off at the door of the host', () => {
  const segment = { ...port(1).segment, type: 'vlan' as const, segmentationId: 102, physicalNetwork: 'extnet' }
  const all = flows([port(1, { segment })])
  assert.ok(all.some((flow) => flow.includes('in_port=50,dl_vlan=102,actions=pop_vlan,set_field:7->reg6,')))
  assert.ok(all.some((flow) => flow.endsWith('push_vlan:0x8100,set_field:4198->vlan_vid,output:50')))
})

test('ports that the document does not name now still hear what is for all', () => {
  const all = flows([port(1)], [{ ofport: 9, vlan: 7, networkId: 'n1', guarded: true, kind: 'vm' }])
  assert.ok(all.some((flow) => flow.endsWith('actions=set_field:1->reg5,resubmit(,81),set_field:9->reg5,resubmit(,81)')))
})

test('members of a group have a flow each, whatever number of ports lets them in, and ports one for each rule', () => {
  const remotes = ['10.0.0.1/32', '10.0.0.2/32', '2001:db8::1/128']
  const rules = [
    { ...rule, remotes, remotesOf: 'g' },
    { ...rule, portMin: 80, portMax: 80, remotes, remotesOf: 'g' },
    { ...rule, remotes: ['10.0.0.2/32'], remotesOf: 'h' },
  ]
  const all = flows([port(1, { rules }), port(2, { rules })]).filter((flow) => flow.includes('table=82,priority=60'))
  const said = (pattern: RegExp) => all.flatMap((flow) => pattern.exec(flow)?.slice(1) ?? [])
  const parts = (text: string) => text.split('),').length
  const addresses = all.filter((flow) => flow.includes(',1/2)'))
  assert.deepEqual(
    addresses.map((flow) => [/nw_src=([^,]+)/.exec(flow)?.[1], parts(flow)]),
    [
      ['10.0.0.1/32', 1],
      ['10.0.0.2/32', 2],
    ],
  )
  assert.deepEqual(said(/reg5=1,tcp,tp_dst=(\d+)/), ['22', '80'])
  assert.equal(parts(all.find((flow) => flow.includes('reg5=2,tcp,tp_dst=22'))!), 2)
  const numbers = new Set(all.flatMap((flow) => [...flow.matchAll(/conjunction\((\d+),/g)].map(([, number]) => number)))
  assert.equal(numbers.size, 2)
  assert.deepEqual(new Set(said(/reg5=1,conj_id=(\d+),ip,ct_state=\+new-inv\+trk,actions=ct\(commit,zone=101\)/)), numbers)
})

test('of a flow that stays, what it says of a set less is known', () => {
  const diff = [
    `-table=82 priority=60,ct_state=+new,ip,nw_src=10.0.0.1 cookie=${cookie('set', 'addresses')} actions=conjunction(5,1/2),conjunction(7,1/2)`,
    `+table=82 priority=60,ct_state=+new,ip,nw_src=10.0.0.1 cookie=${cookie('set', 'addresses')} actions=conjunction(7,1/2),conjunction(9,1/2)`,
  ].join('\n')
  const { lines, removed } = bundle(diff, () => true)
  assert.equal(lines.length, 1)
  assert.deepEqual(
    removed.map(({ sets }) => sets),
    [[5]],
  )
})

test('a difference becomes a bundle that adds, replaces and removes only what is ours', () => {
  const [mine, other] = [cookie('port', 'a'), cookie('port', 'b')]
  const learned = cookie('learned', 'n')
  const diff = [
    `-table=60 priority=5,reg6=0x1 cookie=${mine} actions=output:1`,
    `+table=60 priority=5,reg6=0x1 cookie=${mine} actions=output:2`,
    `-table=61 priority=5,reg6=0x1 cookie=${mine} actions=output:1`,
    `-table=61 priority=6,reg6=0x1 cookie=${other} actions=output:1`,
    `-table=20 priority=1,reg6=0x1 cookie=${learned}, hard_timeout=300 actions=output:1`,
    '-priority=0 actions=NORMAL',
    '-table=62 priority=5 cookie=0x5 actions=drop',
  ].join('\n')
  assert.deepEqual(bundle(diff, (one) => one !== learned).lines, [
    'delete_strict table=61 priority=5,reg6=0x1',
    'delete_strict table=61 priority=6,reg6=0x1',
    `add table=60 priority=5,reg6=0x1 cookie=${mine} actions=output:2`,
  ])
  assert.deepEqual(
    bundle(diff, (one) => one === mine).removed.map(({ key }) => key),
    ['table=61 priority=5,reg6=0x1'],
  )
})

test('cookies are ours by their form', () => {
  assert.ok(isOurs(cookie('port', 'x')))
  assert.ok(!isOurs('0x0') && !isOurs('0xa17'))
})
