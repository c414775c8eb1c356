import { setTimeout as pause } from 'node:timers/promises'
import { explainError } from '../../kit/errors.ts'
import type { Api } from '../demo/api.ts'

type Guest = { id: string; name: string; status: string; 'OS-EXT-SRV-ATTR:host': string }
type Migration = { id: number; status: string; instance_uuid: string; source_compute: string }

export type DrainNeeds = {
  admin: Api
  host: string
  /** How long a guest may take, in milliseconds. */
  timeoutMs: number
  /** Told of each guest that has gone. */
  done: (text: string) => void
}

/** How a guest of this status goes to another host; those of all others cannot. */
const ways: Record<string, 'live' | 'cold' | 'wait'> = {
  ACTIVE: 'live',
  PAUSED: 'live',
  SHUTOFF: 'cold',
  // On its way already: we were killed in the middle, or somebody else moves it.
  MIGRATING: 'wait',
  RESIZE: 'wait',
}

/**
 * Brings all guests of a host to others: running ones as they run, the rest with their disks. Gives a line for each that cannot go; when that can be told
 * beforehand, none has gone. May be done again at any time.
 */
export async function drainGuests(needs: DrainNeeds): Promise<string[]> {
  const { admin, host, done } = needs
  const guests = await guestsOn(admin, host)
  const stuck = [
    ...guests
      .filter(({ status }) => !(status in ways))
      .map((guest) => `${titleOf(guest)}: it is ${guest.status}${remedy(guest)}`),
    ...(await unconfirmedResizes(admin, host)),
  ]
  if (stuck.length > 0) return stuck
  for (const guest of guests) {
    try {
      done(`Moving ${guest.name} to ${await move(guest, needs)}`)
    } catch (error) {
      stuck.push(`${titleOf(guest)}: ${explainError(error)}`)
    }
  }
  await confirmMoves(needs)
  return stuck
}

const titleOf = ({ id, name }: Guest) => `${id}  ${name}`
const remedy = ({ id, status }: Guest) =>
  status === 'VERIFY_RESIZE'
    ? `; openstack server resize confirm ${id}, or revert`
    : '; delete it, or bring it to ACTIVE or SHUTOFF'

async function guestsOn(admin: Api, host: string): Promise<Guest[]> {
  const found: Guest[] = []
  for (;;) {
    const marker = found.length === 0 ? '' : `&marker=${found.at(-1)!.id}`
    const { servers } = await admin.get<{ servers: Guest[] }>(
      'compute',
      `/servers/detail?all_tenants=1&limit=500&host=${encodeURIComponent(host)}${marker}`,
    )
    found.push(...servers)
    if (servers.length < 500) return found
  }
}

const finished = async (admin: Api, host: string, type: 'resize' | 'migration') =>
  (
    await admin.get<{ migrations: Migration[] }>(
      'compute',
      `/os-migrations?source_compute=${encodeURIComponent(host)}&status=finished&migration_type=${type}`,
    )
  ).migrations

/** What they were is still on this host, and their owners may want it back. */
const unconfirmedResizes = async (admin: Api, host: string): Promise<string[]> =>
  (await finished(admin, host, 'resize')).map(
    ({ instance_uuid: id }) => `${id}: its resize waits; openstack server resize confirm ${id}, or revert`,
  )

/** Only administrators move servers so: that this host is to go says that nobody wants them back on it. */
async function confirmMoves({ admin, host, timeoutMs }: DrainNeeds): Promise<void> {
  const moves = await finished(admin, host, 'migration')
  for (const { instance_uuid: id } of moves) await act(admin, id, { confirmResize: null })
  const isDone = async () => (await finished(admin, host, 'migration')).length === 0
  await eventually(isDone, timeoutMs, 'moves were not confirmed')
}

const act = (admin: Api, id: string, action: unknown) => admin.post('compute', `/servers/${id}/action`, action)

/** Gives the name of the host it has come to. */
async function move(guest: Guest, needs: DrainNeeds): Promise<string> {
  const { admin, host, timeoutMs } = needs
  const way = ways[guest.status]
  if (way === 'live')
    await act(admin, guest.id, { 'os-migrateLive': { host: null, block_migration: true, disk_over_commit: false } })
  if (way === 'cold') await act(admin, guest.id, { migrate: null })
  let now = guest
  await eventually(
    async () => {
      now = (await admin.get<{ server: Guest }>('compute', `/servers/${guest.id}`)).server
      return ways[now.status] !== 'wait'
    },
    timeoutMs,
    'it is still on its way',
  )
  if (now['OS-EXT-SRV-ATTR:host'] === host)
    throw new Error(`it did not go: ${(await lastTrouble(admin, guest.id)) ?? now.status}`)
  return now['OS-EXT-SRV-ATTR:host']
}

type Action = { request_id: string; action: string; message: string | null; start_time: string }

async function lastTrouble(admin: Api, id: string): Promise<string | undefined> {
  const { instanceActions } = await admin.get<{ instanceActions: Action[] }>('compute', `/servers/${id}/os-instance-actions`)
  return instanceActions.toSorted((a, b) => b.start_time.localeCompare(a.start_time))[0]?.message ?? undefined
}

async function eventually(isSo: () => Promise<boolean>, timeoutMs: number, otherwise: string): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${otherwise} after ${timeoutMs / 1000} s`)
    await pause(500)
  }
}
