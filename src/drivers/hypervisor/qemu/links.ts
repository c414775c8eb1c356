import type { Place } from './place.ts'
import { type Monitor, monitorOver } from './qmp/commands.ts'
import { connectQmp, type QmpConnection } from './qmp/connection.ts'

/** Connections to the guests' monitors: one each, made when first needed, kept for its events. */
export type Links = {
  /** Throws when the guest's monitor does not answer. */
  monitor(place: Place, id: string): Promise<Monitor>
  watch(changed: (id: string) => void): () => void
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
  const connect = (place: Place, id: string): Promise<QmpConnection> => {
    const forget = () => open.get(id) === link && open.delete(id)
    const link = connectQmp({
      path: place.qmpSocket,
      heard: ({ event }) => telling.has(event) && tell(id),
      // One that never answered tells nothing new by not answering again.
      ended: () => forget() && tell(id),
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
      return monitorOver(link.closed ? await connect(place, id) : link)
    },
    watch(changed) {
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },
    closeOne,
    async close() {
      watchers.clear()
      await Promise.all([...open.keys()].map(closeOne))
    },
  }
}
