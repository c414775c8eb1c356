import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Said, SimHost } from '../hosts/hosts.ts'
import { until } from '../installed.ts'
import { type Ask, openApi } from './api.ts'
import type { World } from './world.ts'

export type Guest = { id: string; name: string; net: string; netId: string; ip: string }

export type Cloud = {
  ask: Ask
  hosts: readonly SimHost[]
  /** A guest in a network, on a host; it has booted when this ends. */
  boot(net: string, host: SimHost): Promise<Guest>
  /** Runs a command in it, by way of its network's address server. Throws when it ends badly. */
  inside(guest: Guest, command: string): Promise<string>
  /** The host it is on, and the number of its process there. */
  whereIs(guest: Guest): Promise<{ host: string; pid: string }>
  statusOf(guest: Guest): Promise<string>
  /** As the cloud has it. */
  hostOf(guest: Guest): Promise<string>
}

type Named = { id: string; name: string }

const keyOf = '/root/.ssh/guest'
const ssh = ['ssh', '-i', keyOf, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
const sshOptions = [...ssh, '-o', 'ConnectTimeout=5', '-o', 'BatchMode=yes']

/** Opens the doors of the administrator's project for ping and SSH, and gives guests a key. */
export async function openCloud({ sims, first, second }: World): Promise<Cloud> {
  const ask = await openApi(first)
  const hosts = [first, second]
  for (const host of hosts) await host.sh(`umask 077; cat >${keyOf} <<'K'\n${sims.key}K\n`)
  await ask('POST', 'compute', '/os-keypairs', {
    keypair: { name: 'guests', type: 'ssh', public_key: readFileSync(`${sims.keyFile}.pub`, 'utf8') },
  })
  await openDoors(ask)
  const { images } = await ask<{ images: Named[] }>('GET', 'image', '/images?name=mini')
  const { networks } = await ask<{ networks: Named[] }>('GET', 'network', '/networks')
  const inside = async (guest: Guest, command: string) => {
    const said = await throughDhcp(hosts, guest.netId, [...sshOptions, `root@${guest.ip}`, command])
    assert.equal(said.code, 0, `${guest.name}: ${command}: ${said.stdout}${said.stderr}`)
    return said.stdout
  }
  const shown = async ({ id }: { id: string }) => (await ask<{ server: Server }>('GET', 'compute', `/servers/${id}`)).server
  const boot = async (net: string, host: SimHost) => {
    const netId = networks.find(({ name }) => name === net)!.id
    const name = `${net}-${host.name}`
    const { server } = await ask<{ server: Named }>('POST', 'compute', '/servers', {
      server: {
        name,
        imageRef: images[0]!.id,
        flavorRef: '42',
        networks: [{ uuid: netId }],
        key_name: 'guests',
        availability_zone: `nova:${host.name}`,
      },
    })
    const { addresses } = await until(`${name} active`, 90, async () => {
      const found = await shown(server)
      assert.notEqual(found.status, 'ERROR', found.fault?.message)
      return found.status === 'ACTIVE' && found
    })
    const guest = { id: server.id, name, net, netId, ip: addresses[net]![0]!.addr }
    await until(`ssh to ${name}`, 180, async () => (await inside(guest, 'hostname')).trim() === name.toLowerCase())
    return guest
  }
  return {
    ask,
    hosts,
    boot,
    inside,
    whereIs: (guest) => whereIs(hosts, guest),
    statusOf: async (guest) => (await shown(guest)).status,
    hostOf: async (guest) => (await shown(guest))['OS-EXT-SRV-ATTR:host'],
  }
}

type Server = {
  'OS-EXT-SRV-ATTR:host': string
  status: string
  fault?: { message: string }
  addresses: Record<string, { addr: string }[]>
}

async function openDoors(ask: Ask): Promise<void> {
  const { security_groups: groups } = await ask<{ security_groups: { id: string; project_id: string }[] }>(
    'GET',
    'network',
    '/security-groups?name=default',
  )
  const { networks } = await ask<{ networks: { project_id: string }[] }>('GET', 'network', '/networks?name=net01')
  const group = groups.find(({ project_id }) => project_id === networks[0]!.project_id)!
  for (const rule of [{ protocol: 'icmp' }, { protocol: 'tcp', port_range_min: 22, port_range_max: 22 }])
    await ask('POST', 'network', '/security-group-rules', {
      security_group_rule: { ...rule, direction: 'ingress', ethertype: 'IPv4', security_group_id: group.id },
    })
}

async function throughDhcp(hosts: readonly SimHost[], netId: string, argv: readonly string[]): Promise<Said> {
  for (const host of hosts) {
    const { stdout } = await host.run('ip', 'netns', 'list')
    if (stdout.includes(`qdhcp-${netId}`)) return host.run('timeout', '60', 'ip', 'netns', 'exec', `qdhcp-${netId}`, ...argv)
  }
  throw new Error(`no host has an address server of ${netId}`)
}

async function whereIs(hosts: readonly SimHost[], { id, name }: Guest): Promise<{ host: string; pid: string }> {
  const found: { host: string; pid: string }[] = []
  for (const host of hosts) {
    const { stdout } = await host.run('pgrep', '-f', `qemu-system.*${id}`)
    for (const pid of stdout.split('\n').filter(Boolean)) found.push({ host: host.name, pid })
  }
  assert.equal(found.length, 1, `${name} runs ${found.length} times`)
  return found[0]!
}
