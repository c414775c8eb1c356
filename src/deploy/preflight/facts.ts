import { mkdtemp, readdir, readFile, rm, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Exec } from '../../kit/exec/exec.ts'
import { exists } from '../files.ts'
import { type Distribution, missingPackages } from '../packages.ts'
import { outside, type Place, ports, user } from '../place.ts'
import type { Facts } from './judge.ts'

export type Machine = {
  place: Place
  exec: Exec
  /** The clone this runs from. */
  clone: string
  distribution: Distribution | undefined
  /** Answers whether KVM really runs something; throws when QEMU is not there. */
  probe: () => Promise<'kvm' | 'tcg'>
  /** Whether a controller of ours runs: its ports are not somebody else's. */
  isRunning: () => Promise<boolean>
  /** Whether the guest image is to be built here. */
  needsImage: boolean
}

/** Looks at the machine; changes nothing. */
export async function gatherFacts(machine: Machine): Promise<Facts> {
  const { place, exec, distribution } = machine
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const missing = distribution ? await missingPackages(exec, distribution) : []
  const [freeMb, { isRunning, takenPorts }, accelerator, sourceTrouble, newest, foreignUser] = await Promise.all([
    freeMbAt(place.state),
    portsOf(machine),
    machine.probe().catch(() => 'unknown' as const),
    (missing.length > 0 || (machine.needsImage && !(await exists(place.image)))) && distribution?.name === 'apt'
      ? sourceTroubleOf(exec)
      : undefined,
    newestFile(machine.clone),
    foreignUserOf(place),
  ])
  return {
    uid: process.getuid?.() ?? -1,
    packager: distribution?.name,
    osName: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? 'This system',
    arch: process.arch,
    availableMb: await availableMb(),
    freeMb,
    freeAt: dirname(place.state),
    takenPorts,
    newestFile: newest,
    now: Date.now() / 1000,
    missingPackages: missing,
    ...(sourceTrouble !== undefined && { sourceTrouble }),
    hasTun: await exists('/dev/net/tun'),
    hasNamespaces: await canUnshare(exec),
    overlaps: overlaps(),
    host: await localAddress(),
    accelerator,
    installation: isRunning ? 'whole' : (await exists(place.secretsFile)) || (await exists(place.program)) ? 'half' : 'none',
    ...(foreignUser !== undefined && { foreignUser }),
  }
}

async function freeMbAt(folder: string): Promise<number> {
  if (!(await exists(folder))) return freeMbAt(dirname(folder))
  const { bavail, bsize } = await statfs(folder)
  return Math.floor((bavail * bsize) / 2 ** 20)
}

async function availableMb(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8')
  return Math.floor(Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024)
}

/** Ports first: a controller that is just starting runs before it listens, so one that listens is seen to run after. */
async function portsOf(machine: Machine): Promise<{ isRunning: boolean; takenPorts: number[] }> {
  const takenPorts = await taken(Object.values(ports))
  const isRunning = await machine.isRunning()
  return { isRunning, takenPorts: isRunning ? [] : takenPorts }
}

async function taken(wanted: number[]): Promise<number[]> {
  const isFree = await Promise.all(wanted.map(canListen))
  return wanted.filter((_, index) => !isFree[index])
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })

/** Asks apt itself, because only it knows its proxies and mirrors. */
async function sourceTroubleOf(exec: Exec): Promise<string | undefined> {
  const uris = await exec.attempt(['apt-get', '--print-uris', 'update'])
  const first = /^'([^']+InRelease)'/m.exec(uris.stdout)?.[1]
  if (first === undefined) return 'apt has no package source'
  const folder = await mkdtemp(join(tmpdir(), 'altostack-source-'))
  try {
    const argv = ['/usr/lib/apt/apt-helper', '-o', 'Acquire::Retries=0', 'download-file', first, join(folder, 'InRelease')]
    const { code, stderr } = await exec.attempt(argv, { timeoutMs: 20_000 })
    return code === 0 ? undefined : `${first}: ${stderr.trim().split('\n').at(-1)}`
  } catch {
    return `${first} timed out`
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function newestFile(clone: string): Promise<number> {
  const folders = ['src', 'bin'].map((name) => join(clone, name))
  const entries = (await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })))).flat()
  const times = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs / 1000),
  )
  return Math.max(0, ...times)
}

/** Whoever is not root cannot, and hears that he is not root. */
const canUnshare = async (exec: Exec): Promise<boolean> =>
  process.getuid?.() !== 0 ||
  exec.attempt(['unshare', '--net', 'true']).then(
    ({ code }) => code === 0,
    () => false,
  )

const overlaps = (): string[] =>
  Object.entries(networkInterfaces())
    .filter(([name]) => name !== outside.bridge)
    .filter(([, addresses = []]) => addresses.some(({ address }) => address.startsWith('172.24.4.')))
    .map(([name]) => name)

/** The address of the interface that has the default gateway; without one, the first that is not loopback. */
export async function localAddress(): Promise<string | undefined> {
  const interfaces = networkInterfaces()
  const routes = (await readFile('/proc/net/route', 'utf8').catch(() => '')).split('\n').map((line) => line.split('\t'))
  const gateway = routes.find(([, destination]) => destination === '00000000')?.[0]
  const names = gateway === undefined ? Object.keys(interfaces) : [gateway, ...Object.keys(interfaces)]
  return names
    .flatMap((name) => interfaces[name] ?? [])
    .find(({ family, internal, cidr }) => family === 'IPv4' && !internal && cidr !== outside.address)?.address
}

async function foreignUserOf(place: Place): Promise<string | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const home = passwd
    .split('\n')
    .find((line) => line.startsWith(`${user}:`))
    ?.split(':')[5]
  return home === undefined || home === place.state ? undefined : home
}
