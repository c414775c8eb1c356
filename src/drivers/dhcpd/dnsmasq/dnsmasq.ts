import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Log } from '../../../kit/log.ts'
import type { Dhcpd, DhcpdConfig } from '../driver.ts'
import { type DnsmasqConfig, dnsmasqConfig, type Paths } from './config.ts'
import { readJournal } from './journal.ts'

export type DnsmasqOptions = {
  exec: Exec
  log: Log
  /** A folder for each network. Everybody must be able to pass through: the server reads its files as an unprivileged user. Default /run/altostack-dhcp. */
  dir?: string
}

const journalBytes = 1 << 20
const aliveMs = 2000

const pathsIn = (folder: string): Paths => ({
  pid: join(folder, 'pid'),
  hosts: join(folder, 'hosts'),
  options: join(folder, 'options'),
  names: join(folder, 'names'),
  log: join(folder, 'log'),
})

const readText = (path: string) => readFile(path, 'utf8').catch(() => '')

async function assertPassable(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if ((mode & 0o001) === 0)
    throw new Error(`${folder} is closed to others, so that an unprivileged DHCP server cannot read its files`)
  if (folder !== dirname(folder)) await assertPassable(dirname(folder))
}

/** DHCP servers by dnsmasq, one in each namespace. */
export function openDnsmasq({ exec, log, dir: root = '/run/altostack-dhcp' }: DnsmasqOptions): Dhcpd {
  const folderOf = (id: string) => {
    if (!/^[0-9a-zA-Z-]+$/.test(id)) throw new Error(`${id} is no id of a network`)
    return join(root, id)
  }

  const write = async (path: string, text: string): Promise<boolean> => {
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return false
    await writeFile(`${path}.new`, text, { mode: 0o644 })
    await rename(`${path}.new`, path)
    return true
  }

  /** The server's process, told by its arguments and not by its number alone; 0: it is not there. */
  const processOf = async (paths: Paths): Promise<{ pid: number; argv: string[] }> => {
    const pid = Number((await readText(paths.pid)).trim())
    if (!(pid > 1)) return { pid: 0, argv: [] }
    const argv = (await readText(`/proc/${pid}/cmdline`)).split('\0').slice(0, -1)
    return argv.includes(`--pid-file=${paths.pid}`) ? { pid, argv } : { pid: 0, argv: [] }
  }

  const kill = async (paths: Paths) => {
    for (let tries = 0; tries < 100; tries++) {
      const { pid } = await processOf(paths)
      if (pid === 0) return
      try {
        process.kill(pid, tries < 50 ? 'SIGTERM' : 'SIGKILL')
      } catch {
        return
      }
      await delay(20)
    }
  }

  /** Which device, of which namespace, a server is bound to: both are made anew when the host or the switch was restarted. */
  const placeOf = async ({ namespace, device }: DhcpdConfig): Promise<string> => {
    const { ino } = await stat(`/run/netns/${namespace}`)
    const [link] = JSON.parse(await exec.run(['ip', '-n', namespace, '-j', 'link', 'show', 'dev', device])) as {
      ifindex: number
    }[]
    return `${ino} ${link?.ifindex}\n`
  }

  const start = async (config: DhcpdConfig, { argv }: DnsmasqConfig, paths: Paths, place: string) => {
    log.info({ network: config.id, namespace: config.namespace }, 'DHCP server starts')
    await kill(paths)
    await assertPassable(root)
    await exec.run(['ip', 'netns', 'exec', config.namespace, ...argv])
    await write(join(paths.pid, '..', 'place'), place)
  }

  const list = () => readdir(root).catch((): string[] => [])

  const journalOf = async (paths: Paths): Promise<string> => {
    const file = await open(paths.log, 'r').catch(() => undefined)
    if (!file) return ''
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(Math.min(size, journalBytes))
      await file.read(bytes, 0, bytes.length, size - bytes.length)
      return bytes.toString('latin1')
    } finally {
      await file.close()
    }
  }

  /** Keeps of a long journal what was said last to each card. The server appends to the same file. */
  const bound = async (paths: Paths) => {
    const size = await stat(paths.log).then(
      (file) => file.size,
      () => 0,
    )
    if (size <= journalBytes) return
    const said = readJournal(await journalOf(paths), Date.now())
    await writeFile(paths.log, said.map(({ line }) => `${line}\n`).join(''))
  }

  const watchers = new Set<() => void>()
  const alive = new Map<string, number>()
  /** A server's end is no event for us: it is nobody's child. */
  const look = async () => {
    for (const [id, pid] of alive) {
      if ((await readText(`/proc/${pid}/cmdline`)) !== '' || !alive.delete(id)) continue
      for (const watcher of watchers) watcher()
    }
  }
  const timer = setInterval(() => void look(), aliveMs)
  timer.unref()

  return {
    list,
    async serve(config) {
      const folder = folderOf(config.id)
      const paths = pathsIn(folder)
      await mkdir(folder, { recursive: true, mode: 0o755 })
      const wanted = dnsmasqConfig(config, paths)
      const changes = [
        await write(paths.hosts, wanted.files.hosts),
        await write(paths.options, wanted.files.options),
        await write(paths.names, wanted.files.names),
      ]
      const place = await placeOf(config)
      const current = await processOf(paths)
      const same = current.argv.join('\0') === wanted.argv.join('\0') && (await readText(join(folder, 'place'))) === place
      if (!same) await start(config, wanted, paths, place)
      else if (changes.includes(true)) process.kill(current.pid, 'SIGHUP')
      await bound(paths)
      const { pid } = await processOf(paths)
      if (pid > 0) alive.set(config.id, pid)
      return { running: pid > 0, problems: wanted.problems }
    },
    async stop(id) {
      alive.delete(id)
      await kill(pathsIn(folderOf(id)))
      await rm(folderOf(id), { recursive: true, force: true })
    },
    async leases(id) {
      const said = readJournal(await journalOf(pathsIn(folderOf(id))), Date.now())
      return said.map(({ mac, ip, at, last }) => ({ mac, ip, at, last }))
    },
    async inventory() {
      const ids = await list()
      const states = await Promise.all(ids.map(async (id) => ({ id, pid: (await processOf(pathsIn(folderOf(id)))).pid })))
      const dead = states.filter(({ pid }) => pid === 0).map(({ id }) => `The DHCP server of network ${id} does not run.`)
      return { files: ids.map((id) => join(root, id)), problems: dead }
    },
    watch(changed) {
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },
    async close() {
      clearInterval(timer)
    },
  }
}
