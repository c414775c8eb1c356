import type { Running } from '../../drivers/hypervisor/driver.ts'
import type { Micros } from '../../kit/clock.ts'
import type { Departure, Move, Vm } from '../document.ts'

export type Action =
  /** Make the disks; do not boot. */
  | { do: 'define'; vm: Vm }
  | { do: 'start' | 'restore'; vm: Vm; as: Running }
  | { do: 'press' | 'stop' | 'pause' | 'resume' | 'suspend' | 'remove' | 'cancel' | 'take' | 'regain'; id: string }
  /** Begin, or see to it that it goes on. */
  | { do: 'receive'; vm: Vm; move: Move; as: Running }
  | { do: 'send'; id: string; departure: Departure }
  /** Everything is as it should be: record which generation that was. */
  | { do: 'settle'; vm: Vm }
  /** The guest has until then to answer the power button. */
  | { do: 'wait'; id: string; until: Micros }
  /** It cannot be had, or (`passing`) not now; the text is for the user. */
  | { do: 'complain'; id: string; why: string; passing: boolean }
