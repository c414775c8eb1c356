import { isoMicros, isoSeconds, type Micros } from '../../../kit/clock.ts'

/** `2026-01-01T00:00:00.000000`: times that compute prints without a zone. */
export const isoBare = (at: Micros): string => isoMicros(at).slice(0, -1)

export const isoOrNull = (at: Micros, print: (at: Micros) => string = isoSeconds): string | null => (at === 0 ? null : print(at))
