import type { Departure, Guest, Prepared, Progress } from '../../driver.ts'
import type { Looking } from '../look.ts'
import type { Starter } from '../start.ts'
import type { Couriers } from './couriers.ts'

/** What the two halves of a move work with. */
export type Moving = Looking & {
  starter: Starter
  couriers: Couriers
  /** Where other hosts reach this one. */
  address: string
  /** How far those are that go; a new driver learns it anew. */
  progress: Map<string, { memory: Progress; disk: Progress }>
  /** Where guests go, as it was last told. */
  departures: Map<string, Departure>
  /** Disk, config drive, and whether the network devices are there. */
  makeParts(guest: Guest): Promise<Prepared>
  ownerFor(id: string): Promise<string | undefined>
}
