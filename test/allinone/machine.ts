import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import type { Exec } from '../../src/kit/exec/exec.ts'

/** What of us, or what we could leave behind, is on this machine. Empty lists where there is nothing. */
export async function traces(exec: Exec): Promise<Record<string, string[]>> {
  const said = async (...argv: string[]) =>
    (await exec.attempt(argv).catch(() => ({ stdout: '' }))).stdout.split('\n').filter(Boolean)
  return {
    processes: running(),
    links: (await said('ip', '-br', 'link')).map((line) => line.split(/[\s@]/)[0]!).filter((name) => name !== 'lo'),
    addresses: (await said('ip', '-br', 'address')).filter((line) => line.includes('172.24.4.')),
    namespaces: await said('ip', 'netns', 'list'),
    rules: await said('nft', 'list', 'tables'),
    bridges: await said('ovs-vsctl', '--timeout=3', 'list-br'),
    files: places.filter((path) => existsSync(path)),
    home: readdirSync('/root').filter((name) => /^(keystonerc|packstack)/.test(name)),
    users: readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('altostack')),
    groups: readFileSync('/etc/group', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('altostack')),
  }
}

const places = [
  '/etc/altostack',
  '/var/lib/altostack',
  '/var/lib/altostack-agent',
  '/var/cache/altostack',
  '/var/log/altostack',
  '/run/altostack',
  '/run/altostack-dhcp',
  '/opt/altostack',
  '/opt/altostack.new',
  '/opt/altostack.old',
  ...['packstack', 'altostack', 'nova-manage', 'neutron'].map((name) => `/usr/local/bin/${name}`),
  '/etc/logrotate.d/altostack',
  '/etc/openstack/clouds.yaml',
  '/etc/systemd/system/altostack-controller.service',
  '/etc/systemd/system/altostack-agent.service',
]

/** Programs that only a cloud on this machine starts, not those of simulated hosts; a process that ended and was not waited for has no command line. */
const running = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return `${readlinkSync(`/proc/${pid}/exe`)} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`
      } catch {
        return ''
      }
    })
    .filter((line) => /\/(opt|lib|run)\/altostack|\/(run|etc)\/openvswitch\//.test(line) && !line.includes('/altostack-simhosts'))
    .map((line) => line.slice(0, 120))
    .sort()

export const pidOf = (name: 'controller' | 'agent'): number => Number(readFileSync(`/run/altostack/${name}.pid`, 'utf8'))

export const namespaces = async (exec: Exec): Promise<string[]> =>
  (await exec.run(['ip', 'netns', 'list']))
    .split('\n')
    .map((line) => line.split(' ')[0]!)
    .filter((name) => /^q(router|dhcp)-/.test(name))
    .sort()

/** Ends every process of the cloud, guests and Open vSwitch with it, and takes what lives in the kernel only: what a reboot does. */
export async function reboot(exec: Exec): Promise<void> {
  const daemons = ['ovsdb-server', 'ovs-vswitchd'].map((name) => readFileSync(`/run/openvswitch/${name}.pid`, 'utf8').trim())
  const kill = async (pids: number[]) => {
    if (pids.length > 0) await exec.attempt(['kill', '-9', ...pids.map(String)])
  }
  const ours = async (pattern: RegExp) => (await listed(exec)).filter(({ line }) => pattern.test(line)).map(({ pid }) => pid)
  // Who starts others goes first: an agent that outlives its guests by a moment would start them again.
  await kill(await ours(/\/altostack\/bin\/supervise/))
  await kill([pidOf('controller'), pidOf('agent')])
  await kill(await ours(/\/(opt|lib|run)\/altostack/))
  // Their monitors end with them.
  for (const pid of daemons) await exec.attempt(['kill', '-9', pid])
  for (const name of await namespaces(exec)) await exec.attempt(['ip', 'netns', 'delete', name])
  for (const name of ['br-int', 'br-tun', 'br-ex', 'ovs-netdev', ...(await taps(exec))])
    await exec.attempt(['ip', 'link', 'delete', name])
  for (const folder of ['altostack', 'altostack-dhcp', 'openvswitch']) rmSync(`/run/${folder}`, { recursive: true, force: true })
}

const taps = async (exec: Exec): Promise<string[]> =>
  [...(await exec.run(['ip', '-o', 'link'])).matchAll(/^\d+: (tap[0-9a-f-]+)/gm)].map(([, name]) => name!)

async function listed(exec: Exec): Promise<{ pid: number; line: string }[]> {
  const text = await exec.run(['ps', '-eo', 'pid=,args='])
  return text.split('\n').flatMap((one) => {
    const [, pid, line] = /^\s*(\d+) (.*)$/.exec(one) ?? []
    return pid === undefined || Number(pid) === process.pid ? [] : [{ pid: Number(pid), line: line! }]
  })
}
