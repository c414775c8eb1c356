import type { GuestSeen, GuestState } from '../../drivers/hypervisor/driver.ts'
import type { VmSeen } from '../document.ts'

const power: Record<GuestState, VmSeen['power']> = {
  on: 'on',
  lost: 'on',
  off: 'off',
  ended: 'off',
  paused: 'paused',
  suspended: 'suspended',
  crashed: 'crashed',
  arriving: 'off',
  left: 'off',
}

/** What the controller is told of a guest. */
export const report = ({ id, state, pid, applied, move }: GuestSeen, error: string | undefined): VmSeen => ({
  id,
  ...applied,
  power: power[state],
  pid,
  error,
  ...(move && { move }),
})

/** A guest that should be here and could not be made. */
export const reportMissing = (id: string, error: string): VmSeen => ({
  id,
  generation: 0,
  boots: 0,
  softBoots: 0,
  power: 'off',
  pid: 0,
  error,
})
