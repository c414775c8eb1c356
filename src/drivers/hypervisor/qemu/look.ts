import { readdir } from 'node:fs/promises'
import type { Log } from '../../../kit/log.ts'
import type { GuestSeen, GuestState, MoveSeen } from '../driver.ts'
import { ifMissing, isThere } from './files.ts'
import type { Links } from './links.ts'
import { guestsDir, type Place, placeOf } from './place.ts'
import { findProcesses, pidOf } from './processes.ts'
import type { RunState } from './qmp/commands.ts'
import { type MoveRecord, readRecord } from './record.ts'

/** What a process's own word means for its guest. Pure. */
export function stateOf(run: RunState): GuestState {
  switch (run) {
    case 'running':
    // The guest sleeps (ACPI S3) by its own wish.
    case 'suspended':
      return 'on'
    case 'shutdown':
      return 'ended'
    // Waiting for memory that nobody will send: whoever began it has died, and with a saved file we would not ask.
    case 'inmigrate':
    case 'guest-panicked':
    case 'internal-error':
      return 'crashed'
    case 'paused':
    case 'prelaunch':
    case 'finish-migrate':
    case 'postmigrate':
    case 'save-vm':
    case 'io-error':
    case 'watchdog':
      return 'paused'
    default:
      run satisfies never
      return 'lost'
  }
}

export type Looking = { stateDir: string; links: Links; log: Log }

/** Everything known of a guest by looking: its folder, its process, its process's word. undefined: nothing of it is here. */
export async function lookAt({ stateDir, links }: Looking, id: string): Promise<GuestSeen | undefined> {
  const place = placeOf(stateDir, id)
  const [{ applied, pressedAt, shouldRun, move }, dirIsThere] = await Promise.all([readRecord(place), isThere(place.dir)])
  const elsewhere = move && whoseElse(move)
  if (elsewhere && dirIsThere) return { id, applied, pressedAt, state: elsewhere, pid: 0, ...told(move) }
  const mayHide = shouldRun || !dirIsThere
  const pid = (await pidOf(place, stateDir, id)) || (mayHide ? await hidden(stateDir, id) : 0)
  if (!dirIsThere && pid === 0) return undefined
  const seen = { id, applied, pressedAt, ...told(move) }
  if (await isThere(place.memory)) return { ...seen, state: 'suspended', pid: 0 }
  const isGoing = move?.at === 'going'
  // What runs only sends its disk.
  if (pid === 0 || (isGoing && move.kind === 'cold')) return { ...seen, state: shouldRun ? 'crashed' : 'off', pid: 0 }
  const state = await askState(links, place, id)
  // It stands still for the last of it.
  return { ...seen, state: isGoing && state === 'paused' && move.as === 'running' ? 'on' : state, pid }
}

/** What a guest is that belongs to another host. */
const whoseElse = ({ side, at }: MoveRecord): GuestState | undefined => {
  if (side === 'out') return at === 'left' ? 'left' : undefined
  return at === 'arrived' ? undefined : 'arriving'
}

/** What is told of a move; nothing while it is only being prepared. */
function told(record: MoveRecord | undefined): { move?: MoveSeen } {
  if (!record || record.at === 'preparing') return {}
  const { id, at, memoryPort, diskPort, memory, disk, error } = record
  return { move: { id, at, memoryPort, diskPort, memory, disk, error } }
}

async function askState(links: Links, place: Place, id: string): Promise<GuestState> {
  try {
    return stateOf(await (await links.monitor(place, id)).runState())
  } catch {
    return 'lost'
  }
}

/** Without a pid file: it was being started when we died, or somebody deleted its folder. 0: no such process. */
const hidden = async (stateDir: string, id: string): Promise<number> => (await findProcesses(stateDir)).get(id)?.at(-1) ?? 0

/** The guests that have a folder or a process here. */
export async function guestIds(stateDir: string): Promise<string[]> {
  const folders = (await readdir(guestsDir(stateDir)).catch(ifMissing)) ?? []
  return [...new Set([...folders, ...(await findProcesses(stateDir)).keys()])]
}
