import type { Looking } from './look.ts'
import { placeOf } from './place.ts'
import { findProcesses, isGone, killProcess } from './processes.ts'

/** How long QEMU may take to write its caches when told to end. */
const quitMs = 3000

/** Ends whatever process a guest has: asks QEMU to write what it holds and end, and takes its life when it does not. */
export async function endProcess(host: Looking, id: string): Promise<void> {
  const pids = (await findProcesses(host.stateDir)).get(id) ?? []
  if (pids.length === 0) return
  const asked = await askToQuit(host, id)
  for (const pid of pids) if (!asked || !(await isGone(pid, host.stateDir, id, quitMs))) await killProcess(pid, host.stateDir, id)
  await host.links.closeOne(id)
}

async function askToQuit({ stateDir, links }: Looking, id: string): Promise<boolean> {
  try {
    await (await links.monitor(placeOf(stateDir, id), id)).quit()
    return true
  } catch {
    return false
  }
}
