import type { Power } from '../../../agents/document.ts'

export type VmState = 'building' | 'active' | 'paused' | 'suspended' | 'stopped' | 'error' | 'deleted'

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
  | 'deleting'

export type ServerStatus =
  | 'ACTIVE'
  | 'BUILD'
  | 'DELETED'
  | 'ERROR'
  | 'HARD_REBOOT'
  | 'PAUSED'
  | 'REBOOT'
  | 'SHUTOFF'
  | 'SUSPENDED'

/** The one word that users see (compute API guide, "Server Concepts"). */
export function status(vmState: VmState, taskState: TaskState): ServerStatus {
  switch (vmState) {
    case 'active':
      if (taskState === 'rebooting') return 'REBOOT'
      return taskState === 'rebooting_hard' ? 'HARD_REBOOT' : 'ACTIVE'
    case 'building':
      return 'BUILD'
    case 'stopped':
      return 'SHUTOFF'
    case 'paused':
      return 'PAUSED'
    case 'suspended':
      return 'SUSPENDED'
    case 'error':
      return 'ERROR'
    case 'deleted':
      return 'DELETED'
    default:
      return vmState satisfies never
  }
}

type Meaning = { vmState: VmState; taskStates?: TaskState[] }

/** Which servers are meant by a status word of the list's filter; undefined: none can be. */
export const meaning: Record<string, Meaning | undefined> = {
  active: { vmState: 'active' },
  build: { vmState: 'building' },
  deleted: { vmState: 'deleted' },
  error: { vmState: 'error' },
  hard_reboot: { vmState: 'active', taskStates: ['rebooting_hard'] },
  paused: { vmState: 'paused' },
  reboot: { vmState: 'active', taskStates: ['rebooting'] },
  shutoff: { vmState: 'stopped' },
  suspended: { vmState: 'suspended' },
}

/** Status words that are true of other clouds' servers and of none here yet. */
export const otherStatuses = [
  'migrating',
  'password',
  'rebuild',
  'rescue',
  'resize',
  'revert_resize',
  'shelved',
  'shelved_offloaded',
  'soft_deleted',
  'unknown',
  'verify_resize',
]

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
