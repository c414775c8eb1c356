import { spawn } from 'node:child_process'
import { chown, open, readFile, rename } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../../kit/errors.ts'
import type { Guest } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { type ArgsOptions, bareArgs, qemuArgs } from './args.ts'
import { hasDisk } from './disk.ts'
import { drop, ifMissing, isThere } from './files.ts'
import type { GuestMonitor, Links } from './links.ts'
import type { Place } from './place.ts'

export type Starter = { program: string; accelerator: Accelerator; links: Links }

/** `bare`: only its disk, no machine. */
export type How = Pick<ArgsOptions, 'paused' | 'incoming' | 'owner'> & { bare?: true }

const patienceMs = 20_000

/** The first network device that is not here yet. Without it QEMU, being root, would make one of its own. */
export async function missingDevice({ nics }: Guest): Promise<string | undefined> {
  for (const { device } of nics) if (!(await isThere(`/sys/class/net/${device}`))) return device
  return undefined
}

/** Starts QEMU and waits until its monitor answers. */
export async function startProcess(starter: Starter, place: Place, guest: Guest, how: How): Promise<GuestMonitor> {
  const device = how.bare ? undefined : await missingDevice(guest)
  if (device !== undefined) throw new Problem('unavailable', `The network device ${device} is not there yet.`)
  const has = { hasDisk: hasDisk(guest), hasConfigDrive: guest.configDrive !== undefined }
  // It opens its files as root, and may open them again when memory comes in.
  if (how.owner !== undefined && has.hasDisk) await chown(place.disk, ...numbersOf(how.owner))
  for (const stale of [place.pidFile, place.qmpSocket]) await drop(stale)
  const options = { place, accelerator: starter.accelerator, ...has, ...how }
  const args = how.bare ? bareArgs(options) : qemuArgs(guest, options)
  const ended = await launch([starter.program, ...args], place, how.incoming === 'file')
  return answering(starter.links, place, guest.id, ended)
}

type Ended = () => string | undefined

/**
 * Runs a program that outlives us, in a session of its own; kit/exec is for those that end. (`-daemonize` would do the same, but the
 * sandbox that forbids QEMU to start programs forbids that too. Where systemd starts the agent, the unit must say `KillMode=process`.)
 * The function given tells how it ended, if it did.
 */
async function launch([program = '', ...args]: string[], place: Place, incoming: boolean): Promise<Ended> {
  await rename(place.qemuLog, place.qemuLogOld).catch(ifMissing)
  const log = await open(place.qemuLog, 'w', 0o600)
  const memory = incoming ? await open(place.memory) : undefined
  let how: string | undefined
  try {
    // The fourth is `incomingFd`.
    const stdio = ['ignore', log.fd, log.fd, memory?.fd ?? 'ignore'] as const
    const child = spawn(program, args, { detached: true, stdio: [...stdio], cwd: place.dir })
    child.on('error', (error) => {
      how = error.message
    })
    child.on('exit', (code, signal) => {
      how = `ended with ${code ?? signal}`
    })
    child.unref()
  } finally {
    await log.close()
    await memory?.close()
  }
  return () => how
}

async function answering(links: Links, place: Place, id: string, ended: Ended): Promise<GuestMonitor> {
  const until = performance.now() + patienceMs
  for (;;) {
    const monitor = await links.monitor(place, id).catch(() => undefined)
    if (monitor) return monitor
    const how = ended()
    if (how !== undefined) throw failure(how, (await readFile(place.qemuLog, 'utf8')).trim().slice(-600))
    if (performance.now() > until) throw new Error('QEMU started and its monitor does not answer')
    await delay(3)
  }
}

function failure(how: string, said: string): Error {
  const cause = new Error(`QEMU ${how}: ${said}`)
  if (!/annot allocate memory|cannot set up guest memory/.test(said)) return cause
  return new Problem('no-capacity', 'The host has not enough free memory for this guest.', { cause })
}

export const numbersOf = (owner: string): [uid: number, gid: number] => {
  const [uid = 0, gid = 0] = owner.split(':').map(Number)
  return [uid, gid]
}
