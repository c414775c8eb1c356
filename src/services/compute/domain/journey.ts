import type { MoveSeen, VmSeen } from '../../../agents/document.ts'
import { toJson } from '../../../kit/db/columns.ts'
import { sight } from './documents.ts'
import type { Migration, MigrationStatus } from './migrations.ts'
import { type MovePlan, type Server, unseen } from './server.ts'
import type { Change } from './servers.ts'

/** A server that is between two hosts. */
export type Mover = Server & { move: MovePlan }

/** What its host says of the move, and what the other one does. */
export const here = ({ move, moveSeen }: Mover): MoveSeen | undefined => (moveSeen?.id === move.id ? moveSeen : undefined)
export const there = ({ move, otherSeen }: Mover): MoveSeen | undefined =>
  otherSeen?.move?.id === move.id ? otherSeen.move : undefined

/** The guest is where it goes, or nowhere else at least. */
export const isOver = (server: Mover): boolean => here(server)?.at === 'left' || there(server)?.at === 'arrived'

/** What was said of it by the host it was on, and by the one it is on now, change places: as columns. */
export function exchange({ seen, seenHost, moveSeen, otherSeen, id, host }: Mover, to: string, now: number): Change {
  const { power, error, ...counters } = seen
  const last: VmSeen | undefined =
    seenHost === '' || power === ''
      ? undefined
      : { id, ...counters, power, pid: 0, error: error === '' ? undefined : error, ...(moveSeen ? { move: moveSeen } : {}) }
  return {
    ...(otherSeen ? { ...sight(to, otherSeen), seen_at: now } : unseen),
    other_seen: last ? toJson(last) : '',
    host: to,
    move_host: host,
  }
}

/** What a migration that did not come to its end is called. */
export function endOf(migration: Migration | undefined): MigrationStatus {
  if (migration?.cancelled) return 'cancelled'
  return migration?.status === 'running' ? 'failed' : 'error'
}

export const isProgress = (known: Migration['progress'], seen: MoveSeen): boolean =>
  (['memory', 'disk'] as const).some((what) =>
    (['total', 'sent', 'left'] as const).some((bytes) => known[what][bytes] !== seen[what][bytes]),
  )

/** Of everything there is to send; 100 only once it is over. */
export function percent({ memory, disk }: MoveSeen): number {
  const total = memory.total + disk.total
  return total === 0 ? 0 : Math.min(99, Math.floor((100 * (total - memory.left - disk.left)) / total))
}
