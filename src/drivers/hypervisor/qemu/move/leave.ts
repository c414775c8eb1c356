import { explainError } from '../../../../kit/errors.ts'
import { endProcess } from '../end.ts'
import { syncFolder } from '../files.ts'
import { placeOf } from '../place.ts'
import { changeRecord } from '../record.ts'
import { dropMoveFiles } from './channels.ts'
import type { Moving } from './moving.ts'
import { openWord, type Word } from './word.ts'

/** Everything is over there: from this moment the guest is the other host's, whatever happens. */
export async function leave(parts: Moving, id: string, word: Word | undefined): Promise<'over'> {
  const place = placeOf(parts.stateDir, id)
  const { memory, disk } = parts.progress.get(id) ?? {}
  const all = (total = 0) => ({ total, sent: total, left: 0 })
  await changeRecord(place, (old) => ({
    ...old,
    shouldRun: false,
    ...(old.move && { move: { ...old.move, at: 'left', memory: all(memory?.total), disk: all(disk?.total) } }),
  }))
  await syncFolder(place.dir)
  await say(parts, id, word)
  parts.links.tell(id)
  await endProcess(parts, id)
  await dropMoveFiles(place)
  parts.progress.delete(id)
  parts.departures.delete(id)
  return 'over'
}

/** The other host may go on at once. If it does not hear this, it is told by the controllers. */
async function say({ log, departures }: Moving, id: string, word: Word | undefined): Promise<void> {
  const to = departures.get(id)
  try {
    const said = word ?? (to && (await openWord(to.address, to.diskPort, to.key)))
    await said?.say()
    said?.close()
  } catch (error) {
    log.warn({ server: id, error: explainError(error) }, 'a guest has left and its new host does not hear it')
  }
}
