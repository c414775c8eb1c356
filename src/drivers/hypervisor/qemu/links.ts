import type { Place } from './place.ts'
import { type Monitor, monitorOver } from './qmp/commands.ts'
import { connectQmp, type QmpConnection } from './qmp/connection.ts'
import { type MoveMonitor, moveMonitorOver } from './qmp/moves.ts'

export type GuestMonitor = Monitor & MoveMonitor

/** Connections to the guests' monitors: one each, made when first needed, kept for its events. */
export type Links = {
  /** Throws when the guest's monitor does not answer. */
  monitor(place: Place, id: string): Promise<GuestMonitor>
  watch(changed: (id: string) => void): () => void
  /** Tells those who watch that a guest changed. */
  tell(id: string): void
  /** Calls back at every event of every guest, and when a monitor is gone. Gives the way to stop. */
  hear(heard: (id: string) => void): () => void
  closeOne(id: string): Promise<void>
  close(): Promise<void>
}

/** Events after which a guest is in another state than before. */
const telling = new Set(['SHUTDOWN', 'STOP', 'RESUME', 'RESET', 'GUEST_PANICKED', 'BLOCK_IO_ERROR', 'POWERDOWN', 'WATCHDOG'])

export function openLinks(): Links {
  const open = new Map<string, Promise<QmpConnection>>()
  const watchers = new Set<(id: string) => void>()
  const tell = (id: string) => {
    for (const watcher of watchers) watcher(id)
  }
  const listeners = new Set<(id: string) => void>()
  const stir = (id: string) => {
    for (const listener of listeners) listener(id)
  }
  const connect = (place: Place, id: string): Promise<QmpConnection> => {
    const forget = () => open.get(id) === link && open.delete(id)
    const link = connectQmp({
      path: place.qmpSocket,
      heard({ event }) {
        stir(id)
        if (telling.has(event)) tell(id)
      },
      ended() {
        stir(id)
        // One that never answered tells nothing new by not answering again.
        if (forget()) tell(id)
      },
    })
    open.set(id, link)
    link.catch(forget)
    return link
  }
  const closeOne = async (id: string) => {
    const link = open.get(id)
    open.delete(id)
    await link?.then(
      (one) => one.close(),
      () => {},
    )
  }
  return {
    async monitor(place, id) {
      const link = await (open.get(id) ?? connect(place, id))
      const live = link.closed ? await connect(place, id) : link
      return { ...monitorOver(live), ...moveMonitorOver(live) }
    },
    watch(changed) {
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },
    tell,
    hear(heard) {
      listeners.add(heard)
      return () => void listeners.delete(heard)
    },
    closeOne,
    async close() {
      watchers.clear()
      listeners.clear()
      await Promise.all([...open.keys()].map(closeOne))
    },
  }
}
