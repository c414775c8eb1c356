import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readText } from '../files.ts'
import type { Place } from '../place.ts'
import { end, isCurrent, processesTitled, processOf } from './processes.ts'
import { asUser, type Daemon, daemons } from './services.ts'
import type { Supervised, Supervision } from './supervision.ts'

const pidIn = async (file: string): Promise<number | undefined> => Number(await readText(file)) || undefined

/** pid of the loop that keeps this name; a pid that meanwhile belongs to somebody else does not count. */
export async function keeperOf(place: Place, name: string): Promise<number | undefined> {
  const pid = await pidIn(join(place.run, `${name}.supervisor`))
  const found = pid === undefined ? undefined : await processOf(pid)
  return found?.argv.includes(name) && found.argv.some((word) => word.endsWith('/supervise')) ? found.pid : undefined
}

/** Starts a loop that outlives us, our terminal and our group. */
export async function keep(place: Place, name: string, log: string, argv: readonly string[]): Promise<void> {
  await mkdir(place.run, { recursive: true })
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
  const child = spawn(join(place.program, 'bin/supervise'), [name, place.run, log, ...argv], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
    env,
  })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
}

/** Ends the loop and what it keeps. */
export async function release(place: Place, name: string): Promise<void> {
  const keeper = await keeperOf(place, name)
  if (keeper !== undefined) await end([keeper], 15_000)
  for (const kind of ['supervisor', 'pid', 'starts']) await rm(join(place.run, `${name}.${kind}`), { force: true })
}

const settings = ({ env }: Daemon): string[] => Object.entries(env).map(([name, value]) => `${name}=${value}`)

export function loopSupervision(place: Place, names: readonly Daemon['name'][]): Supervision {
  const look = async (daemon: Daemon): Promise<Supervised> => {
    const isKept = (await keeperOf(place, daemon.name)) !== undefined
    const found = (await kept(daemon)) ?? (await processesTitled(daemon.title, place.program))[0]
    const starts = Number(await readText(join(place.run, `${daemon.name}.starts`))) || undefined
    return {
      name: daemon.name,
      isKept,
      isCurrent: found !== undefined && (await isCurrent(found.pid, place.program, place.configFile)),
      ...(found && { pid: found.pid }),
      ...(starts !== undefined && { starts }),
    }
  }
  /** What the loop started, also before it has given itself its title. */
  const kept = async ({ name, title, argv }: Daemon) => {
    const pid = await pidIn(join(place.run, `${name}.pid`))
    const found = pid === undefined ? undefined : await processOf(pid)
    return found?.argv[0]?.startsWith(title) || found?.argv.includes(argv.at(-1)!) ? found : undefined
  }
  const stop = async (daemon: Daemon) => {
    await release(place, daemon.name)
    // One whose loop was killed goes on without it.
    await end((await processesTitled(daemon.title, place.program)).map(({ pid }) => pid))
  }
  const start = async (daemon: Daemon) => {
    const { isKept, isCurrent: current } = await look(daemon)
    if (isKept && current) return
    await stop(daemon)
    await keep(place, daemon.name, daemon.log, ['env', ...settings(daemon), ...asUser(daemon.user, daemon.argv)])
  }
  return {
    kind: 'loop',
    isSetUp: async () => true,
    setUp: async () => {},
    remove: async () => {},
    start: async () => void (await Promise.all(daemons(place, names).map(start))),
    stop: async () => void (await Promise.all(daemons(place, names).map(stop))),
    look: () => Promise.all(daemons(place, names).map(look)),
  }
}
