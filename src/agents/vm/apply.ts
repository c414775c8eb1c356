import type { Hypervisor } from '../../drivers/hypervisor/driver.ts'
import { Problem } from '../../kit/errors.ts'
import type { Action } from './action.ts'

/** `wait`: nothing more can be done now; `waitMs` says when to look again (undefined: at the next round). */
export type Applied = { next: 'look' } | { next: 'wait'; waitMs: number | undefined }

const look: Applied = { next: 'look' }
/** The port agent makes the tap; there is no event for it here. */
const devicePollMs = 300
/** How far a move is; that it has ended is told at once. */
const movePollMs = 1000

/** Does one action. May be done twice. */
export async function apply(driver: Hypervisor, action: Exclude<Action, { do: 'wait' | 'complain' }>): Promise<Applied> {
  switch (action.do) {
    case 'define': {
      const { vm } = action
      const prepared = await driver.prepare(vm)
      return prepared.ready || (await driver.look(vm.id)) ? look : { next: 'wait', waitMs: devicePollMs }
    }
    case 'start': {
      const { vm, as } = action
      const prepared = await driver.prepare(vm)
      if (!prepared.ready) return { next: 'wait', waitMs: devicePollMs }
      await driver.start(vm, vm, as)
      return look
    }
    case 'restore':
      await driver.restore(action.vm, action.as)
      return look
    case 'settle': {
      const { id, generation, boots, softBoots } = action.vm
      await driver.record(id, { generation, boots, softBoots })
      return { next: 'wait', waitMs: undefined }
    }
    case 'receive': {
      const { vm, move, as } = action
      const prepared = await driver.receive(vm, vm, move, as)
      return { next: 'wait', waitMs: prepared.ready ? movePollMs : devicePollMs }
    }
    case 'send':
      await driver.send(action.id, action.departure)
      return { next: 'wait', waitMs: movePollMs }
    case 'press':
    case 'stop':
    case 'pause':
    case 'resume':
    case 'suspend':
    case 'remove':
    case 'cancel':
    case 'take':
    case 'regain':
      await driver[action.do](action.id)
      return look
    default:
      throw new Problem('internal', `Unknown action ${JSON.stringify(action satisfies never)}.`)
  }
}
