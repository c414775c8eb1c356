import { watch } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../../../kit/errors.ts'
import { isUuid } from '../../../../kit/ids.ts'
import type { Counters, Guest, Move, Prepared, Running } from '../../driver.ts'
import { hasDisk } from '../disk.ts'
import { endProcess } from '../end.ts'
import type { GuestMonitor } from '../links.ts'
import { lookAt } from '../look.ts'
import { placeOf } from '../place.ts'
import { findProcesses } from '../processes.ts'
import { unlessRefused } from '../qmp/connection.ts'
import { changeMove, changeRecord, type MoveRecord, readRecord } from '../record.ts'
import { startProcess } from '../start.ts'
import { dropMoveFiles, freePorts, isWordSaid, writeMoveFiles } from './channels.ts'
import type { Way } from './couriers.ts'
import type { Moving } from './moving.ts'

type Numbers = Pick<Counters, 'boots' | 'softBoots'>

const nothing = { total: 0, sent: 0, left: 0 }
/** How often a host looks by itself whether the guest has come; mostly it is told. */
const lookMs = 500
/** Between the word and QEMU's own word that it has read everything there are milliseconds. */
const settleMs = 10_000

/** Makes everything a guest needs that comes from another host, and listens for it. */
export async function receive(parts: Moving, guest: Guest, numbers: Numbers, move: Move, as: Running): Promise<Prepared> {
  if (!isUuid(guest.id)) throw new Problem('invalid', 'The id of the guest is no UUID.')
  const place = placeOf(parts.stateDir, guest.id)
  const seen = await lookAt(parts, guest.id)
  if (seen && seen.state !== 'arriving' && seen.state !== 'left') {
    if (seen.move?.id === move.id) return { ready: true }
    throw new Problem('conflict', 'The guest is on this host.')
  }
  const known = (await readRecord(place)).move
  if (known?.id !== move.id || known.side !== 'in') await beginAnew(parts, guest, numbers, move, as)
  else if (known.at === 'open') return attendArrival(parts, guest.id)
  // Also when it has arrived since we looked: what runs then must not be begun again.
  else if (known.at !== 'preparing') return { ready: true }
  const prepared = await parts.makeParts(guest)
  if (prepared.ready) await listen(parts, guest, move)
  return prepared
}

function attendArrival(parts: Moving, id: string): Prepared {
  parts.couriers.attend(id, (way) => awaitArrival(parts, id, way))
  return { ready: true }
}

/** From its first moment it is known that the guest is another host's. */
async function beginAnew(parts: Moving, { id }: Guest, { boots, softBoots }: Numbers, move: Move, as: Running): Promise<void> {
  const place = placeOf(parts.stateDir, id)
  await parts.couriers.stop(id)
  const old = (await readRecord(place)).move
  // By an earlier move, a moment ago.
  if (old?.side === 'in' && old.at === 'arrived') throw new Problem('conflict', 'The guest is on this host.')
  await endProcess(parts, id)
  await rm(place.dir, { recursive: true, force: true })
  await mkdir(place.dir, { recursive: true, mode: 0o711 })
  const { kind } = move
  const record: MoveRecord = {
    ...{ id: move.id, kind, side: 'in', at: 'preparing', as, begun: false },
    ...{ memoryPort: 0, diskPort: 0, memory: nothing, disk: nothing, error: undefined },
  }
  await changeRecord(place, () => ({ applied: { generation: 0, boots, softBoots }, shouldRun: false, move: record }))
}

async function listen(parts: Moving, guest: Guest, { kind, key }: Move): Promise<void> {
  const place = placeOf(parts.stateDir, guest.id)
  // One that was half set up when we died.
  await endProcess(parts, guest.id)
  const owner = await parts.ownerFor(guest.id)
  await writeMoveFiles(place, key, owner)
  const isLive = kind === 'live'
  const how = { paused: true, incoming: 'deferred', owner } as const
  const monitor = await startProcess(parts.starter, place, guest, isLive ? how : { ...how, bare: true })
  const [diskPort, memoryPort] = await freePorts(parts.address)
  await monitor.addKey('move', 'server')
  await monitor.openDisks({ host: parts.address, port: diskPort }, hasDisk(guest), 'move/word')
  if (isLive) await monitor.openMemory({ host: parts.address, port: memoryPort })
  await changeMove(place, (old) => ({ ...old, at: 'open', diskPort, memoryPort: isLive ? memoryPort : 0 }))
  attendArrival(parts, guest.id)
}

