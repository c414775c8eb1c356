import { explainError } from '../../../../kit/errors.ts'
import type { Guest } from '../../driver.ts'
import { hasDisk } from '../disk.ts'
import { readJson } from '../files.ts'
import type { GuestMonitor } from '../links.ts'
import { placeOf } from '../place.ts'
import { findProcesses } from '../processes.ts'
import { QmpError, unlessRefused } from '../qmp/connection.ts'
import type { Address } from '../qmp/moves.ts'
import { changeMove, type MoveRecord, readRecord } from '../record.ts'
import { startProcess } from '../start.ts'
import { abandon } from './abandon.ts'
import { writeMoveFiles } from './channels.ts'
import type { Way } from './couriers.ts'
import { leave } from './leave.ts'
import type { Moving } from './moving.ts'
import { openWord, type Word } from './word.ts'

/** While nothing is near its end. QEMU's events come in between. */
const lookMs = 250
/** While the guest stands still. */
const hastyMs = 2
/** So long a guest may stand still at the end before it goes on here. */
const standstillMs = 30_000
/** So long QEMU may not answer us. */
const silenceMs = 30_000

/** `over`: nothing more to do. A number: look again after so many milliseconds. A text: it cannot be, for the user. */
type Next = 'over' | number | { why: string }

/**
 * Sends a guest: first its disk, then, while the disk is kept alike, its memory. QEMU stops the guest for the last of it and waits; the
 * copy of the disk is ended, and QEMU may hand over. Only what it then calls completed was read by the destination, which still waits for
 * the word; this host writes down that the guest has left, and says the word. Every stage shows in QEMU, so that another driver goes on.
 */
export async function travel(parts: Moving, id: string, way: Way): Promise<void> {
  const journey: Journey = { parts, id, began: false, standstill: undefined, word: undefined }
  try {
    await go(journey, way)
  } finally {
    journey.word?.close()
  }
}

async function go(journey: Journey, way: Way): Promise<void> {
  const { parts, id } = journey
  let silentSince: number | undefined
  while (!way.stopped) {
    let next: Next
    try {
      next = await push(journey)
      silentSince = undefined
    } catch (error) {
      silentSince ??= performance.now()
      next = await troubled(journey, error, performance.now() - silentSince)
    }
    if (next === 'over') return
    if (typeof next === 'object') return abandon(parts, id, next.why, journey.word)
    await way.rest(next)
  }
}

type Journey = {
  parts: Moving
  id: string
  /** By this driver: what it takes was set up. */
  began: boolean
  /** Since when the guest stands still. */
  standstill: number | undefined
  word: Word | undefined
}

/** What an error means: that nobody is there, that QEMU refused, or that it did not answer yet. */
async function troubled({ parts, id }: Journey, error: unknown, silentMs: number): Promise<Next> {
  parts.log.warn({ server: id, error: explainError(error) }, 'trouble with a guest that is sent')
  if (error instanceof QmpError) return { why: 'The other host could not be reached, or refused.' }
  if (!(await findProcesses(parts.stateDir)).has(id)) return { why: 'The guest ended while it was sent.' }
  return silentMs > silenceMs ? { why: 'The guest did not answer while it was sent.' } : lookMs
}

/** One look at how far it is, and the next thing to do. */
async function push(journey: Journey): Promise<Next> {
  const { parts, id } = journey
  const place = placeOf(parts.stateDir, id)
  const { move } = await readRecord(place)
  const departure = parts.departures.get(id)
  if (move?.at !== 'going' || !departure) return 'over'
  const guest = await readJson<Guest>(place.guest)
  const at = (port: number): Address => ({ host: departure.address, port })
  if (!journey.began) {
    const why = await begin(journey, move, at(departure.diskPort), guest)
    if (why !== undefined) return { why }
  }
  const monitor = await parts.links.monitor(place, id)
  if (departure.forced && move.kind === 'live' && (await monitor.runState()) === 'running') await monitor.stop()
  const copied = guest && hasDisk(guest) ? await copy(journey, monitor) : 'ready'
  if (typeof copied === 'object' || copied === 'going') return copied === 'going' ? lookMs : copied
  if (move.kind === 'live') return memory(journey, monitor, move, copied, at(departure.memoryPort))
  if (copied === 'done' || !guest || !hasDisk(guest)) return leave(parts, id, journey.word)
  await monitor.endCopy(false).catch(unlessRefused)
  return hastyMs
}

