import type { Micros } from '../../../kit/clock.ts'
import type { Counters } from '../driver.ts'
import { readJson, writeWhole } from './files.ts'
import type { Place } from './place.ts'

/** What cannot be learnt by looking at processes: what was asked for and done. */
export type GuestRecord = {
  applied: Counters
  pressedAt?: Micros
  /** It was started and not stopped: a process that is missing has crashed. */
  shouldRun: boolean
}

const fresh: GuestRecord = { applied: { generation: 0, boots: 0, softBoots: 0 }, shouldRun: false }

export const readRecord = async ({ record }: Place): Promise<GuestRecord> => (await readJson<GuestRecord>(record)) ?? fresh

export async function changeRecord(place: Place, change: (old: GuestRecord) => GuestRecord): Promise<void> {
  await writeWhole(place.record, JSON.stringify(change(await readRecord(place))))
}

export const withoutButton = ({ pressedAt: _, ...rest }: GuestRecord): GuestRecord => rest
