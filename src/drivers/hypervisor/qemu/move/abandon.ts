import { setTimeout as delay } from 'node:timers/promises'
import { endProcess } from '../end.ts'
import type { GuestMonitor } from '../links.ts'
import { placeOf } from '../place.ts'
import { findProcesses } from '../processes.ts'
import type { RunState } from '../qmp/commands.ts'
import { changeMove, readRecord } from '../record.ts'
import { dropMoveFiles } from './channels.ts'
import { leave } from './leave.ts'
import type { Moving } from './moving.ts'
import type { Word } from './word.ts'

/** How long QEMU may take to let go of a host that does not answer. */
const patienceMs = 20_000

/** Gives a move up: the guest goes on here as before. If everything is over there already, it has left all the same. */
export async function abandon(parts: Moving, id: string, error: string, word?: Word): Promise<void> {
  const place = placeOf(parts.stateDir, id)
  const { move } = await readRecord(place)
  if (!move) return
  const isHere = (await findProcesses(parts.stateDir)).has(id)
  if (move.kind === 'cold') await endProcess(parts, id)
  else if (isHere) {
    const monitor = await parts.links.monitor(place, id)
    if ((await stopMemory(monitor)) === 'completed' && move.begun) return void (await leave(parts, id, word))
    await stopDisk(monitor)
    await monitor.forgetMove()
    if (move.as === 'running' && standsStill.has(await monitor.runState())) await monitor.cont()
  }
  await changeMove(place, (old) => ({ ...old, at: 'failed', error }))
  await dropMoveFiles(place)
  parts.progress.delete(id)
  parts.departures.delete(id)
}

/** Of a guest that stopped only because it was sent. */
const standsStill: ReadonlySet<RunState> = new Set<RunState>(['paused', 'postmigrate', 'finish-migrate'])
const underWay = new Set(['setup', 'active', 'pre-switchover', 'device'])

async function stopMemory(monitor: GuestMonitor): Promise<string> {
  if (underWay.has((await monitor.memory()).status)) await monitor.cancelMemory()
  let status = ''
  await until('memory', async () => {
    status = (await monitor.memory()).status
    return status !== 'cancelling' && !underWay.has(status)
  })
  return status
}

async function stopDisk(monitor: GuestMonitor): Promise<void> {
  await monitor.endCopy(true)
  await until('disk', async () => (await monitor.disk())?.concluded ?? true)
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`QEMU does not let go of the ${what} that was sent`)
    await delay(10)
  }
}
