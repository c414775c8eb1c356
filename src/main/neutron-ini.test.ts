import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overlaid, parseIni, readOverlay } from './neutron-ini.ts'

const read = (text: string, isOld = true) => readOverlay(text, { isOld, hasAddress: (ip) => ip === '9.181.129.110' })
const said = (text: string, isOld = true) =>
  read(text, isOld).complaints.map(({ line, what, isBroken }) => `${line}${isBroken ? '!' : ''} ${what}`)

/** The network node's block for VLANs, as people paste it. */
const vlanBlock = `[ovs]
tenant_network_type = vlan
network_vlan_ranges = physnet1,physnet2:101:110
integration_bridge = br-int
bridge_mappings = physnet1:br-ex,physnet2:br-eth1
`
/** Its block for GRE: without a section. */
const greBlock = `enable_tunneling = True
tunnel_type = gre
tunnel_id_ranges = 1:1000
local_ip = 9.181.129.110
integration_bridge = br-int
tunnel_bridge = br-tun
`

test('the block for VLANs says tenant type, ranges, flat networks and bridges', () => {
  const { overlay, complaints } = read(vlanBlock)
  assert.deepEqual(complaints, [])
  assert.deepEqual(overlay, {
    server: {
      tenantTypes: ['vlan'],
      vlanRanges: [
        { physicalNetwork: 'physnet1', from: 1, to: 0 },
        { physicalNetwork: 'physnet2', from: 101, to: 110 },
      ],
      flat: ['physnet1', 'physnet2'],
    },
    agent: { bridgeMappings: { physnet1: 'br-ex', physnet2: 'br-eth1' } },
  })
})

test('the block for GRE has no section: it is read as [ovs], with one complaint', () => {
  const { overlay, complaints } = read(greBlock)
  assert.deepEqual(overlay, { server: { tunnelIdRanges: [[1, 1000]] }, agent: { tunnelIp: '9.181.129.110' } })
  assert.equal(complaints.length, 1)
  assert.match(complaints[0]?.what ?? '', /enable_tunneling stands before any section/)
})

test('both blocks in one file are VLANs and tunnels at once', () => {
  const { server, agent } = read(`${vlanBlock}${greBlock}`).overlay
  assert.deepEqual([server.tenantTypes, server.tunnelIdRanges, agent.tunnelIp], [['vlan'], [[1, 1000]], '9.181.129.110'])
})

test('ids of the old plugin are those of its tunnel type', () => {
  assert.deepEqual(read('[ovs]\ntunnel_type = vxlan\ntunnel_id_ranges = 1:9').overlay.server, { vniRanges: [[1, 9]] })
})

test('tenants may be given no networks at all', () => {
  assert.deepEqual(read('[ovs]\ntenant_network_type = none').overlay.server, { tenantTypes: [] })
})

test('sections of today say the same, and a later file stands above', () => {
  const { overlay } = read(
    `[ml2]\ntenant_network_types = vxlan,vlan\n[ml2_type_flat]\nflat_networks = *\n[ml2_type_vlan]\nnetwork_vlan_ranges = p:1:9
[ml2_type_gre]\ntunnel_id_ranges = 5:6\n[ml2_type_vxlan]\nvni_ranges = 7:8,10:20`,
    false,
  )
  assert.deepEqual(overlay.server, {
    ...{ tenantTypes: ['vxlan', 'vlan'], flat: ['*'], vlanRanges: [{ physicalNetwork: 'p', from: 1, to: 9 }] },
    ...{
      tunnelIdRanges: [[5, 6]],
      vniRanges: [
        [7, 8],
        [10, 20],
      ],
    },
  })
  const { server, agent } = overlaid([read(vlanBlock).overlay, overlay])
  assert.deepEqual([server.tenantTypes, agent.bridgeMappings], [['vxlan', 'vlan'], { physnet1: 'br-ex', physnet2: 'br-eth1' }])
})

const wrongs: [text: string, said: RegExp][] = [
  ['tenant_network_type = vlna', /^2! tenant_network_type: "vlna" is unknown; allowed: local, vlan, gre, vxlan, geneve$/],
  ['network_vlan_ranges = physnet2:101:5000', /"101:5000" is not within 1:4094/],
  ['network_vlan_ranges = physnet2:110:101', /is not within/],
  ['network_vlan_ranges = physnet2:101', /"101" is no range/],
  ['network_vlan_ranges = :101:110', /names no physical network/],
  ['tunnel_id_ranges = 1：1000', /"1：1000" is no range; allowed: from:to/],
  ['tunnel_type = ipip', /"ipip" is unknown; allowed: gre, vxlan/],
  ['bridge_mappings = physnet2', /"physnet2" is no mapping/],
  ['bridge_mappings = physnet2:br-physical-two', /more than 11 characters/],
  ['bridge_mappings = a:br-1,a:br-2', /a is mapped twice/],
  ['local_ip = 10.9.9.9', /10\.9\.9\.9 is no address of this host/],
  ['local_ip = eth1', /"eth1" is no IPv4 address/],
  ['just words', /^2! "just words" is neither/],
]

for (const [text, pattern] of wrongs)
  test(`broken, with its line: ${text}`, () => {
    const all = said(`[ovs]\n${text}`)
    assert.equal(all.length, 1, all.join('\n'))
    assert.match(all[0] ?? '', pattern)
    assert.match(all[0] ?? '', /^2!/)
  })

test('what decides nothing is named with why; what is so anyway is not', () => {
  assert.deepEqual(said('[ovs]\nintegration_bridge = br-int\nenable_tunneling = true\n[agent]\nvxlan_udp_port = 4789'), [])
  assert.deepEqual(said('[ovs]\nintegration_bridge = br-foo\n[agent]\nfoo = 1'), [
    '2 integration_bridge = br-foo decides nothing: it is br-int',
    '4 foo in [agent] is not known here and decides nothing',
  ])
})

test('comments, quotes, colons and lines that go on are read', () => {
  const { entries } = parseIni('# one\n[ovs]\n; two\nlocal_ip: "1.2.3.4"\nbridge_mappings = a:b,\n  c:d\n')
  assert.deepEqual(
    entries.map(({ section, key, value, line }) => [section, key, value, line]),
    [
      ['ovs', 'local_ip', '1.2.3.4', 4],
      ['ovs', 'bridge_mappings', 'a:b,c:d', 5],
    ],
  )
})
