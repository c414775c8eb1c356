import { Problem } from '../../../../kit/errors.ts'
import type { Departure, GuestSeen } from '../../driver.ts'
import { lookAt } from '../look.ts'
import { type Place, placeOf } from '../place.ts'
import { changeRecord, type MoveRecord, readRecord } from '../record.ts'
import { abandon } from './abandon.ts'
import type { Moving } from './moving.ts'
import { travel } from './travel.ts'

const nothing = { total: 0, sent: 0, left: 0 }

/** Begins to send a guest, or sees to it that somebody does. */
export async function send(parts: Moving, id: string, departure: Departure): Promise<void> {
  const seen = await lookAt(parts, id)
  if (!seen) throw new Problem('not-found', 'The guest is not on this host.')
  if (seen.state === 'left') return
  if (seen.state === 'arriving') throw new Problem('conflict', 'The guest is on another host.')
  const place = placeOf(parts.stateDir, id)
  if ((await readRecord(place)).move?.id !== departure.id) await begin(place, seen, departure)
  if ((await readRecord(place)).move?.at !== 'going') return
  parts.departures.set(id, departure)
  parts.couriers.attend(id, (way) => travel(parts, id, way))
}

async function begin(place: Place, { state }: GuestSeen, { id, kind, memoryPort, diskPort }: Departure): Promise<void> {
  const error = unfit(kind, state)
  const move: MoveRecord = {
    ...{ id, kind, side: 'out', at: error === undefined ? 'going' : 'failed', error },
    ...{ memoryPort, diskPort, memory: nothing, disk: nothing, begun: false },
    as: state === 'paused' ? 'paused' : 'running',
  }
  await changeRecord(place, (old) => ({ ...old, move }))
}

function unfit(kind: Departure['kind'], state: GuestSeen['state']): string | undefined {
  if (kind === 'live') return state === 'on' || state === 'paused' ? undefined : 'The guest does not run.'
  return state === 'off' || state === 'crashed' ? undefined : 'The guest is not off.'
}

/** Takes a move back that has not left. */
export async function cancel(parts: Moving, id: string): Promise<void> {
  await parts.couriers.stop(id)
  const { move } = await readRecord(placeOf(parts.stateDir, id))
  if (move?.at === 'going') await abandon(parts, id, 'The move was taken back.')
}
