import type { Vswitch } from '../drivers/vswitch/driver.ts'

/** A switch that can be opened anew with other settings while agents work with it: a driver keeps nothing, the next one finds what the last one left. */
export type LiveSwitch = Vswitch & { reopen(): Promise<void> }

export function liveSwitch(open: () => Vswitch): LiveSwitch {
  let current = open()
  const watchers = new Map<() => void, () => void>()
  return {
    prepare: () => current.prepare(),
    list: () => current.list(),
    plug: (port) => current.plug(port),
    unplug: (id) => current.unplug(id),
    program: (ports, options) => current.program(ports, options),
    inventory: () => current.inventory(),
    watch(changed) {
      watchers.set(changed, current.watch(changed))
      return () => {
        watchers.get(changed)?.()
        watchers.delete(changed)
      }
    },
    close: () => current.close(),
    async reopen() {
      const last = current
      current = open()
      for (const [changed, stop] of watchers) {
        stop()
        watchers.set(changed, current.watch(changed))
      }
      await last.close()
    },
  }
}
