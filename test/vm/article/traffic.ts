/** What the article is for: guests that reach each other over VLAN and GRE, across the router, and the world outside. */
import assert from 'node:assert/strict'
import type { Net } from '../hosts/hosts.ts'
import { prove, until } from '../installed.ts'
import { type Cloud, type Guest, openCloud } from './guests.ts'
import { line, says, type World } from './world.ts'

export type Guests = Record<'net01' | 'net02' | 'net03' | 'net04', readonly [onFirst: Guest, onSecond: Guest]>

export async function traffic(world: World): Promise<{ cloud: Cloud; guests: Guests; floating: string }> {
  const cloud = await openCloud(world)
  const pair = (net: string) =>
    prove(`a guest on each host in ${net}`, () => Promise.all([cloud.boot(net, world.first), cloud.boot(net, world.second)]))
  const guests = {
    net01: await pair('net01'),
    net02: await pair('net02'),
    net03: await pair('net03'),
    net04: await pair('net04'),
  }
  await overWires(world, cloud, guests)
  await acrossRouter(cloud, guests)
  const floating = await outside(world, cloud, guests.net01[1])
  return { cloud, guests, floating }
}

export const pings = (cloud: Cloud, from: Guest, to: string) =>
  until(`ping ${to} from ${from.name}`, 30, () => cloud.inside(from, `ping -c 3 -W 2 ${to}`))

async function overWires(world: World, cloud: Cloud, guests: Guests): Promise<void> {
  for (const [net, id] of [
    ['net01', 101],
    ['net02', 102],
  ] as const)
    await line('traffic', 'D', `${net}: from host to host, tag ${id} on the wire`, async () => {
      const [from, to] = guests[net]
      const seen = await wire(world, 'phys', ['vlan', `${id}`, 'and', 'icmp'], () => pings(cloud, from, to.ip))
      assert.match(
        seen,
        new RegExp(`vlan ${id}, .*${from.ip.replaceAll('.', '\\.')} > ${to.ip.replaceAll('.', '\\.')}: ICMP echo`),
      )
    })
  for (const [net, key] of [
    ['net03', 3],
    ['net04', 4],
  ] as const)
    await line('traffic', 'E', `${net}: from host to host, GRE (protocol 47) with key ${key} on the wire`, async () => {
      const [from, to] = guests[net]
      const seen = await wire(world, 'tun', greIcmp, () => pings(cloud, from, to.ip))
      assert.match(
        seen,
        new RegExp(
          `9\\.181\\.129\\.110 > 9\\.181\\.129\\.64: GREv0, .*key=0x${key}, .*${to.ip.replaceAll('.', '\\.')}: ICMP echo request`,
        ),
      )
    })
}

/** Within GRE: 20 bytes of IP, 8 of GRE with its key, 14 of Ethernet, then the protocol of the inner packet. */
const greIcmp = ['ip', 'proto', '47', 'and', 'ip[51]=1']

/** What passes in the fabric, caught by tcpdump while something is done. */
async function wire({ sims }: World, net: Net, filter: readonly string[], meanwhile: () => Promise<unknown>): Promise<string> {
  const caught = sims.fabric('timeout', '60', 'tcpdump', '-i', net, '-nn', '-e', '-v', '-c', '4', ...filter)
  await until('tcpdump', 10, async () => (await sims.fabric('pgrep', '-f', `tcpdump -i ${net} `)).code === 0)
  await meanwhile()
  const { code, stdout, stderr } = await caught
  assert.equal(code, 0, stderr)
  return stdout.replaceAll(/\n\s+/g, ' ')
}

async function acrossRouter(cloud: Cloud, { net01, net02 }: Guests): Promise<void> {
  await line('traffic', 'F10', 'across the router, from a network to the other and from host to host', async () => {
    await pings(cloud, net01[0], net02[1].ip)
    await pings(cloud, net02[0], net01[1].ip)
  })
}

async function outside({ sims, did }: World, cloud: Cloud, guest: Guest): Promise<string> {
  await line('traffic', 'F4', 'a guest reaches the router of the outside', () => pings(cloud, guest, '192.168.1.1'))
  const port = (await did(`neutron port-list -f value -c id -- --device_id ${guest.id}`)).trim()
  const id = (await did(`neutron floatingip-create public01 --port-id ${port} -f value -c id`)).trim().split('\n').at(-1)
  const floating = (await did(`neutron floatingip-show ${id} -f value -c floating_ip_address`)).trim()
  await line('traffic', 'F4', 'and is reached from there by its floating address', () =>
    until(`ping ${floating}`, 60, async () => says(await sims.outside('ping', '-c', '3', '-W', '2', floating), 0)),
  )
  await line('traffic', 'F4', 'by SSH too', async () => {
    const options = [
      '-i',
      sims.keyFile,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'BatchMode=yes',
    ]
    says(await sims.outside('ssh', ...options, `root@${floating}`, 'hostname'), 0, new RegExp(guest.name))
  })
  return floating
}
