import type { Power } from '../../../agents/document.ts'

export type VmState = 'building' | 'active' | 'paused' | 'suspended' | 'stopped' | 'resized' | 'error' | 'deleted'

/** What is on its way; empty: nothing. */
export type TaskState =
  | ''
  | 'scheduling'
  | 'networking'
  | 'spawning'
  | 'powering-on'
  | 'powering-off'
  | 'rebooting'
  | 'rebooting_hard'
  | 'pausing'
  | 'unpausing'
  | 'suspending'
  | 'resuming'
  | 'migrating'
  | 'resize_prep'
  | 'resize_migrating'
  | 'resize_migrated'
  | 'resize_finish'
  | 'resize_reverting'
  | 'rebuilding'
  | 'rebuild_spawning'
  | 'deleting'

export type ServerStatus =
  | 'ACTIVE'
  | 'BUILD'
  | 'DELETED'
  | 'ERROR'
  | 'HARD_REBOOT'
  | 'MIGRATING'
  | 'PAUSED'
  | 'REBOOT'
  | 'REBUILD'
  | 'RESIZE'
  | 'REVERT_RESIZE'
  | 'SHUTOFF'
  | 'SUSPENDED'
  | 'VERIFY_RESIZE'

const resizing: TaskState[] = ['resize_prep', 'resize_migrating', 'resize_migrated', 'resize_finish']
const rebuilding: TaskState[] = ['rebuilding', 'rebuild_spawning']

/** What a task makes of the word for a server that rests in this state. */
const words: Partial<Record<VmState, [ServerStatus, TaskState[]][]>> = {
  active: [
    ['REBOOT', ['rebooting']],
    ['HARD_REBOOT', ['rebooting_hard']],
    ['REBUILD', rebuilding],
    ['MIGRATING', ['migrating']],
    ['RESIZE', resizing],
  ],
  paused: [['MIGRATING', ['migrating']]],
  stopped: [
    ['RESIZE', resizing],
    ['REBUILD', rebuilding],
  ],
  error: [['REBUILD', rebuilding]],
  resized: [['REVERT_RESIZE', ['resize_reverting']]],
}

const resting: Record<VmState, ServerStatus> = {
  active: 'ACTIVE',
  building: 'BUILD',
  stopped: 'SHUTOFF',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  resized: 'VERIFY_RESIZE',
  error: 'ERROR',
  deleted: 'DELETED',
}

/** The one word that users see (compute API guide, "Server Concepts"). */
export const status = (vmState: VmState, taskState: TaskState): ServerStatus =>
  words[vmState]?.find(([, tasks]) => tasks.includes(taskState))?.[0] ?? resting[vmState]

type Meaning = { vmState: VmState; taskStates?: TaskState[] }

/** Which servers are meant by a status word of the list's filter; undefined: none can be. */
export function meanings(word: string): Meaning[] | undefined {
  const found = [
    ...Object.entries(resting).flatMap(([vmState, said]) =>
      said.toLowerCase() === word ? [{ vmState: vmState as VmState }] : [],
    ),
    ...Object.entries(words).flatMap(([vmState, of]) =>
      of.flatMap(([said, taskStates]) => (said.toLowerCase() === word ? [{ vmState: vmState as VmState, taskStates }] : [])),
    ),
  ]
  return found.length > 0 ? found : undefined
}

/** Status words that are true of other clouds' servers and of none here yet. */
export const otherStatuses = ['password', 'rescue', 'shelved', 'shelved_offloaded', 'soft_deleted', 'unknown']

/** What compute calls the power of a guest: 0 unknown, 1 running, 3 paused, 4 off (also with its memory saved), 6 crashed. */
export function powerState(seen: Power | 'crashed' | ''): number {
  switch (seen) {
    case '':
      return 0
    case 'on':
      return 1
    case 'paused':
      return 3
    case 'off':
    case 'suspended':
      return 4
    case 'crashed':
      return 6
    default:
      return seen satisfies never
  }
}

/** Where a server rests once the host has done what was wished. */
export const restingState: Record<Power, VmState> = { on: 'active', off: 'stopped', paused: 'paused', suspended: 'suspended' }

export type Standing = {
  vmState: VmState
  taskState: TaskState
  generation: number
  power: Power
  boots: number
  softBoots: number
  failing: boolean
}

export type Sight = { generation: number; power: Power | 'crashed' | ''; boots: number; softBoots: number; error: string }

export type Verdict =
  | { is: 'there' }
  | { is: 'on its way' }
  /** It powered itself off: nobody asked for that, and so be it. */
  | { is: 'gone off by itself' }
  | { is: 'failing'; why: string }

/** Compares what should be with what the host saw. Pure. */
export function judge(wanted: Standing, seen: Sight): Verdict {
  const current = seen.generation >= wanted.generation && seen.boots >= wanted.boots && seen.softBoots >= wanted.softBoots
  if (current && seen.power === wanted.power) return { is: 'there' }
  if (current && seen.power === 'off' && (wanted.power === 'on' || wanted.power === 'paused')) return { is: 'gone off by itself' }
  if (seen.error !== '') return { is: 'failing', why: seen.error }
  return { is: 'on its way' }
}
