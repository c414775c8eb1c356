import type { Micros } from '../../../kit/clock.ts'
import type { Counters, MoveSeen, Running } from '../driver.ts'
import { readJson, writeWhole } from './files.ts'
import type { Place } from './place.ts'

/** What cannot be learnt by looking at processes: what was asked for and done. */
export type GuestRecord = {
  applied: Counters
  pressedAt?: Micros
  /** It was started and not stopped: a process that is missing has crashed. */
  shouldRun: boolean
  /** The last move that began here. */
  move?: MoveRecord
}

export type MoveRecord = Omit<MoveSeen, 'at'> & {
  kind: 'live' | 'cold'
  side: 'in' | 'out'
  /** `preparing`: nothing listens yet. */
  at: 'preparing' | MoveSeen['at']
  /** How the guest goes on where it arrives, and here if it does not leave. */
  as: Running
  /** QEMU was told to send memory: what it says of memory is of this move. */
  begun: boolean
}

const fresh: GuestRecord = { applied: { generation: 0, boots: 0, softBoots: 0 }, shouldRun: false }

export const readRecord = async ({ record }: Place): Promise<GuestRecord> => (await readJson<GuestRecord>(record)) ?? fresh

export async function changeRecord(place: Place, change: (old: GuestRecord) => GuestRecord): Promise<void> {
  await writeWhole(place.record, JSON.stringify(change(await readRecord(place))))
}

/** Of a guest whose move was recorded. */
export async function changeMove(place: Place, change: (old: MoveRecord) => MoveRecord): Promise<void> {
  await changeRecord(place, (old) => (old.move ? { ...old, move: change(old.move) } : old))
}

export const withoutButton = ({ pressedAt: _, ...rest }: GuestRecord): GuestRecord => rest
