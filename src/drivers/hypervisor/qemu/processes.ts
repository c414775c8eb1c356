import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { ifMissing } from './files.ts'
import { guestsDir, type Place } from './place.ts'

/** Which guest a command line is QEMU's for, by the pid file it was given; undefined: none below this folder. Pure. */
export function guestOf(argv: readonly string[], stateDir: string): string | undefined {
  const file = argv[argv.indexOf('-pidfile') + 1]
  const prefix = `${guestsDir(stateDir)}/`
  if (!argv.includes('-pidfile') || !file?.startsWith(prefix)) return undefined
  return /^([^/]+)\/pid$/.exec(file.slice(prefix.length))?.[1]
}

/** Empty for a process that is gone, and for one that has ended and whose parent did not notice yet. */
async function argvOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text.split('\0').slice(0, -1)
}

/** Every QEMU of ours by guest, by looking at all processes. */
export async function findProcesses(stateDir: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  for (const [pid, argv] of await Promise.all(pids.map(async (pid) => [pid, await argvOf(pid)] as const))) {
    const id = guestOf(argv, stateDir)
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), pid])
  }
  return found
}

/** The process of a guest by its pid file, if it is that guest's; 0: none. Pid files stay behind, and their numbers come again. */
export async function pidOf({ pidFile }: Place, stateDir: string, id: string): Promise<number> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(ifMissing))
  return pid > 0 && guestOf(await argvOf(pid), stateDir) === id ? pid : 0
}

/** Ends a guest's process and waits until it is gone. */
export async function killProcess(pid: number, stateDir: string, id: string): Promise<void> {
  if (guestOf(await argvOf(pid), stateDir) !== id) return
  process.kill(pid, 'SIGKILL')
  if (!(await isGone(pid, stateDir, id, 10_000))) throw new Error(`process ${pid} of guest ${id} does not end`)
}

/** Waits so long for a process to go. It is no child of ours, so there is no event for it. */
export async function isGone(pid: number, stateDir: string, id: string, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  for (;;) {
    if (guestOf(await argvOf(pid), stateDir) !== id) return true
    if (performance.now() > until) return false
    await delay(5)
  }
}
