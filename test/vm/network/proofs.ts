import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostDhcp, HostRouter, SecurityRule } from '../../../src/agents/document.ts'
import type { WholePort } from '../../../src/agents/port/sample.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'
import { proveCrashes } from './crash.ts'
import { startSwitch, until } from './switch.ts'
import { proveTunnels } from './tunnels.ts'
import { anyone, type Documents, type Guest, internal, makeGuest, openHost, segment } from './world.ts'

const netA = segment('aaaaaaaa-0000-4000-8000-00000000000a', { type: 'vxlan', segmentationId: 100 })
const netB = segment('bbbbbbbb-0000-4000-8000-00000000000b', { type: 'vlan', physicalNetwork: 'physnet1', segmentationId: 102 })
const netX = segment('eeeeeeee-0000-4000-8000-00000000000e', { type: 'flat', physicalNetwork: 'extnet', mtu: 1500 })

const out = anyone('egress')
const icmp = anyone('ingress', { protocol: 'icmp' })
const ssh = anyone('ingress', { protocol: 'tcp', portMin: 22, portMax: 22 })

const guestPort = (id: string, number: number, address: string, on: typeof netA, rules: SecurityRule[]): WholePort => ({
  id: `${id}000000-0000-4000-8000-000000000001`,
  kind: 'vm',
  device: `tap${id}`,
  mac: `fa:16:3e:00:00:0${number}`,
  addresses: [address],
  allowedPairs: [],
  adminUp: true,
  guarded: true,
  rules,
  segment: on,
})

const a1 = guestPort('a1', 1, '10.0.0.11', netA, [out])
const a2 = guestPort('a2', 2, '10.0.0.12', netA, [out])
const b1 = guestPort('b1', 3, '10.0.0.11', netB, [out, icmp])
const b2 = guestPort('b2', 4, '10.0.0.12', netB, [out, icmp])

const dhcpA = internal('d1000000-0000-4000-8000-000000000001', 'tapdhcpa', 'fa:16:3e:00:01:01', ['10.0.0.2'], netA)
const dhcpB = internal('d2000000-0000-4000-8000-000000000001', 'tapdhcpb', 'fa:16:3e:00:01:02', ['10.0.0.2'], netB)
const qrA = internal('c1000000-0000-4000-8000-000000000001', 'qr-a', 'fa:16:3e:00:02:01', ['10.0.0.1'], netA)
const qgA = internal('c2000000-0000-4000-8000-000000000001', 'qg-a', 'fa:16:3e:00:02:02', ['172.24.4.10'], netX)

const router: HostRouter = {
  id: 'f0000000-0000-4000-8000-000000000001',
  external: {
    portId: qgA.id,
    device: 'qg-a',
    mac: qgA.mac,
    mtu: 1500,
    addresses: [{ ip: '172.24.4.10', prefix: 24 }],
    gatewayIps: ['172.24.4.1'],
    snat: true,
  },
  internal: [{ portId: qrA.id, device: 'qr-a', mac: qrA.mac, mtu: 1450, addresses: [{ ip: '10.0.0.1', prefix: 24 }] }],
  floatingIps: [],
  routes: [],
}

const dhcp = (port: WholePort, gatewayIp: string | undefined, guests: WholePort[]): HostDhcp => ({
  networkId: port.segment.networkId,
  portId: port.id,
  device: port.device,
  mac: port.mac,
  mtu: 1450,
  addresses: [{ ip: '10.0.0.2', prefix: 24 }],
  domain: 'openstacklocal',
  subnets: [
    {
      id: 's1',
      cidr: '10.0.0.0/24',
      gatewayIp,
      dns: ['192.0.2.53'],
      routes: [{ destination: '198.51.100.0/24', nexthop: '10.0.0.99' }],
      hosts: guests.map((guest) => ({ mac: guest.mac, ip: guest.addresses[0]!, hostname: `host-${guest.device}` })),
    },
  ],
  metadata: true,
})

const before = (): Documents => ({
  port: [a1, a2, b1, b2, dhcpA, dhcpB, qrA, qgA],
  router: [router],
  dhcp: [dhcp(dhcpA, '10.0.0.1', [a1, a2]), dhcp(dhcpB, undefined, [b1, b2])],
})

