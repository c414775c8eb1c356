import { day, minute } from '../../../kit/clock.ts'

/** How long a token lives from the first of its chain on. */
export const tokenLifeMicros = 60 * minute

/** How long after its end a token may still be asked about with `allow_expired`: services finish long work with it. */
export const expiredWindowMicros = 2 * day
