import type { GuestSeen } from '../../drivers/hypervisor/driver.ts'
import type { Departure, Move, Vm } from '../document.ts'
import type { Action } from './action.ts'

/** What is done for a guest as if nothing moved. */
type Ordinary = () => Action | undefined

/** The next thing to do for a guest, with regard to where it goes or comes from. Pure. */
export function moving(vm: Vm, seen: GuestSeen | undefined, ordinary: Ordinary): Action | undefined {
  if (vm.arrives) return arriving(vm, vm.arrives, seen, ordinary)
  // Whoever says that the guest is to be here without coming from elsewhere knows that its source has left.
  if (seen?.state === 'arriving') return { do: 'take', id: vm.id }
  // What is here is worth nothing any more, whatever a document says that was written before this was known.
  if (seen?.state === 'left')
    return vm.returns !== undefined && vm.returns === seen.move?.id ? { do: 'regain', id: vm.id } : undefined
  if (vm.leaves) return leaving(vm, vm.leaves, seen, ordinary)
  if (seen?.move?.at === 'going') return { do: 'cancel', id: vm.id }
  return ordinary()
}

function arriving(vm: Vm, move: Move, seen: GuestSeen | undefined, ordinary: Ordinary): Action | undefined {
  const receive: Action = { do: 'receive', vm, move, as: vm.power === 'paused' ? 'paused' : 'running' }
  if (!seen || seen.state === 'left') return receive
  const known = seen.move?.id === move.id
  if (seen.state === 'arriving') return known && seen.move?.at === 'failed' ? undefined : receive
  if (known) return ordinary()
  return { do: 'complain', id: vm.id, why: 'The guest cannot come to this host: it is here.', passing: true }
}

function leaving(vm: Vm, departure: Departure, seen: GuestSeen | undefined, ordinary: Ordinary): Action | undefined {
  // To make it anew would be to lose what it had.
  if (!seen) return { do: 'complain', id: vm.id, why: 'The guest is not on this host.', passing: false }
  const send: Action = { do: 'send', id: vm.id, departure }
  if (seen.move?.id === departure.id) return seen.move.at === 'going' ? send : ordinary()
  if (seen.move?.at === 'going') return { do: 'cancel', id: vm.id }
  const first = ordinary()
  return first === undefined || first.do === 'settle' ? send : first
}
