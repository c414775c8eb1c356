/** Microseconds since 1970-01-01 UTC: the only form in which a time is stored. */
export type Micros = number

export type Clock = {
  /** Strictly increasing, so that rows made one after the other sort that way. */
  now(): Micros
}

export const second = 1_000_000
export const minute = 60 * second
export const day = 86_400 * second

export function systemClock(): Clock {
  let last = 0
  return {
    now() {
      last = Math.max(last + 1, Date.now() * 1000)
      return last
    },
  }
}

export type FakeClock = Clock & { advance(micros: Micros): void }

/** A clock that only moves when told to (and by a microsecond at each look). */
export function fakeClock(start: Micros = Date.UTC(2026, 0, 1) * 1000): FakeClock {
  let at = start
  return {
    now: () => ++at,
    advance(micros) {
      at += micros
    },
  }
}

/** `2026-01-01T00:00:00Z`, as compute, image and network print times. */
export const isoSeconds = (at: Micros): string => `${new Date(at / 1000).toISOString().slice(0, 19)}Z`

/** `2026-01-01T00:00:00.000000Z`, as identity prints times. */
export const isoMicros = (at: Micros): string => {
  const whole = new Date(Math.floor(at / 1000)).toISOString().slice(0, 19)
  return `${whole}.${String(at % second).padStart(6, '0')}Z`
}

/** Parses an ISO 8601 time (UTC unless it says otherwise); undefined when it is none. */
export function parseTime(text: string): Micros | undefined {
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/.test(text)) return undefined
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text) && text.length > 10
  const ms = Date.parse(hasZone ? text : `${text}${text.length > 10 ? 'Z' : ''}`)
  // Date knows milliseconds only.
  const micros = /\.\d{3}(\d{1,3})/.exec(text)?.[1]?.padEnd(3, '0') ?? '0'
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(micros)
}