/** Sets up what this driver needs; gives why that cannot be. */
async function begin(
  journey: Journey,
  { kind, begun }: MoveRecord,
  to: Address,
  guest: Guest | undefined,
): Promise<string | undefined> {
  const { parts, id } = journey
  const place = placeOf(parts.stateDir, id)
  const key = parts.departures.get(id)?.key ?? ''
  try {
    journey.word ??= await openWord(to.host, to.port, key)
  } catch (error) {
    parts.log.warn({ server: id, error: explainError(error) }, 'the other host was not reached')
    return 'The other host does not answer, or refused.'
  }
  const owner = await parts.ownerFor(id)
  await writeMoveFiles(place, key, owner)
  if (kind === 'cold' && guest && !(await findProcesses(parts.stateDir)).has(id))
    await startProcess(parts.starter, place, guest, { paused: true, incoming: undefined, owner, bare: true })
  const monitor = await parts.links.monitor(place, id)
  // What the move left behind by which the guest came here, when somebody died as it ended.
  if (!begun && !(await monitor.disk())) await monitor.forgetMove()
  await monitor.addKey('move', 'client')
  if (guest && hasDisk(guest)) await monitor.copyDisk(to)
  journey.began = true
  return undefined
}

/** `ready`: the copy is like the disk and kept so; `done`: it was ended so. */
async function copy({ parts, id }: Journey, monitor: GuestMonitor): Promise<'going' | 'ready' | 'done' | { why: string }> {
  const disk = await monitor.disk()
  const why = 'The disk could not be sent to the other host.'
  if (!disk) return { why }
  if (disk.error !== undefined) {
    parts.log.warn({ server: id, error: disk.error }, 'disk not sent')
    return { why }
  }
  const { memory } = parts.progress.get(id) ?? { memory: { total: 0, sent: 0, left: 0 } }
  parts.progress.set(id, { memory, disk: disk.progress })
  if (disk.concluded) return 'done'
  return disk.ready ? 'ready' : 'going'
}

const underWay = new Set(['setup', 'active', 'pre-switchover', 'device', 'cancelling'])

async function memory(
  journey: Journey,
  monitor: GuestMonitor,
  { begun }: MoveRecord,
  copied: 'ready' | 'done',
  to: Address,
): Promise<Next> {
  const { parts, id } = journey
  const { status, progress, error } = await monitor.memory()
  if (!begun) {
    // Until it was told to send, QEMU tells how this guest came here itself; what is under way can only be ours, by one who died.
    if (!underWay.has(status)) await monitor.sendMemory(to)
    await changeMove(placeOf(parts.stateDir, id), (old) => ({ ...old, begun: true }))
    return hastyMs
  }
  const { disk } = parts.progress.get(id) ?? { disk: { total: 0, sent: 0, left: 0 } }
  parts.progress.set(id, { memory: progress, disk })
  switch (status) {
    case 'setup':
    case 'active':
      return lookMs
    case 'pre-switchover':
      return standing(journey, () => switchOver(monitor, copied))
    case 'device':
      return standing(journey, async () => {})
    case 'completed':
      return leave(parts, id, journey.word)
    case 'cancelling':
      return hastyMs
    case 'none':
    case 'cancelled':
    case 'failed':
      parts.log.warn({ server: id, error }, 'memory not sent')
      return { why: 'The memory could not be sent to the other host.' }
    default:
      return status satisfies never
  }
}

/** What is refused was asked before and went on meanwhile: the next look tells how far it is. */
async function switchOver(monitor: GuestMonitor, copied: 'ready' | 'done'): Promise<void> {
  const isCopied = copied === 'done' || (await monitor.disk()) === undefined
  await (isCopied ? monitor.handOver() : monitor.endCopy(false)).catch(unlessRefused)
}

/** The guest stands still: quickly, and not for ever. */
async function standing(journey: Journey, work: () => Promise<void>): Promise<Next> {
  journey.standstill ??= performance.now()
  if (performance.now() - journey.standstill > standstillMs) return { why: 'The guest could not be handed over in time.' }
  await work()
  return hastyMs
}
