import type { GuestSeen } from '../../drivers/hypervisor/driver.ts'
import { type Micros, second } from '../../kit/clock.ts'
import type { Desired, Vm } from '../document.ts'
import type { Action } from './action.ts'
import { moving } from './moving.ts'

export type Circumstances = {
  now: Micros
  /** Guests that an earlier complete document did not name either, and that were paused then. */
  strangers: ReadonlySet<string>
}

/**
 * The next thing to do for each guest of this host, none for those that are as they should be. Pure: no clock, no I/O.
 * One action a guest: after it, look again and ask `step` for the next.
 */
export function plan(desired: Desired<Vm>, seen: readonly GuestSeen[], { now, strangers }: Circumstances): Action[] {
  const actual = new Map(seen.map((guest) => [guest.id, guest]))
  const wanted = new Set(desired.items.map((vm) => vm.id))
  const leftover = desired.complete ? seen.filter((guest) => !wanted.has(guest.id)) : []
  return [
    ...leftover.flatMap((guest) => leave(guest, strangers)),
    ...desired.items.flatMap((vm) => step(vm, actual.get(vm.id), now) ?? []),
  ]
}

/** Nobody asked for this guest. It is paused first: if a controller erred, it says so before its next document. */
function leave(guest: GuestSeen, strangers: ReadonlySet<string>): Action[] {
  const isElsewhere = guest.state === 'left' || guest.state === 'arriving'
  if (isElsewhere || strangers.has(guest.id)) return [{ do: 'remove', id: guest.id }]
  return guest.state === 'on' ? [{ do: 'pause', id: guest.id }] : []
}

/** The next thing to do for one guest; undefined: nothing. */
export function step(vm: Vm, seen: GuestSeen | undefined, now: Micros): Action | undefined {
  // A late document of a controller that was overtaken.
  if (seen && vm.generation < seen.applied.generation) return undefined
  return moving(vm, seen, () => settled(vm, seen, now))
}

function settled(vm: Vm, seen: GuestSeen | undefined, now: Micros): Action | undefined {
  if (!seen) return absent(vm)
  if (seen.state === 'lost' && vm.power !== 'off' && vm.boots <= seen.applied.boots)
    return { do: 'complain', id: vm.id, why: 'The guest runs but its monitor does not answer.', passing: true }
  switch (vm.power) {
    case 'on':
    case 'paused':
      return toRunning(vm, seen, now)
    case 'off':
      return toOff(vm, seen, now)
    case 'suspended':
      return toSuspended(vm, seen)
    default:
      return vm.power satisfies never
  }
}

function absent(vm: Vm): Action {
  if (vm.power === 'off') return { do: 'define', vm }
  if (vm.power === 'suspended') return noMemory(vm)
  return start(vm)
}

const start = (vm: Vm): Action => ({ do: 'start', vm, as: vm.power === 'paused' ? 'paused' : 'running' })
const noMemory = (vm: Vm): Action => ({
  do: 'complain',
  id: vm.id,
  why: 'The guest is not running, so there is no memory to keep.',
  passing: false,
})

const bootIsDue = (vm: Vm, { applied }: GuestSeen) => vm.boots > applied.boots || vm.softBoots > applied.softBoots

function toRunning(vm: Vm, seen: GuestSeen, now: Micros): Action | undefined {
  const hard = vm.boots > seen.applied.boots
  switch (seen.state) {
    case 'crashed':
      return start(vm)
    case 'ended':
      // First `off`, by which it is known that the guest itself ended.
      return { do: 'stop', id: vm.id }
    case 'off':
      // A guest that powered itself off stays off until somebody asks anew.
      return bootIsDue(vm, seen) || vm.generation > seen.applied.generation ? start(vm) : undefined
    case 'suspended':
      return hard ? start(vm) : { do: 'restore', vm, as: vm.power === 'paused' ? 'paused' : 'running' }
    case 'lost':
      return { do: 'stop', id: vm.id }
    case 'on':
      if (hard) return { do: 'stop', id: vm.id }
      if (vm.softBoots > seen.applied.softBoots) return powerDown(vm, seen, now)
      return vm.power === 'paused' ? { do: 'pause', id: vm.id } : settle(vm, seen)
    case 'paused':
      if (bootIsDue(vm, seen)) return { do: 'stop', id: vm.id }
      return vm.power === 'on' ? { do: 'resume', id: vm.id } : settle(vm, seen)
    case 'arriving':
    case 'left':
      return undefined
    default:
      return seen.state satisfies never
  }
}

function toOff(vm: Vm, seen: GuestSeen, now: Micros): Action | undefined {
  if (seen.state === 'off') return settle(vm, seen)
  return seen.state === 'on' ? powerDown(vm, seen, now) : { do: 'stop', id: vm.id }
}

function toSuspended(vm: Vm, seen: GuestSeen): Action | undefined {
  if (seen.state === 'suspended') return settle(vm, seen)
  if (seen.state === 'on' || seen.state === 'paused') return { do: 'suspend', id: vm.id }
  if (seen.state === 'lost') return { do: 'stop', id: vm.id }
  return noMemory(vm)
}

/** By the power button, and by force when the guest did not answer in time. */
function powerDown(vm: Vm, seen: GuestSeen, now: Micros): Action {
  if (vm.graceSeconds <= 0) return { do: 'stop', id: vm.id }
  if (seen.pressedAt === undefined) return { do: 'press', id: vm.id }
  const until = seen.pressedAt + vm.graceSeconds * second
  return now >= until ? { do: 'stop', id: vm.id } : { do: 'wait', id: vm.id, until }
}

function settle(vm: Vm, { applied, pressedAt }: GuestSeen): Action | undefined {
  const same = vm.generation === applied.generation && vm.boots === applied.boots && vm.softBoots === applied.softBoots
  // A button that is pressed no more: else the next soft reboot would think its time is over.
  return same && pressedAt === undefined ? undefined : { do: 'settle', vm }
}
