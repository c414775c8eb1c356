import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { Log } from '../../../kit/log.ts'
import type { Guest, GuestSeen, Hypervisor, Prepared, Running } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { ensureConfigDrive } from './config-drive.ts'
import { readConsole } from './console.ts'
import { ensureDisk } from './disk.ts'
import { endProcess } from './end.ts'
import { drop, readJson, writeWhole } from './files.ts'
import { openImages } from './images.ts'
import { type GuestMonitor, openLinks } from './links.ts'
import { guestIds, lookAt } from './look.ts'
import { memoryLoaded, saveMemory } from './memory.ts'
import { openCouriers } from './move/couriers.ts'
import type { Moving } from './move/moving.ts'
import { receive, take } from './move/receive.ts'
import { regain } from './move/regain.ts'
import { cancel, send } from './move/send.ts'
import { ownerOf, readUidMap } from './owner.ts'
import { type Place, placeOf } from './place.ts'
import type { Monitor } from './qmp/commands.ts'
import { changeRecord, withoutButton } from './record.ts'
import { type How, missingDevice, numbersOf, type Starter, startProcess } from './start.ts'
import { inventory, tidy, type Upkeep } from './upkeep.ts'

export type QemuOptions = {
  exec: Exec
  log: Log
  clock: Clock
  /** Short, because of the sockets below it: at most 48 bytes. */
  stateDir: string
  /** The bytes of an image, from a controller. */
  blob(id: string): Promise<AsyncIterable<Uint8Array>>
  /** As `probeAccelerator` found, or as configured. */
  accelerator: Accelerator
  /** Of this host, where others reach it when guests move. Default 127.0.0.1. */
  address?: string
  /** Default qemu-system-x86_64; /usr/libexec/qemu-kvm on Red Hat's distributions. */
  program?: string
}

const uuidLike = '0'.repeat(36)

type Parts = Upkeep & Moving & { exec: Exec; clock: Clock; starter: Starter }

/**
 * Guests as QEMU processes. They outlive this driver; another one over the same folder finds them by their folders, their command
 * lines and their monitors. One driver at a time per folder: a monitor talks to one client.
 */
export function openQemu(options: QemuOptions): Hypervisor {
  const { exec, log, clock, stateDir, blob, accelerator, program = 'qemu-system-x86_64', address = '127.0.0.1' } = options
  // The kernel's limit for a socket's path is 107.
  if (Buffer.byteLength(placeOf(stateDir, uuidLike).consoleSocket) > 107)
    throw new Error(`${stateDir} is too long a path for the guests' sockets`)
  const images = openImages({ dir: join(stateDir, 'images'), clock, blob })
  const links = openLinks()
  const parts: Parts = {
    ...{ exec, log, clock, stateDir, images, links, address, ownerFor },
    starter: { program, accelerator, links },
    couriers: openCouriers(links, log),
    progress: new Map(),
    departures: new Map(),
    makeParts: (guest) => makeParts(parts, guest),
  }
  const look = async (id: string): Promise<GuestSeen | undefined> => {
    const seen = await lookAt(parts, id)
    return seen?.move?.at === 'going' ? { ...seen, move: { ...seen.move, ...parts.progress.get(id) } } : seen
  }

  return {
    async list() {
      const seen = await Promise.all((await guestIds(stateDir)).map(look))
      return seen.filter((one) => one !== undefined)
    },
    look,
    prepare: (guest) => prepare(parts, guest),
    async start(guest, { boots, softBoots }, as) {
      const place = placeOf(stateDir, guest.id)
      const { state } = await own(parts, guest.id)
      if (state === 'on' || state === 'paused') return
      await endProcess(parts, guest.id)
      await drop(place.memory)
      await changeRecord(place, (old) => ({
        ...withoutButton(old),
        applied: { ...old.applied, boots, softBoots },
        shouldRun: true,
      }))
      await begin(parts, guest, { paused: as === 'paused', incoming: undefined })
    },
    restore: (guest, as) => restore(parts, guest, as),
    async press(id) {
      const { monitor, place } = await running(parts, id)
      await changeRecord(place, (old) => ({ ...old, pressedAt: clock.now() }))
      await monitor.powerButton()
    },
    async stop(id) {
      await own(parts, id)
      const place = placeOf(stateDir, id)
      await changeRecord(place, (old) => ({ ...withoutButton(old), shouldRun: false }))
      await endProcess(parts, id)
      await drop(place.memory)
    },
    receive: (guest, counters, move, as) => receive(parts, guest, counters, move, as),
    async take(id) {
      await must(parts, id)
      await take(parts, id)
    },
    send: (id, departure) => send(parts, id, departure),
    async cancel(id) {
      await must(parts, id)
      await cancel(parts, id)
    },
    async regain(id) {
      await must(parts, id)
      await regain(placeOf(stateDir, id))
    },
    reset: async (id) => (await running(parts, id)).monitor.reset(),
    pause: async (id) => (await running(parts, id)).monitor.stop(),
    resume: async (id) => (await running(parts, id)).monitor.cont(),
    suspend: (id) => suspend(parts, id),
    async remove(id) {
      await parts.couriers.stop(id)
      await endProcess(parts, id)
      await rm(placeOf(stateDir, id).dir, { recursive: true, force: true })
    },
    async record(id, counters) {
      await must(parts, id)
      await changeRecord(placeOf(stateDir, id), (old) => ({ ...withoutButton(old), applied: { ...counters } }))
    },
    consoleLog: (id, bytes) => readConsole(placeOf(stateDir, id), bytes),
    async vnc(id) {
      const seen = await look(id)
      return seen && seen.pid > 0 ? { kind: 'unix', path: placeOf(stateDir, id).vncSocket } : undefined
    },
    inventory: () => inventory(parts),
    tidy: () => tidy(parts),
    watch: links.watch,
    async close() {
      await parts.couriers.stopAll()
      await links.close()
    },
  }
}