const withRules = (documents: Documents, id: string, rules: SecurityRule[]): Documents => ({
  ...documents,
  port: documents.port.map((port) => (port.id === id ? { ...port, rules } : port)),
})

const floating = (documents: Documents, fixedIp: string | undefined): Documents => ({
  ...documents,
  router: documents.router.map((one) => ({
    ...one,
    floatingIps: fixedIp === undefined ? [] : [{ id: 'fip1', floatingIp: '172.24.4.50', fixedIp }],
  })),
})

type Proof = (sentence: string, check: () => Promise<unknown>) => Promise<void>
type World = { exec: Exec; log: Log; dir: string; proof: Proof }

/** Proves it all, one line each. Gives the exit code. */
export async function prove({ only, ...place }: Omit<World, 'proof'> & { only: string | undefined }): Promise<number> {
  let failed = 0
  const proof: Proof = async (sentence, check) => {
    const started = Date.now()
    try {
      await check()
      console.log(`ok      ${sentence} (${Date.now() - started} ms)`)
    } catch (error) {
      failed++
      console.log(`FAILED  ${sentence}\n        ${(error as Error).message.split('\n').slice(0, 12).join('\n        ')}`)
    }
  }
  const parts = { host: proveHost, tunnels: proveTunnels, crash: proveCrashes }
  for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part({ ...place, proof })
  console.log(failed === 0 ? 'all proven' : `${failed} failed`)
  return failed === 0 ? 0 : 1
}

