import { readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'
import { hostsUp, isAnswering, openAdmin } from './cloud.ts'
import type { DaemonName } from './config.ts'
import { exists } from './files.ts'
import { answers } from './openvswitch.ts'
import { type Place, ports } from './place.ts'
import { memoryMb, type Process, processes, startedAt } from './supervision/processes.ts'
import type { Supervised, Supervision } from './supervision/supervision.ts'

export type Line = { title: string; text: string; trouble?: string }

export type StatusNeeds = {
  place: Place
  exec: Exec
  supervision: Supervision
  host: string
  accelerator: () => Promise<string>
  daemonNames: readonly DaemonName[]
}

/** Guests' processes: their argv names the agent's state folder. */
export const guestsOf = (place: Place, all: readonly Process[]): Process[] =>
  all.filter(({ argv }) => /qemu-system|qemu-kvm/.test(argv[0] ?? '') && argv.some((word) => word.includes(place.agentState)))

/** What runs and what is wrong, a line each. */
export async function statusLines(needs: StatusNeeds): Promise<Line[]> {
  const { place, exec, supervision, host } = needs
  if (!(await exists(place.program)))
    return [{ title: 'Installation', text: 'none', trouble: 'nothing is installed; ./packstack --allinone installs it' }]
  const guests = guestsOf(place, await processes())
  return [
    {
      title: 'Installation',
      text: `${place.program}, kept running by ${supervision.kind === 'systemd' ? 'systemd' : 'its own loops'}`,
    },
    ...(await Promise.all((await supervision.look()).map(daemonLine))),
    line('Open vSwitch', await answers(exec), 'answers', 'does not answer; packstack --start'),
    ...(await apiLines(host)),
    ...(needs.daemonNames.includes('controller') ? [await hostLine(place, host)] : []),
    { title: 'Guests', text: `${guests.length} running, accelerator ${await needs.accelerator().catch(() => 'unknown')}` },
    await diskLine(place),
    ...(await Promise.all(needs.daemonNames.map((name) => troublesIn(place, name)))),
  ]
}

const line = (title: string, isRight: boolean, text: string, trouble: string): Line =>
  isRight ? { title, text } : { title, text: '', trouble }

async function daemonLine({ name, pid, starts = 1, isKept, isCurrent }: Supervised): Promise<Line> {
  const title = `${name[0]?.toUpperCase()}${name.slice(1)}`
  if (pid === undefined)
    return { title, text: '', trouble: isKept ? 'does not stay up; see its log' : 'does not run; packstack --start' }
  const text = `pid ${pid}, ${await memoryMb(pid)} MiB, started ${starts} time${starts === 1 ? '' : 's'}`
  if (!isKept) return { title, text, trouble: 'nobody would start it again; packstack --start' }
  if (starts > 2 && Date.now() / 1000 - (await startedAt(pid).catch(() => 0)) < 60)
    return { title, text, trouble: 'keeps dying; see its log' }
  return isCurrent ? { title, text } : { title, text, trouble: 'runs an older program or configuration; packstack --start' }
}

async function apiLines(host: string): Promise<Line[]> {
  const { link, ...apis } = ports
  const isUp = await Promise.all(
    Object.values(apis).map((port) =>
      fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(3000) }).then(
        ({ status }) => status < 500,
        () => false,
      ),
    ),
  )
  const silent = Object.entries(apis).filter((_, index) => !isUp[index])
  const text = `http://${host}: ${Object.entries(apis)
    .map(([name, port]) => `${name} ${port}`)
    .join(', ')}; hosts ${link}`
  return [
    silent.length === 0
      ? { title: 'APIs', text }
      : { title: 'APIs', text, trouble: `no answer: ${silent.map(([name]) => name).join(', ')}` },
  ]
}

async function hostLine(place: Place, host: string): Promise<Line> {
  if (!(await isAnswering(host))) return { title: 'Hosts', text: '', trouble: 'not known while the controller does not answer' }
  const up = await openAdmin(place, host)
    .then(hostsUp)
    .catch((error: Error) => error)
  if (up instanceof Error) return { title: 'Hosts', text: '', trouble: up.message }
  return line('Hosts', up.length > 0, `up: ${up.join(', ')}`, 'no host reports; see agent.log')
}

async function diskLine({ state }: Place): Promise<Line> {
  const { bavail, bsize } = await statfs(state)
  const freeGb = (bavail * bsize) / 2 ** 30
  return line('Disk', freeGb > 1, `${freeGb.toFixed(1)} GiB free in ${state}`, `only ${freeGb.toFixed(1)} GiB free in ${state}`)
}

type Entry = { level?: string; time?: string; msg?: string }

/** The last error of a log in the last hour. */
async function troublesIn(place: Place, name: string): Promise<Line> {
  const file = join(place.log, `${name}.log`)
  const text = (await exists(file)) ? (await tail(file, 256 << 10)).trimEnd() : ''
  const errors = text
    .split('\n')
    .map(parseEntry)
    .filter(({ level, time = '' }) => level === 'error' && Date.parse(time) > Date.now() - 3_600_000)
  const last = errors.at(-1)
  const title = `${name}.log`
  return last
    ? { title, text: file, trouble: `${errors.length} errors in the last hour, the last: ${last.msg}` }
    : { title, text: file }
}

const parseEntry = (text: string): Entry => {
  try {
    return JSON.parse(text) as Entry
  } catch {
    return {}
  }
}

const tail = async (file: string, bytes: number): Promise<string> => {
  const whole = await readFile(file)
  return whole.subarray(-bytes).toString()
}

/** The screen; what is wrong is marked. */
export const statusText = (lines: readonly Line[]): string =>
  lines
    .map(
      ({ title, text, trouble }) =>
        `${trouble === undefined ? ' ' : '!'} ${title.padEnd(16)}${[text, trouble].filter(Boolean).join(' - ')}`,
    )
    .join('\n')
