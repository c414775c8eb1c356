import type { Micros } from '../../../kit/clock.ts'
import type { Counters, Guest, GuestState, Move, MoveSeen, Running } from '../driver.ts'

/** Faults on request: what a real host does on a bad day. All may be changed while it runs. */
export type SimFaults = {
  /** Text for the user: every boot fails with it. */
  bootFails?: string
  /** Text for the user: disks cannot be made. */
  prepareFails?: string
  /** The named device never appears. */
  missingDevice?: string
  /** Guests do not answer the power button. */
  deafToPowerButton?: boolean
  /** Each change of a guest takes so long. Default 0: at once. */
  delayMs?: number
  /** Destination: it is told to receive and never listens. */
  neverOpens?: boolean
  /** Destination, text for the user: it tries to listen and cannot. */
  receiveFails?: string
  /** Destination: memory comes, and that the source has left is not heard. */
  deafToHandover?: boolean
  /** Source: it sends and does not come to an end, until this is lifted. */
  moveStalls?: boolean
  /** Source, text for the user: it fails while it sends. */
  moveFails?: string
  /** Source: it hands over, and the destination dies before it ran: only the disk is there. */
  memoryLost?: boolean
}

/** `whole`: everything came, and whether the source has left is not known yet. */
export type SimMove = MoveSeen & { move: Move; as: Running; whole: boolean }

export type SimGuest = {
  guest: Guest
  state: GuestState
  pid: number
  applied: Counters
  pressedAt: Micros | undefined
  console: string
  move?: SimMove
}

/** What the hosts of one simulation share: who waits for whom, by the move's id. */
export type SimRoads = { waiting: Map<string, { host: SimHost; guest: SimGuest }>; nextPort: number }

/** A host made of memory. It outlives the drivers opened on it, as a real host outlives its agent. */
export type SimHost = {
  guests: Map<string, SimGuest>
  faults: SimFaults
  nextPid: number
  watchers: Set<(id: string) => void>
  roads: SimRoads
}

export const simRoads = (): SimRoads => ({ waiting: new Map(), nextPort: 49_152 })

/** Guests move only between hosts that share their roads. */
export const simHost = (faults: SimFaults = {}, roads = simRoads()): SimHost => ({
  guests: new Map(),
  faults,
  nextPid: 1000,
  watchers: new Set(),
  roads,
})

export const tellWatchers = ({ watchers }: SimHost, id: string): void => {
  for (const watcher of watchers) watcher(id)
}

/** What a guest does by itself: powers off, or dies. Those who watch are told. */
export function simEvent(host: SimHost, id: string, happened: 'powers itself off' | 'dies'): void {
  const guest = host.guests.get(id)
  if (!guest || (guest.state !== 'on' && guest.state !== 'paused')) return
  if (happened === 'dies') guest.pid = 0
  guest.state = happened === 'dies' ? 'crashed' : 'ended'
  if (guest.move?.at === 'going') Object.assign(guest.move, { at: 'failed', error: 'The guest ended while it was sent.' })
  tellWatchers(host, id)
}
