import type { Programmed, SwitchInventory, Vswitch } from '../../drivers/vswitch/driver.ts'
import { explainError, isProblem } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { HostPort, PortSeen } from '../document.ts'
import type { Agent } from '../rounds.ts'
import { type PortAction, plan } from './plan.ts'

export type PortAgentOptions = { driver: Vswitch; log: Log }

export type PortAgent = Agent<HostPort, PortSeen> & { inventory(): Promise<SwitchInventory> }

/** A port that could not be made is tried again so soon. */
const retryMs = 5000

/** The agent of ports: devices first, then the flows of all of them in one change. */
export function portAgent({ driver, log }: PortAgentOptions): PortAgent {
  /** Does one action. Gives the trouble, if any: one port never keeps the others from theirs. */
  const apply = async (action: PortAction): Promise<string | undefined> => {
    const id = action.do === 'plug' ? action.port.id : action.id
    log.info({ port: id, do: action.do }, 'port')
    try {
      if (action.do === 'plug') await driver.plug(action.port)
      else await driver.unplug(action.id)
      return undefined
    } catch (error) {
      log.warn({ port: id, do: action.do, error: explainError(error) }, 'port failed')
      return isProblem(error) ? error.message : 'The host could not do what was asked of this port; its log says more.'
    }
  }

  const tell = (port: HostPort, failed: string | undefined, programmed: Programmed | undefined): PortSeen => ({
    id: port.id,
    wired: failed === undefined && programmed?.inForce === true,
    error: failed ?? programmed?.error,
  })

  return {
    kind: 'port',
    async round(desired) {
      await driver.prepare()
      const failures = new Map<string, string>()
      const gone = new Set<string>()
      const here = await driver.list()
      for (const action of plan(desired, here)) {
        const trouble = await apply(action)
        if (trouble !== undefined) failures.set(action.do === 'plug' ? action.port.id : action.id, trouble)
        else if (action.do === 'unplug') gone.add(action.id)
      }
      const usable = desired.items.filter((port) => !failures.has(port.id))
      const programmed = new Map(
        (await driver.program(usable, { keepOthers: !desired.complete })).map((result) => [result.id, result]),
      )
      const named = new Set(desired.items.map((port) => port.id))
      const others = here.filter((port) => !named.has(port.id) && !gone.has(port.id))
      const seen = [
        ...desired.items.map((port) => tell(port, failures.get(port.id), programmed.get(port.id))),
        ...others.map(({ id, plugged, error }) => ({ id, wired: plugged, error: failures.get(id) ?? error })),
      ]
      const waiting = desired.items.some((port) => port.adminUp && !programmed.get(port.id)?.inForce)
      return waiting || failures.size > 0 ? { seen, again: retryMs } : { seen }
    },
    watch: (changed) => driver.watch(changed),
    close: () => driver.close(),
    inventory: () => driver.inventory(),
  }
}
