import type { Programmed, SwitchInventory, SwitchPort, Vswitch } from '../../drivers/vswitch/driver.ts'
import { explainError, isProblem } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { HostPort, PortSeen } from '../document.ts'
import type { Agent } from '../rounds.ts'
import { switchPorts } from './expand.ts'
import { type PortAction, plan } from './plan.ts'

export type PortAgentOptions = { driver: Vswitch; log: Log }

export type PortAgent = Agent<HostPort, PortSeen> & { inventory(): Promise<SwitchInventory> }

/** What passes within so many rounds is not told: a server would go to error for it. */
const patience = 3
const soonMs = 500
const retryMs = 5000

/** The agent of ports: devices first, then the flows of all of them in one change. */
export function portAgent({ driver, log }: PortAgentOptions): PortAgent {
  /** For how many rounds a port has waited for its traffic. */
  const waits = new Map<string, number>()

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

  const wait = (port: SwitchPort, wired: boolean): number => {
    const rounds = wired || !port.adminUp ? 0 : (waits.get(port.id) ?? 0) + 1
    if (rounds > 0) waits.set(port.id, rounds)
    else waits.delete(port.id)
    return rounds
  }

  const tell = (port: SwitchPort, passing: string | undefined, programmed: Programmed | undefined): PortSeen => {
    const wired = programmed?.inForce === true
    const rounds = wait(port, wired)
    const late = rounds >= patience ? (passing ?? 'The switch of the host does not take the port.') : undefined
    return { id: port.id, wired, error: programmed?.error ?? late }
  }

  /** Gives which actions failed and why, and which ports went. */
  const applyAll = async (actions: PortAction[]): Promise<{ failures: Map<string, string>; gone: Set<string> }> => {
    const [failures, gone] = [new Map<string, string>(), new Set<string>()]
    for (const action of actions) {
      const id = action.do === 'plug' ? action.port.id : action.id
      const trouble = await apply(action)
      if (trouble !== undefined) failures.set(id, trouble)
      else if (action.do === 'unplug') gone.add(id)
    }
    return { failures, gone }
  }

  return {
    kind: 'port',
    async round({ complete, ...document }) {
      const ports = switchPorts({ complete, ...document })
      await driver.prepare()
      const here = await driver.list()
      const { failures, gone } = await applyAll(plan({ complete, items: ports }, here))
      const results = await driver.program(ports, { keepOthers: !complete })
      const programmed = new Map(results.map((result) => [result.id, result]))
      const named = new Set(ports.map((port) => port.id))
      for (const id of waits.keys()) if (!named.has(id)) waits.delete(id)
      const troubles = new Map([...here.map(({ id, error }) => [id, error] as const), ...failures])
      const others = here.filter((port) => !named.has(port.id) && !gone.has(port.id))
      const seen = [
        ...ports.map((port) => tell(port, troubles.get(port.id), programmed.get(port.id))),
        ...others.map(({ id, plugged }) => ({ id, wired: plugged, error: troubles.get(id) })),
      ]
      const longest = Math.max(0, ...waits.values())
      if (longest === 0 && failures.size === 0) return { seen }
      return { seen, again: longest > 0 && longest < patience ? soonMs : retryMs }
    },
    watch: (changed) => driver.watch(changed),
    close: () => driver.close(),
    inventory: () => driver.inventory(),
  }
}
