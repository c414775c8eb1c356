import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../kit/clock.ts'
import { explainError, Problem } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { Log } from '../../../kit/log.ts'
import type { Guest, GuestSeen, Hypervisor, HypervisorInventory, Running } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { ensureConfigDrive } from './config-drive.ts'
import { boundConsole, readConsole } from './console.ts'
import { ensureDisk } from './disk.ts'
import { drop, ifMissing, isThere, readJson, writeWhole } from './files.ts'
import { type Images, openImages } from './images.ts'
import { type Links, openLinks } from './links.ts'
import { guestIds, lookAt } from './look.ts'
import { memoryLoaded, saveMemory } from './memory.ts'
import { ownerOf, readUidMap } from './owner.ts'
import { type Place, placeOf } from './place.ts'
import { findProcesses, isGone, killProcess } from './processes.ts'
import { readQcow2 } from './qcow2.ts'
import type { Monitor } from './qmp/commands.ts'
import { changeRecord, withoutButton } from './record.ts'
import { type How, missingDevice, numbersOf, type Starter, startProcess } from './start.ts'

export type QemuOptions = {
  exec: Exec
  log: Log
  clock: Clock
  /** Short, because of the sockets below it: at most 40 characters. */
  stateDir: string
  /** The bytes of an image, from a controller. */
  blob(id: string): Promise<AsyncIterable<Uint8Array>>
  /** As `probeAccelerator` found, or as configured. */
  accelerator: Accelerator
  /** Default qemu-system-x86_64; /usr/libexec/qemu-kvm on Red Hat's distributions. */
  program?: string
}

type Parts = Omit<QemuOptions, 'blob' | 'accelerator' | 'program'> & { images: Images; links: Links; starter: Starter }

/** How long QEMU may take to write its caches when told to end. */
const quitMs = 3000

/**
 * Guests as QEMU processes. They outlive this driver; another one over the same folder finds them by their folders, their command
 * lines and their monitors. One driver at a time per folder: a monitor talks to one client.
 */
