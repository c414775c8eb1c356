import { explainError } from '../../../kit/errors.ts'
import type { HypervisorInventory } from '../driver.ts'
import { boundConsole } from './console.ts'
import { endProcess } from './end.ts'
import { ifMissing, isThere } from './files.ts'
import type { Images } from './images.ts'
import { guestIds, type Looking, lookAt } from './look.ts'
import { placeOf } from './place.ts'
import { findProcesses } from './processes.ts'
import { readQcow2 } from './qcow2.ts'

export type Upkeep = Looking & { images: Images }

/** Everything here that is ours, and what is wrong with it. */
export async function inventory(host: Looking): Promise<HypervisorInventory> {
  const { stateDir } = host
  const ids = await guestIds(stateDir)
  const guests = (await Promise.all(ids.map((id) => lookAt(host, id)))).filter((one) => one !== undefined)
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

/** Bounds consoles, ends what an agent that died left to end, drops images that no disk has needed for long. */
export async function tidy(host: Upkeep): Promise<void> {
  const { stateDir, images, log } = host
  const ids = await guestIds(stateDir)
  const used = new Set<string>()
  for (const id of ids) {
    try {
      await tidyGuest(host, id)
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

async function tidyGuest(host: Upkeep, id: string): Promise<void> {
  const place = placeOf(host.stateDir, id)
  await boundConsole(place)
  // We died after memory was saved and before its process was ended.
  if (!(await isThere(place.memory)) || !(await findProcesses(host.stateDir)).has(id)) return
  const state = await (await host.links.monitor(place, id)).runState().catch(() => undefined)
  if (state === 'postmigrate') await endProcess(host, id)
}
