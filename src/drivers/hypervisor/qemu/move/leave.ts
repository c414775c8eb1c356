import { explainError } from '../../../../kit/errors.ts'
import { endProcess } from '../end.ts'
import { syncFolder } from '../files.ts'
import type { GuestMonitor } from '../links.ts'
import { placeOf } from '../place.ts'
import { changeRecord } from '../record.ts'
import { dropMoveFiles } from './channels.ts'
import type { Moving } from './moving.ts'

/** Everything is over there: from this moment the guest is the other host's, whatever happens. */
export async function leave(parts: Moving, id: string, monitor: GuestMonitor): Promise<'over'> {
  const place = placeOf(parts.stateDir, id)
  const to = parts.departures.get(id)
  const { memory, disk } = parts.progress.get(id) ?? {}
  const all = (total = 0) => ({ total, sent: total, left: 0 })
  await changeRecord(place, (old) => ({
    ...old,
    shouldRun: false,
    ...(old.move && { move: { ...old.move, at: 'left', memory: all(memory?.total), disk: all(disk?.total) } }),
  }))
  await syncFolder(place.dir)
  // The other host may go on at once. If it does not hear this, it is told by the controllers.
  if (to) await monitor.sayWord({ host: to.address, port: to.diskPort }).catch((error) => unheard(parts, id, error))
  parts.links.tell(id)
  await endProcess(parts, id)
  await dropMoveFiles(place)
  parts.progress.delete(id)
  parts.departures.delete(id)
  return 'over'
}

const unheard = ({ log }: Moving, id: string, error: unknown) =>
  log.warn({ server: id, error: explainError(error) }, 'a guest has left and its new host does not hear it')