export function openQemu(options: QemuOptions): Hypervisor {
  const { exec, log, clock, stateDir, blob, accelerator, program = 'qemu-system-x86_64' } = options
  const images = openImages({ dir: join(stateDir, 'images'), clock, blob })
  const links = openLinks()
  const parts: Parts = { exec, log, clock, stateDir, images, links, starter: { program, accelerator, links } }
  const look = (id: string) => lookAt(parts, id)

  return {
    async list() {
      const seen = await Promise.all((await guestIds(stateDir)).map(look))
      return seen.filter((one) => one !== undefined)
    },
    look,
    prepare: (guest) => prepare(parts, guest),
    async start(guest, { boots, softBoots }, as) {
      const place = placeOf(stateDir, guest.id)
      const { state } = await must(parts, guest.id)
      if (state === 'on' || state === 'paused') return
      await endProcess(parts, guest.id)
      await drop(place.memory)
      await changeRecord(place, ({ applied }) => ({ applied: { ...applied, boots, softBoots }, shouldRun: true }))
      await begin(parts, guest, { paused: as === 'paused', incoming: false })
    },
    restore: (guest, as) => restore(parts, guest, as),
    async press(id) {
      const { monitor, place } = await running(parts, id)
      await changeRecord(place, (old) => ({ ...old, pressedAt: clock.now() }))
      await monitor.powerButton()
    },
    async stop(id) {
      await must(parts, id)
      const place = placeOf(stateDir, id)
      await changeRecord(place, (old) => ({ ...withoutButton(old), shouldRun: false }))
      await endProcess(parts, id)
      await drop(place.memory)
    },
    reset: async (id) => (await running(parts, id)).monitor.reset(),
    pause: async (id) => (await running(parts, id)).monitor.stop(),
    resume: async (id) => (await running(parts, id)).monitor.cont(),
    suspend: (id) => suspend(parts, id),
    async remove(id) {
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
    close: links.close,
  }
}

async function must(parts: Parts, id: string): Promise<GuestSeen> {
  const seen = await lookAt(parts, id)
  if (!seen) throw new Problem('not-found', 'The guest is not on this host.')
  return seen
}

async function running(parts: Parts, id: string): Promise<{ monitor: Monitor; place: Place }> {
  const { state } = await must(parts, id)
  if (state !== 'on' && state !== 'paused') throw new Problem('conflict', 'The guest is not running.')
  const place = placeOf(parts.stateDir, id)
  return { monitor: await parts.links.monitor(place, id), place }
}

async function prepare(parts: Parts, guest: Guest) {
  const { exec, images, stateDir } = parts
  // It becomes the name of a folder.
  if (!isUuid(guest.id)) throw new Problem('invalid', 'The id of the guest is no UUID.')
  const place = placeOf(stateDir, guest.id)
  const seen = await lookAt(parts, guest.id)
  if (seen?.state === 'on' || seen?.state === 'paused' || seen?.state === 'lost')
    throw new Problem('conflict', 'The guest is running.')
  // A process that is only left over holds the disk.
  await endProcess(parts, guest.id)
  await mkdir(place.dir, { recursive: true, mode: 0o711 })
  await ensureDisk(exec, images, place, guest)
  await ensureConfigDrive(exec, place, guest, await readJson<Guest>(place.guest))
  await writeWhole(place.guest, JSON.stringify(guest))
  const device = await missingDevice(guest)
  return device === undefined ? ({ ready: true } as const) : ({ ready: false, waitFor: device } as const)
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
  await saveMemory(monitor, place, owner === undefined ? undefined : numbersOf(owner)[0])
  await endProcess(parts, id)
}

async function restore(parts: Parts, guest: Guest, as: Running): Promise<void> {
  const place = placeOf(parts.stateDir, guest.id)
  if ((await must(parts, guest.id)).state !== 'suspended') throw new Problem('conflict', 'The guest is not suspended.')
  await endProcess(parts, guest.id)
  // Memory fits only the machine it was taken from.
  const machine = (await readJson<Guest>(place.guest)) ?? guest
  const monitor = await begin(parts, machine, { paused: true, incoming: true })
  await memoryLoaded(monitor)
  await drop(place.memory)
  if (as === 'running') await monitor.cont()
}

/** Asks QEMU to write what it holds and end; ends it by force when it does not. */
async function endProcess({ stateDir, links }: Parts, id: string): Promise<void> {
  const pids = (await findProcesses(stateDir)).get(id) ?? []
  if (pids.length === 0) return
  const place = placeOf(stateDir, id)
  const asked = await links.monitor(place, id).then(
    (monitor) =>
      monitor.quit().then(
        () => true,
        () => false,
      ),
    () => false,
  )
  for (const pid of pids) if (!asked || !(await isGone(pid, stateDir, id, quitMs))) await killProcess(pid, stateDir, id)
  await links.closeOne(id)
}

async function inventory({ stateDir, links }: Parts): Promise<HypervisorInventory> {
  const ids = await guestIds(stateDir)
  const guests = (await Promise.all(ids.map((id) => lookAt({ stateDir, links }, id)))).filter((one) => one !== undefined)
  const files = ids.map((id) => placeOf(stateDir, id).dir)
  const there = await Promise.all(files.map(isThere))
  return {
    vms: guests.map(({ id, pid }) => ({ id, pid })),
    files: files.filter((_, index) => there[index]),
    problems: [
      ...guests.flatMap(({ id, state }) => (state === 'lost' ? [`guest ${id} runs and its monitor does not answer`] : [])),
      ...ids.flatMap((id, index) => (there[index] ? [] : [`guest ${id} runs and its folder is gone`])),
    ],
  }
}

async function tidy(parts: Parts): Promise<void> {
  const { stateDir, images, log } = parts
  const ids = await guestIds(stateDir)
  const used = new Set<string>()
  for (const id of ids) {
    try {
      await tidyGuest(parts, id)
      const disk = await readQcow2(placeOf(stateDir, id).disk).catch(ifMissing)
      if (disk?.backingFile !== undefined) used.add(disk.backingFile)
    } catch (error) {
      // Without knowing every disk no image is known to be unused.
      log.warn({ server: id, error: explainError(error) }, 'could not tidy up after a guest')
      return
    }
  }
  await images.tidy(used)
}

async function tidyGuest(parts: Parts, id: string): Promise<void> {
  const place = placeOf(parts.stateDir, id)
  await boundConsole(place)
  // We died after memory was saved and before its process was ended.
  if (!(await isThere(place.memory)) || !(await findProcesses(parts.stateDir)).has(id)) return
  const state = await (await parts.links.monitor(place, id)).runState().catch(() => undefined)
  if (state === 'postmigrate') await endProcess(parts, id)
}
