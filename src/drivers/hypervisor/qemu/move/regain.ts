import type { Place } from '../place.ts'
import { changeRecord } from '../record.ts'

/** What a guest that was off left here is its own again. Memory that went with it would be missing: a live move has no way back. */
export const regain = (place: Place): Promise<void> =>
  changeRecord(place, (old) =>
    old.move?.side === 'out' && old.move.kind === 'cold' && old.move.at === 'left'
      ? { ...old, move: { ...old.move, at: 'failed', error: 'The move was taken back.' } }
      : old,
  )
