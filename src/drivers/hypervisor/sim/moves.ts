import { Problem } from '../../../kit/errors.ts'
import type { Counters, Departure, Guest, Move, MoveSeen, Progress, Running } from '../driver.ts'
import { type SimGuest, type SimHost, type SimMove, tellWatchers } from './host.ts'

const runs = ({ state }: SimGuest) => state === 'on' || state === 'paused'
const none = (): Progress => ({ total: 0, sent: 0, left: 0 })
const all = (bytes: number): Progress => ({ total: bytes, sent: bytes, left: 0 })

/** What is told of a move: without what only the host knows. */
export const moveSeen = ({ move: _, as: __, whole: ___, memory, disk, ...rest }: SimMove): MoveSeen => ({
  ...rest,
  memory: { ...memory },
  disk: { ...disk },
})

/** The guest is waited for here, from now on or already. */
export function receive(host: SimHost, guest: Guest, { boots, softBoots }: Counters, move: Move, as: Running): void {
  const { roads, faults } = host
  const old = host.guests.get(guest.id)
  if (old?.move?.id === move.id && old.move.at !== 'going') return
  if (old && old.state !== 'arriving' && old.state !== 'left') throw new Problem('conflict', 'The guest is on this host.')
  const entry: SimGuest = {
    guest,
    state: 'arriving',
    pid: 0,
    applied: { generation: 0, boots, softBoots },
    pressedAt: undefined,
    console: '',
  }
  host.guests.set(guest.id, entry)
  if (faults.neverOpens) return
  const failed = faults.receiveFails !== undefined
  entry.move = {
    id: move.id,
    at: failed ? 'failed' : 'open',
    memoryPort: failed || move.kind === 'cold' ? 0 : roads.nextPort++,
    diskPort: failed ? 0 : roads.nextPort++,
    memory: none(),
    disk: none(),
    error: faults.receiveFails,
    move,
    as,
    whole: false,
  }
  if (!failed) roads.waiting.set(move.id, { host, guest: entry })
}

/** One look: the guest is sent, or goes on being sent. */
export function send(host: SimHost, entry: SimGuest, departure: Departure): void {
  const { move } = entry
  if (entry.state === 'left' || (move?.id === departure.id && move.at !== 'going')) return
  if (entry.state === 'arriving') throw new Problem('conflict', 'The guest is on another host.')
  const now = move?.id === departure.id ? move : begin(entry, departure)
  const why = host.faults.moveFails ?? unfit(entry, departure) ?? refused(host, departure)
  if (why !== undefined) Object.assign(now, { at: 'failed', error: why })
  else if (!host.faults.moveStalls) handOver(host, entry, now)
}

function begin(entry: SimGuest, { id, kind, key, memoryPort, diskPort }: Departure): SimMove {
  const disk = { ...all(entry.guest.diskGb * 2 ** 30), sent: 0, left: entry.guest.diskGb * 2 ** 30 }
  const memory =
    kind === 'live' ? { ...none(), total: entry.guest.memoryMb * 2 ** 20, left: entry.guest.memoryMb * 2 ** 20 } : none()
  const as: Running = entry.state === 'paused' ? 'paused' : 'running'
  const move = { id, kind, key }
  entry.move = { id, at: 'going', memoryPort, diskPort, memory, disk, error: undefined, move, as, whole: false }
  return entry.move
}

function unfit(entry: SimGuest, { kind }: Departure): string | undefined {
  if (kind === 'live' && !runs(entry)) return 'The guest does not run.'
  if (kind === 'cold' && (runs(entry) || entry.state === 'suspended')) return 'The guest is not off.'
  return undefined
}

/** Nobody listens there, or not to one with this key. */
function refused({ roads }: SimHost, { id, key, memoryPort, diskPort }: Departure): string | undefined {
  const there = roads.waiting.get(id)?.guest.move
  if (there?.at !== 'open' || there.memoryPort !== memoryPort || there.diskPort !== diskPort)
    return 'The other host does not answer.'
  return there.move.key === key ? undefined : 'The other host refused.'
}

function handOver(host: SimHost, entry: SimGuest, now: SimMove): void {
  const there = host.roads.waiting.get(now.id)
  if (!there?.guest.move) return
  const { guest, move } = there.guest
  const progress = { memory: all(now.memory.total), disk: all(now.disk.total) }
  Object.assign(now, { at: 'left', ...progress })
  Object.assign(entry, { state: 'left', pid: 0, pressedAt: undefined })
  Object.assign(move, { ...progress, whole: !host.faults.memoryLost })
  there.guest.console = entry.console
  if (!host.faults.memoryLost && !there.host.faults.deafToHandover) arrive(there.host, there.guest, move)
  tellWatchers(host, entry.guest.id)
  tellWatchers(there.host, guest.id)
}

/** The guest is this host's own, with what has come. */
export function take(host: SimHost, entry: SimGuest): void {
  if (entry.state === 'arriving' && entry.move) arrive(host, entry, entry.move)
}

function arrive(host: SimHost, entry: SimGuest, move: SimMove): void {
  host.roads.waiting.delete(move.id)
  Object.assign(move, { at: 'arrived', error: undefined })
  if (move.move.kind === 'cold') entry.state = 'off'
  else if (!move.whole) entry.state = 'crashed'
  else Object.assign(entry, { state: move.as === 'running' ? 'on' : 'paused', pid: host.nextPid++ })
}

export function cancel(entry: SimGuest): void {
  if (entry.move?.at === 'going') Object.assign(entry.move, { at: 'failed', error: 'The move was taken back.' })
}

export function regain(entry: SimGuest): void {
  if (entry.state !== 'left' || entry.move?.move.kind !== 'cold') return
  entry.state = 'off'
  Object.assign(entry.move, { at: 'failed', error: 'The move was taken back.' })
}

/** Nobody waits here for this guest any more. */
export function forget({ roads }: SimHost, { move }: SimGuest): void {
  if (move?.at === 'open') roads.waiting.delete(move.id)
}
