import { type RawBuilder, sql } from 'kysely'
import { type Micros, parseTime, second } from '../../../kit/clock.ts'
import { badBody } from './kinds.ts'
import type { Condition } from './resource.ts'

/** A whole number a column can hold; undefined: no row has such a value. */
export const whole = (text: string): number | undefined => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined)

/** Times are shown to the second, and asked for as they are shown. */
export const inSecond = (column: 'created_at' | 'updated_at'): Condition => ({
  where(values) {
    const seconds = values.map((text) => parseTime(text)).filter((at) => at !== undefined)
    const conditions = seconds.map((at) => sql`(${sql.ref(column)} >= ${at} and ${sql.ref(column)} < ${at + second})`)
    return conditions.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`(${sql.join(conditions, sql` or `)})`
  },
})

/** `changed_since=2026-01-01T00:00:00`: what was made or changed from then on. */
export function changedSince(values: string[] | undefined): RawBuilder<boolean>[] {
  return (values ?? []).map((text) => {
    const at: Micros | undefined = parseTime(text)
    if (at === undefined)
      throw badBody(`The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SS[Z], and is ${text}`)
    return sql<boolean>`updated_at >= ${at}`
  })
}