/** One host: guests, rules, router, DHCP, restarts. */
async function proveHost({ exec, log, dir, proof }: World): Promise<void> {
  const ovs = await startSwitch(exec, `${dir}/ovs`)
  const host = openHost({ exec, log, dir: `${dir}/agent`, ovsDir: ovs.dir })
  const guests: Record<'a1' | 'a2' | 'b1' | 'b2', Guest> = {
    a1: await makeGuest(exec, dir, 'a1', a1),
    a2: await makeGuest(exec, dir, 'a2', a2),
    b1: await makeGuest(exec, dir, 'b1', b1),
    b2: await makeGuest(exec, dir, 'b2', b2),
  }
  const pings = async (from: Guest, to: string, ...more: string[]) =>
    (await from.run('ping', '-c', '2', '-i', '0.2', '-W', '1', ...more, to)).code === 0
  const hostPings = async (to: string) => (await exec.attempt(['ping', '-c', '2', '-i', '0.2', '-W', '1', to])).code === 0
  /** Whether the guest hears a packet like this while something is done. */
  const hears = async (guest: Guest, filter: string, act: () => Promise<unknown>) => {
    const listening = guest.run('timeout', '2.5', 'tcpdump', '-lnpi', 'eth0', '-c', '1', filter)
    await delay(500)
    await act()
    return (await listening).code === 0
  }
  const netcat = (port: number) => `require('net').createServer(s=>{s.on('error',()=>{});s.pipe(s)}).listen(${port},'0.0.0.0')`
  const serve = (guest: Guest, port: number) => {
    const child = spawn('ip', ['netns', 'exec', `guest-${guest.name}`, process.execPath, '-e', netcat(port)], { stdio: 'ignore' })
    return () => child.kill('SIGKILL')
  }
  const connects = async (argv: string[], ip: string, port: number) => {
    const code = `const s=require('net').connect(${port},'${ip}');s.setTimeout(2500,()=>process.exit(1));s.on('error',()=>process.exit(1));s.write('x'.repeat(30000));let n=0;s.on('data',d=>{n+=d.length;if(n>=30000)process.exit(0)})`
    return (await exec.attempt([...argv, process.execPath, '-e', code])).code === 0
  }
  const from = (guest: Guest) => ['ip', 'netns', 'exec', `guest-${guest.name}`]

  let documents = before()
  const apply = async (next: Documents) => {
    documents = next
    const told = await host.settle(documents)
    for (const port of told.port) assert.deepEqual(port, { id: port.id, wired: true, error: undefined })
    for (const one of told.router) assert.ok(one.ready, `router: ${one.error}`)
    for (const one of told.dhcp) assert.ok(one.ready, `dhcp: ${one.error}`)
    return told
  }

  await proof('an empty host becomes what the documents say: ports wired, router ready, DHCP served', () => apply(before()))
  await proof('a guest gets its address, MTU, routes and name servers by DHCP', async () => {
    const told = await guests.a1.dhcp()
    assert.equal(told['ip'], '10.0.0.11')
    assert.equal(told['mtu'], '1450')
    assert.equal(told['router'], '10.0.0.1')
    assert.equal(told['dns'], '192.0.2.53')
    assert.equal(told['hostname'], 'host-tapa1')
    assert.match(
      told['staticroutes'] ?? '',
      /198\.51\.100\.0\/24 10\.0\.0\.99 169\.254\.169\.254\/32 10\.0\.0\.2 0\.0\.0\.0\/0 10\.0\.0\.1/,
    )
    await guests.a2.dhcp()
    await guests.b1.dhcp()
    await guests.b2.dhcp()
  })
  await proof('what DHCP said is told, for each guest', async () => {
    const told = await host.settle(documents)
    const leases = told.dhcp.find((one) => one.networkId === netA.networkId)?.leases ?? []
    assert.deepEqual(leases.map(({ ip, last }) => [ip, last]).sort(), [
      ['10.0.0.11', 'DHCPACK'],
      ['10.0.0.12', 'DHCPACK'],
    ])
    assert.ok(leases.every(({ at }) => Math.abs(at / 1000 - Date.now()) < 120_000))
  })
  await proof('nothing reaches a guest without a rule, also from its own network', async () =>
    assert.equal(await pings(guests.a1, '10.0.0.12'), false),
  )
  await proof('a rule lets through what it names and nothing else', async () => {
    const stop = [serve(guests.a2, 22), serve(guests.a2, 23)]
    await apply(withRules(documents, a2.id, [out, icmp, ssh]))
    await delay(300)
    try {
      assert.ok(await pings(guests.a1, '10.0.0.12'), 'ping')
      assert.ok(await connects(from(guests.a1), '10.0.0.12', 22), 'tcp 22')
      assert.equal(await connects(from(guests.a1), '10.0.0.12', 23), false)
      assert.equal(await pings(guests.a2, '10.0.0.11'), false)
    } finally {
      for (const one of stop) one()
    }
  })
  await proof('a rule for members of a group lets these through and not others', async () => {
    await apply(withRules(documents, a2.id, [out, { ...icmp, remotes: ['10.0.0.11/32'] }]))
    assert.ok(await pings(guests.a1, '10.0.0.12'))
    await apply(withRules(documents, a2.id, [out, { ...icmp, remotes: ['10.0.0.77/32'] }]))
    assert.equal(await pings(guests.a1, '10.0.0.12'), false)
    await apply(withRules(documents, a2.id, [out, { ...icmp, remotes: [] }]))
    assert.equal(await pings(guests.a1, '10.0.0.12'), false)
  })
  await proof('rules of several groups with members in common let in whom any of them names', async () => {
    const of = (remoteGroup: string, remotes: string[], more: Partial<SecurityRule> = {}) => ({
      ...icmp,
      ...more,
      remotes,
      remoteGroup,
    })
    const withGroups = (...rules: SecurityRule[]) => apply(withRules(documents, a2.id, [out, ...rules]))
    const stranger = '10.0.0.77/32'
    await withGroups(of('g', ['10.0.0.11/32', stranger]), of('h', ['10.0.0.11/32']))
    assert.ok(await pings(guests.a1, '10.0.0.12'), 'named by both')
    await withGroups(of('g', [stranger]), of('h', ['10.0.0.11/32', stranger]))
    assert.ok(await pings(guests.a1, '10.0.0.12'), 'named by one')
    await withGroups(of('g', ['10.0.0.11/32'], { protocol: 'tcp' }), of('h', [stranger]))
    assert.equal(await pings(guests.a1, '10.0.0.12'), false, 'named for something else')
    await withGroups(of('g', []), of('h', [stranger]))
    assert.equal(await pings(guests.a1, '10.0.0.12'), false, 'named by none')
  })
  await proof('who leaves a group loses the connections that live by it, though another group has the address', async () => {
    const of = (remoteGroup: string, remotes: string[], more: Partial<SecurityRule> = {}) => ({
      ...icmp,
      ...more,
      remotes,
      remoteGroup,
    })
    const tcp = of('h', ['10.0.0.11/32'], { protocol: 'tcp' })
    await apply(withRules(documents, a2.id, [out, of('g', ['10.0.0.11/32']), tcp]))
    const long = guests.a1.run('ping', '-c', '20', '-i', '0.2', '-W', '1', '10.0.0.12')
    await delay(1000)
    await apply(withRules(documents, a2.id, [out, of('g', ['10.0.0.77/32']), tcp]))
    const answered = Number(/(\d+) received/.exec((await long).stdout)?.[1])
    assert.ok(answered > 0 && answered < 18, `${answered} of 20 answered`)
  })
  await proof('a rule that is taken away cuts connections that live by it', async () => {
    await apply(withRules(documents, a2.id, [out, icmp]))
    const long = guests.a1.run('ping', '-c', '20', '-i', '0.2', '-W', '1', '10.0.0.12')
    await delay(1000)
    await apply(withRules(documents, a2.id, [out]))
    const answered = Number(/(\d+) received/.exec((await long).stdout)?.[1])
    assert.ok(answered > 0 && answered < 18, `${answered} of 20 answered`)
  })
  await proof('a rule that makes no sense is told and does not cost the others', async () => {
    const rules = [out, icmp, anyone('ingress', { protocol: '47', portMin: 1, portMax: 2 })]
    documents = withRules(documents, a2.id, rules)
    const told = await host.settle(documents)
    assert.match(told.port.find(({ id }) => id === a2.id)?.error ?? '', /makes no sense/)
    assert.ok(await pings(guests.a1, '10.0.0.12'))
    await apply(withRules(documents, a2.id, [out, icmp]))
  })
  await proof('networks of two projects with the same addresses do not hear each other', async () => {
    assert.ok(await pings(guests.b1, '10.0.0.12'), 'within b')
    assert.equal(
      await hears(guests.a1, 'arp or icmp', () => guests.b1.run('arping', '-c', '2', '-w', '1', '-I', 'eth0', '10.0.0.99')),
      false,
    )
    assert.equal(
      await hears(guests.b2, 'arp', () => guests.b1.run('arping', '-c', '2', '-w', '1', '-I', 'eth0', '10.0.0.98')),
      true,
    )
  })

  const guarded = (id: string, on: boolean): Documents => ({
    ...documents,
    port: documents.port.map((port) => (port.id === id ? { ...port, guarded: on } : port)),
  })
  /** The same forgery without port security has to be heard: else the proof would prove nothing. */
  const forging = async (what: string, filter: string, act: () => Promise<unknown>) =>
    proof(what, async () => {
      await apply(guarded(a1.id, false))
      const open = await hears(guests.a2, filter, act)
      await apply(guarded(a1.id, true))
      assert.equal(open, true, 'without port security it was not heard either')
      assert.equal(await hears(guests.a2, filter, act), false, 'it was heard')
    })
  await forging('a guest that forges its card is stopped', 'ether src fa:16:3e:00:00:77', async () => {
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'down')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'address', 'fa:16:3e:00:00:77')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'up')
    await guests.a1.run('ping', '-c', '2', '-W', '1', '10.0.0.12')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'down')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'address', a1.mac)
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'up')
    await guests.a1.run('ip', 'route', 'replace', 'default', 'via', '10.0.0.1')
  })
  await forging('a guest that forges its address is stopped', 'icmp and src 10.0.0.66', async () => {
    await guests.a1.run('ip', 'addr', 'add', '10.0.0.66/24', 'dev', 'eth0')
    await guests.a1.run('ip', 'neigh', 'replace', '10.0.0.12', 'lladdr', a2.mac, 'dev', 'eth0')
    await guests.a1.run('ping', '-c', '2', '-W', '1', '-I', '10.0.0.66', '10.0.0.12')
    await guests.a1.run('ip', 'neigh', 'del', '10.0.0.12', 'dev', 'eth0')
    await guests.a1.run('ip', 'addr', 'del', '10.0.0.66/24', 'dev', 'eth0')
  })
  await forging('a guest that claims another address by ARP is stopped', 'arp host 10.0.0.66', async () => {
    await guests.a1.run('ip', 'addr', 'add', '10.0.0.66/24', 'dev', 'eth0')
    await guests.a1.run('arping', '-U', '-c', '2', '-w', '1', '-I', 'eth0', '-s', '10.0.0.66', '10.0.0.66')
    await guests.a1.run('ip', 'addr', 'del', '10.0.0.66/24', 'dev', 'eth0')
  })
  const datagram = (source: number, port: number, six = false) => [
    process.execPath,
    '-e',
    `const s=require('dgram').createSocket('udp${six ? 6 : 4}');s.bind(${source},()=>{${six ? "s.setMulticastInterface('::%eth0')" : 's.setBroadcast(true)'};s.send('x'.repeat(300),${port},'${six ? 'ff02::1' : '10.0.0.255'}',()=>s.close())})`,
  ]
  await forging('a guest that plays DHCP server is stopped', 'udp src port 67', () => guests.a1.run(...datagram(67, 68)))
  await forging('a guest that plays DHCPv6 server is stopped', 'udp src port 547', () =>
    guests.a1.run(...datagram(547, 546, true)),
  )
  await proof('IPv6 works between guests where rules allow it', async () => {
    const neighbour = 'fe80::f816:3eff:fe00:2'
    await apply(withRules(documents, a2.id, [out, icmp, anyone('ingress', { ethertype: 'IPv6', protocol: 'ipv6-icmp' })]))
    await apply(withRules(documents, a1.id, [out, anyone('egress', { ethertype: 'IPv6' })]))
    await until('IPv6 ping', () => pings(guests.a1, neighbour, '-I', 'eth0'), 8000)
  })
  const claim = async () => {
    await guests.a1.run('sysctl', '-qw', 'net.ipv6.conf.eth0.ndisc_notify=1')
    await guests.a1.run('ip', '-6', 'addr', 'add', 'fe80::66/64', 'dev', 'eth0', 'nodad')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'down')
    await guests.a1.run('ip', 'link', 'set', 'eth0', 'up')
    await guests.a1.run('ip', '-6', 'addr', 'del', 'fe80::66/64', 'dev', 'eth0')
    await guests.a1.run('ip', '-6', 'addr', 'add', 'fe80::66/64', 'dev', 'eth0', 'nodad')
    await delay(300)
    await guests.a1.run('ping', '-6', '-c', '1', '-W', '1', '-I', 'fe80::66%eth0', 'fe80::f816:3eff:fe00:2%eth0')
    await guests.a1.run('ip', '-6', 'addr', 'del', 'fe80::66/64', 'dev', 'eth0')
  }
  await forging(
    'a guest that claims another address by neighbour discovery is stopped',
    'icmp6 and (ip6[40] == 136 and ip6[63] == 0x66 or src fe80::66)',
    claim,
  )
  await forging(
    'a guest that answers for another from its own address is stopped',
    'icmp6 and ip6[40] == 136 and ip6[63] == 0x77',
    async () => {
      await guests.a1.run(
        'sysctl',
        '-qw',
        'net.ipv6.conf.all.forwarding=1',
        'net.ipv6.conf.eth0.proxy_ndp=1',
        'net.ipv6.neigh.eth0.proxy_delay=0',
      )
      await guests.a1.run('ip', '-6', 'neigh', 'add', 'proxy', 'fe80::77', 'dev', 'eth0')
      await guests.a2.run('ping', '-6', '-c', '2', '-W', '1', 'fe80::77%eth0')
      await guests.a1.run('ip', '-6', 'neigh', 'del', 'proxy', 'fe80::77', 'dev', 'eth0')
      await guests.a1.run('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=0')
    },
  )
  await proof('a guest does not reach the host itself past its rules', async () => {
    const [tap] = JSON.parse(await exec.run(['ip', '-j', 'link', 'show', 'dev', 'tapa1'])) as { address: string }[]
    await exec.run(['ip', 'addr', 'replace', '198.51.100.1/32', 'dev', 'lo'])
    await guests.a1.run('ip', 'neigh', 'replace', '10.0.0.250', 'lladdr', tap?.address ?? '', 'dev', 'eth0')
    await guests.a1.run('ip', 'route', 'replace', '198.51.100.1/32', 'via', '10.0.0.250', 'dev', 'eth0')
    const send = "const s=require('dgram').createSocket('udp4');s.send('x',5555,'198.51.100.1',()=>s.close())"
    const listen = "require('dgram').createSocket('udp4').on('message',()=>process.exit(0)).bind(5555)"
    const reaches = async () => {
      const listening = exec.attempt(['timeout', '2', process.execPath, '-e', listen])
      await delay(700)
      await guests.a1.run(process.execPath, '-e', send)
      return (await listening).code === 0
    }
    assert.equal(await reaches(), false)
    await exec.run(['nft', 'delete', 'table', 'netdev', 'altostack'])
    assert.equal(await reaches(), true, 'without our rule it does, or this proves nothing')
    await apply(documents)
    assert.equal(await reaches(), false, 'the rule is put back')
    await exec.run(['ip', 'addr', 'del', '198.51.100.1/32', 'dev', 'lo'])
  })
  await proof('an allowed address pair may be used, another address may not', async () => {
    const pair = { ip: '10.0.0.200', mac: a1.mac }
    await apply({
      ...documents,
      port: documents.port.map((port) => (port.id === a1.id ? { ...port, allowedPairs: [pair] } : port)),
    })
    await guests.a1.run('ip', 'addr', 'add', '10.0.0.200/24', 'dev', 'eth0')
    await guests.a1.run('ip', 'addr', 'add', '10.0.0.201/24', 'dev', 'eth0')
    assert.ok(await pings(guests.a1, '10.0.0.12', '-I', '10.0.0.200'))
    assert.equal(await pings(guests.a1, '10.0.0.12', '-I', '10.0.0.201'), false)
    await apply({ ...documents, port: documents.port.map((port) => (port.id === a1.id ? { ...port, allowedPairs: [] } : port)) })
    assert.equal(await pings(guests.a1, '10.0.0.12', '-I', '10.0.0.200'), false)
    await guests.a1.run('ip', 'addr', 'del', '10.0.0.200/24', 'dev', 'eth0')
    await guests.a1.run('ip', 'addr', 'del', '10.0.0.201/24', 'dev', 'eth0')
  })
  await proof('without port security a port may say what it likes', async () => {
    await apply({ ...documents, port: documents.port.map((port) => (port.id === b1.id ? { ...port, guarded: false } : port)) })
    await guests.b1.run('ip', 'addr', 'add', '10.0.0.66/24', 'dev', 'eth0')
    assert.ok(await pings(guests.b1, '10.0.0.12', '-I', '10.0.0.66'))
    await guests.b1.run('ip', 'addr', 'del', '10.0.0.66/24', 'dev', 'eth0')
    await apply({ ...documents, port: documents.port.map((port) => (port.id === b1.id ? { ...port, guarded: true } : port)) })
  })

  await proof('a guest renews its address', async () => assert.equal((await guests.a1.dhcp())['ip'], '10.0.0.11'))
  await proof("a guest reaches the outside by its router and comes from the router's address", async () => {
    const heard = exec.attempt(['timeout', '4', 'tcpdump', '-lnpi', 'br-ex', '-c', '1', 'icmp and src 172.24.4.10'])
    await delay(400)
    assert.ok(await pings(guests.a1, '172.24.4.1'), 'ping')
    assert.equal((await heard).code, 0, 'source address')
  })
  await proof('a guest without router does not reach the outside', async () =>
    assert.equal(await pings(guests.b1, '172.24.4.1'), false),
  )
  await proof('a floating address leads to the guest, and its own connections come from it', async () => {
    await apply(floating(withRules(documents, a1.id, [out, icmp, ssh]), '10.0.0.11'))
    const stop = serve(guests.a1, 22)
    try {
      assert.ok(await hostPings('172.24.4.50'), 'ping')
      await delay(200)
      assert.ok(await connects([], '172.24.4.50', 22), 'tcp')
      const heard = exec.attempt(['timeout', '4', 'tcpdump', '-lnpi', 'br-ex', '-c', '1', 'icmp[0] == 8 and src 172.24.4.50'])
      await delay(400)
      await pings(guests.a1, '172.24.4.1')
      assert.equal((await heard).code, 0, 'source address')
      assert.ok(await pings(guests.a2, '172.24.4.50'), "from the guest's own network")
    } finally {
      stop()
    }
  })
  await proof('a floating address that moves takes its connections along', async () => {
    const long = exec.attempt(['ping', '-c', '15', '-i', '0.2', '-W', '1', '172.24.4.50'])
    await delay(600)
    await apply(floating(documents, undefined))
    const answered = Number(/(\d+) received/.exec((await long).stdout)?.[1])
    assert.ok(answered > 0 && answered < 13, `${answered} of 15 answered`)
    await apply(floating(documents, '10.0.0.11'))
    assert.ok(await hostPings('172.24.4.50'))
  })

  const wget = async (guest: Guest, ...more: string[]) =>
    (await guest.run('timeout', '5', 'busybox', 'wget', '-q', '-O', '-', ...more, 'http://169.254.169.254/openstack')).stdout
  await proof(
    'metadata is reached through the DHCP namespace and through the router; forged headers count for nothing',
    async () => {
      assert.equal(await wget(guests.a1), `you are 10.0.0.11 of ${netA.networkId}\n`)
      assert.equal(
        await wget(guests.b1, '--header', 'X-Forwarded-For: 10.0.0.12', '--header', 'X-Instance-ID: b2'),
        `you are 10.0.0.11 of ${netB.networkId}\n`,
      )
      await guests.a1.run('ip', 'route', 'del', '169.254.169.254/32')
      assert.equal(await wget(guests.a1), `you are 10.0.0.11 of ${router.id}\n`)
      assert.ok(host.asked.every(({ path, method }) => path === '/openstack' && method === 'GET'))
    },
  )
  await proof('the metadata door of a router is shut to the outside', async () =>
    assert.equal(await connects([], '172.24.4.10', 9697), false),
  )

  /** Pings five times a second while something happens. Gives how many were lost. */
  const lost = async (ping: (count: string) => Promise<{ stdout: string }>, seconds: number, act: () => Promise<unknown>) => {
    const count = seconds * 5
    const running = ping(String(count))
    await delay(500)
    await act()
    return count - Number(/(\d+) received/.exec((await running).stdout)?.[1])
  }
  const steady = (count: string) => exec.attempt(['ping', '-c', count, '-i', '0.2', '-W', '1', '172.24.4.50'])
  await proof('a killed and restarted agent interrupts nothing and changes nothing', async () => {
    const flows = () => ovs.ofctl('dump-flows', '--no-stats', 'br-int')
    const pids = async () => (await exec.run(['sh', '-c', 'cat ' + `${dir}/agent-dhcp/*/pid`])).trim()
    const [flowsBefore, pidsBefore] = [await flows(), await pids()]
    const gone = await lost(steady, 4, async () => {
      await host.restart()
      await apply(documents)
    })
    assert.equal(gone, 0)
    assert.equal(await flows(), flowsBefore)
    assert.equal(await pids(), pidsBefore)
    assert.equal(await wget(guests.b1), `you are 10.0.0.11 of ${netB.networkId}\n`)
  })
  await proof('without a complete document nothing is taken away', async () => {
    const flows = await ovs.ofctl('dump-flows', '--no-stats', 'br-int')
    await host.settle({ port: [], router: [], dhcp: [] }, false)
    await host.settle({ ...documents, port: [b1] }, false)
    assert.equal(await ovs.ofctl('dump-flows', '--no-stats', 'br-int'), flows)
    assert.ok(await hostPings('172.24.4.50'))
  })
  await proof('a dead DHCP server is noticed and started again', async () => {
    let hinted = false
    const unwatch = host.agents().dhcp.watch?.(() => {
      hinted = true
    })
    const pid = Number((await exec.run(['cat', `${dir}/agent-dhcp/${netA.networkId}/pid`])).trim())
    process.kill(pid, 'SIGKILL')
    await until('the hint', async () => hinted, 5000)
    unwatch?.()
    await apply(documents)
    assert.equal((await guests.a2.dhcp())['ip'], '10.0.0.12')
  })
  await proof('a new host entry is known to the running DHCP server', async () => {
    const more = dhcp(dhcpB, undefined, [b1, { ...b2, addresses: ['10.0.0.13'] }])
    const pid = await exec.run(['cat', `${dir}/agent-dhcp/${netB.networkId}/pid`])
    const port = documents.port.map((one) => (one.id === b2.id ? { ...one, addresses: ['10.0.0.13'] } : one))
    await apply({ ...documents, port, dhcp: [documents.dhcp[0]!, more] })
    await delay(300)
    assert.equal((await guests.b2.dhcp())['ip'], '10.0.0.13')
    assert.equal(await exec.run(['cat', `${dir}/agent-dhcp/${netB.networkId}/pid`]), pid)
  })
  await proof('Open vSwitch killed and restarted: told at once, flows, ports, routers and DHCP come back', async () => {
    let hinted = 0
    const unwatch = host.agents().port.watch?.(() => {
      hinted++
    })
    await delay(200)
    await ovs.kill()
    hinted = 0
    await ovs.start()
    await until('the hint', async () => hinted > 0, 5000)
    unwatch?.()
    const started = Date.now()
    // A round that comes while the switch is still starting fails, and is tried again.
    await until(
      'a round',
      () =>
        apply(documents).then(
          () => true,
          () => false,
        ),
      5000,
    )
    await until('the ping', () => hostPings('172.24.4.50'), 5000)
    console.log(`        traffic ${Date.now() - started} ms after the hint`)
    assert.equal((await guests.a2.dhcp())['ip'], '10.0.0.12')
    assert.equal(await wget(guests.b1), `you are 10.0.0.11 of ${netB.networkId}\n`)
    assert.ok(await pings(guests.b1, '10.0.0.13'))
  })
  await proof('a namespace that somebody deleted is made again, with its devices', async () => {
    await exec.run(['ip', 'netns', 'del', `qrouter-${router.id}`])
    await apply(documents)
    await until('the ping', () => hostPings('172.24.4.50'), 5000)
  })
  await proof('a reboot (bridges and namespaces gone, servers killed) is made good', async () => {
    for (const bridge of ['br-int', 'br-ex', 'br-eth1']) await ovs.vsctl('--if-exists', 'del-br', bridge)
    for (const name of (await readdir('/run/netns')).filter((one) => one.startsWith('q')))
      await exec.run(['ip', 'netns', 'del', name])
    await host.restart()
    await apply(documents)
    await until('the ping', () => hostPings('172.24.4.50'), 5000)
    assert.equal((await guests.a1.dhcp())['ip'], '10.0.0.11')
    assert.equal(await wget(guests.b1), `you are 10.0.0.11 of ${netB.networkId}\n`)
  })
  await proof('a tap of a guest is made, marked, and goes with its port', async () => {
    const tap = guestPort('ee', 9, '10.0.0.40', netA, [out])
    await apply({ ...documents, port: [...documents.port, tap] })
    const [link] = JSON.parse(await exec.run(['ip', '-j', '-d', 'link', 'show', 'dev', 'tapee'])) as {
      ifalias: string
      mtu: number
      linkinfo: { info_data: { persist: boolean } }
    }[]
    assert.equal(link?.ifalias, `altostack:${tap.id}`)
    assert.equal(link?.mtu, 1450)
    assert.equal(link?.linkinfo.info_data.persist, true)
    await ovs.vsctl('del-port', 'tapee')
    assert.ok(
      (await host.agents().port.inventory()).ports.some(({ device }) => device === 'tapee'),
      'a loose tap is told',
    )
    await apply(before())
    assert.notEqual((await exec.attempt(['ip', 'link', 'show', 'dev', 'tapee'])).code, 0)
  })
  await proof('the inventory names what is here', async () => {
    const [port, router1, dhcp1] = [
      await host.agents().port.inventory(),
      await host.agents().router.inventory(),
      await host.agents().dhcp.inventory(),
    ]
    assert.deepEqual(port.ports.map(({ id }) => id).sort(), documents.port.map(({ id }) => id).sort())
    assert.equal(router1.namespaces.length, 3)
    assert.deepEqual([port.problems, router1.problems, dhcp1.problems], [[], [], []])
  })
  await proof('nothing is left when the documents are complete and empty', async () => {
    const told = await host.settle({ port: [], router: [], dhcp: [] })
    assert.deepEqual(told, { port: [], router: [], dhcp: [] })
    assert.deepEqual((await host.agents().port.inventory()).ports, [])
    assert.deepEqual(
      (await readdir('/run/netns')).filter((name) => name.startsWith('q')),
      [],
    )
    assert.deepEqual(await readdir(`${dir}/agent/namespaces`), [])
    assert.deepEqual(await readdir(`${dir}/agent-dhcp`), [])
    assert.equal(
      (await ovs.ofctl('dump-flows', '--no-stats', 'br-int'))
        .trim()
        .split('\n')
        .filter((line) => line.includes('0xa17')).length,
      0,
    )
    assert.notEqual((await exec.attempt(['pgrep', '-x', 'dnsmasq'])).code, 0)
    assert.doesNotMatch(await exec.run(['nft', 'list', 'ruleset']), /tapee/)
  })
  await host.close()
  // Two switches in one namespace would want devices of the same names.
  await ovs.kill()
}