/** Waits until the source has left and everything is here, or QEMU gave up. */
async function awaitArrival(parts: Moving, id: string, way: Way): Promise<void> {
  const place = placeOf(parts.stateDir, id)
  let wake = () => {}
  const watcher = watch(place.moveDir, () => wake())
  watcher.on('error', () => {})
  try {
    while (!way.stopped && (await readRecord(place)).move?.at === 'open') {
      const said = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (await isWordSaid(place)) return await arrive(parts, id)
      if (!(await findProcesses(parts.stateDir)).has(id)) return await giveUp(parts, id)
      await Promise.race([way.rest(lookMs), said])
    }
  } finally {
    watcher.close()
  }
}

async function giveUp({ stateDir }: Moving, id: string): Promise<void> {
  const error = 'The guest did not come over: the channel to the other host broke.'
  await changeMove(placeOf(stateDir, id), (old) => ({ ...old, at: 'failed', error }))
}

/** Somebody who knows says that the source has left. */
export async function take(parts: Moving, id: string): Promise<void> {
  await parts.couriers.stop(id)
  const { move } = await readRecord(placeOf(parts.stateDir, id))
  if (move?.side === 'in' && move.at !== 'arrived') await arrive(parts, id)
}

/**
 * The guest is this host's own. With its memory it goes on; without, it has crashed and boots from its disk, which is whole: no source
 * leaves before that. Killed on the way, the next one does it again: the word stays, or whoever said `take` says it again.
 */
async function arrive(parts: Moving, id: string): Promise<void> {
  const place = placeOf(parts.stateDir, id)
  const { move } = await readRecord(place)
  if (!move) return
  const monitor = move.kind === 'live' ? await withMemory(parts, id) : undefined
  if (monitor) await goOn(monitor, move)
  else await endProcess(parts, id)
  await changeRecord(place, (old) => ({
    ...old,
    shouldRun: move.kind === 'live',
    move: { ...move, at: 'arrived', error: undefined },
  }))
  parts.links.tell(id)
  await monitor?.forgetMove()
  await dropMoveFiles(place)
}

/** No disk can be written by two. */
async function goOn(monitor: GuestMonitor, { as }: MoveRecord): Promise<void> {
  await monitor.closeDisks()
  // Refused where the guest switched itself off on its way: that shows when it is looked at.
  if (as === 'running') await monitor.cont().catch(unlessRefused)
  await monitor.announce()
}

/** The monitor of a QEMU that has read all memory; undefined: that will not be. Throws when QEMU lives and does not say. */
async function withMemory(parts: Moving, id: string): Promise<GuestMonitor | undefined> {
  const until = performance.now() + settleMs
  const place = placeOf(parts.stateDir, id)
  let said: unknown
  while (performance.now() < until) {
    if (!(await findProcesses(parts.stateDir)).has(id)) return without(parts, id, 'QEMU ended')
    try {
      const monitor = await parts.links.monitor(place, id)
      const { status } = await monitor.memory()
      if (status === 'completed') return monitor
      if (status === 'none' || status === 'setup' || status === 'failed') return without(parts, id, status)
    } catch (error) {
      said = error
    }
    await delay(5)
  }
  throw new Error('QEMU does not tell whether memory has come', { cause: said })
}

async function without({ log, stateDir }: Moving, id: string, why: string): Promise<undefined> {
  const qemu = (await readFile(placeOf(stateDir, id).qemuLog, 'utf8').catch(() => '')).slice(-600)
  log.warn({ server: id, why, qemu }, 'a guest arrived without its memory')
}