async function must(parts: Parts, id: string): Promise<GuestSeen> {
  const seen = await lookAt(parts, id)
  if (!seen) throw new Problem('not-found', 'The guest is not on this host.')
  return seen
}

/** A guest that is this host's. */
async function own(parts: Parts, id: string): Promise<GuestSeen> {
  const seen = await must(parts, id)
  if (seen.state === 'arriving' || seen.state === 'left') throw new Problem('conflict', 'The guest is on another host.')
  return seen
}

async function running(parts: Parts, id: string): Promise<{ monitor: GuestMonitor; place: Place }> {
  const { state } = await must(parts, id)
  if (state !== 'on' && state !== 'paused') throw new Problem('conflict', 'The guest is not running.')
  const place = placeOf(parts.stateDir, id)
  return { monitor: await parts.links.monitor(place, id), place }
}

async function prepare(parts: Parts, guest: Guest): Promise<Prepared> {
  // It becomes the name of a folder.
  if (!isUuid(guest.id)) throw new Problem('invalid', 'The id of the guest is no UUID.')
  const place = placeOf(parts.stateDir, guest.id)
  const seen = await lookAt(parts, guest.id)
  if (seen?.state === 'on' || seen?.state === 'paused' || seen?.state === 'lost')
    throw new Problem('conflict', 'The guest is running.')
  if (seen) await own(parts, guest.id)
  // A process that is only left over holds the disk.
  await endProcess(parts, guest.id)
  await mkdir(place.dir, { recursive: true, mode: 0o711 })
  return makeParts(parts, guest)
}

async function makeParts({ exec, images, stateDir }: Parts, guest: Guest): Promise<Prepared> {
  const place = placeOf(stateDir, guest.id)
  await ensureDisk(exec, images, place, guest)
  await ensureConfigDrive(exec, place, guest, await readJson<Guest>(place.guest))
  await writeWhole(place.guest, JSON.stringify(guest))
  const device = await missingDevice(guest)
  return device === undefined ? { ready: true } : { ready: false, waitFor: device }
}

async function begin(parts: Parts, guest: Guest, how: Omit<How, 'owner'>): Promise<Monitor> {
  const place = placeOf(parts.stateDir, guest.id)
  return startProcess(parts.starter, place, guest, { ...how, owner: await ownerFor(guest.id) })
}

async function ownerFor(id: string): Promise<string | undefined> {
  const uidMap = await readUidMap()
  return uidMap === undefined ? undefined : ownerOf(id, uidMap)
}

async function suspend(parts: Parts, id: string): Promise<void> {
  const { monitor, place } = await running(parts, id)
  const owner = await ownerFor(id)
  // Of the move by which it came here, when we died as that ended: its key would be asked for.
  await monitor.forgetMove()
  await saveMemory(monitor, place, owner === undefined ? undefined : numbersOf(owner)[0])
  await endProcess(parts, id)
}

async function restore(parts: Parts, guest: Guest, as: Running): Promise<void> {
  const place = placeOf(parts.stateDir, guest.id)
  if ((await must(parts, guest.id)).state !== 'suspended') throw new Problem('conflict', 'The guest is not suspended.')
  await endProcess(parts, guest.id)
  // Memory fits only the machine it was taken from.
  const machine = (await readJson<Guest>(place.guest)) ?? guest
  const monitor = await begin(parts, machine, { paused: true, incoming: 'file' })
  await memoryLoaded(monitor)
  await drop(place.memory)
  if (as === 'running') await monitor.cont()
}
