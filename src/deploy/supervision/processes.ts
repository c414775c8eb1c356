import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

export type Process = { pid: number; argv: string[] }

/** What /proc says of a process; undefined when there is none (or only its zombie). A changed title is its first and only argument. */
export async function processOf(pid: number): Promise<Process | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const argv = text.replace(/\0+$/, '').split('\0')
  return argv[0] ? { pid, argv } : undefined
}

export async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(processOf))
  return found.filter((one) => one !== undefined)
}

/** Processes of this title that run the program installed there, also one that was swapped away since; others of the title are somebody else's. */
export async function processesTitled(title: string, program: string): Promise<Process[]> {
  const titled = (await processes()).filter(({ argv }) => argv[0]?.startsWith(title))
  const programs = await Promise.all(titled.map(({ pid }) => readlink(`/proc/${pid}/exe`).catch(() => '')))
  return titled.filter((_, index) => programs[index]?.startsWith(program))
}

/** Seconds since 1970 at which the process began. */
export const startedAt = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces; the 20th field after it is the start in hundredths of a second since boot.
  const ticks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19])
  const boot = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))
  return Number(boot?.[1]) + ticks / 100
}

/** Whether the process runs the program that stands there now, with the configuration as it is now. */
export async function isCurrent(pid: number, program: string, configFile: string): Promise<boolean> {
  const exe = await readlink(`/proc/${pid}/exe`).catch(() => '')
  if (!exe.startsWith(`${program}/`) || exe.endsWith(' (deleted)')) return false
  const config = await stat(configFile).catch(() => undefined)
  // btime is rounded to a second.
  return config !== undefined && config.mtimeMs / 1000 <= (await startedAt(pid).catch(() => 0)) + 1
}

/** Proportional memory in MiB, shared pages divided among their users. */
export async function memoryMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Math.round(Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024)
}

/** TERM, and KILL for what is still there after the patience. Processes that are none of ours are the caller's care. */
export async function end(pids: readonly number[], patienceMs = 10_000): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGTERM')
  const until = performance.now() + patienceMs
  while (performance.now() < until && (await living(pids)).length > 0) await pause(50)
  for (const pid of await living(pids)) signal(pid, 'SIGKILL')
  while ((await living(pids)).length > 0) await pause(20)
}

const living = async (pids: readonly number[]) =>
  (await Promise.all(pids.map(processOf))).filter((one) => one !== undefined).map(({ pid }) => pid)

const signal = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}
