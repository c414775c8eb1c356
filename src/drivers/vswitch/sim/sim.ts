import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../../kit/errors.ts'
import type { SwitchPort, SwitchPortSeen, Vswitch } from '../driver.ts'

/** Faults on request. All may be changed while it runs. */
export type SimSwitchFaults = {
  /** Text for the user: no port can be plugged. */
  plugFails?: string
  /** This port's flows cannot be made. */
  brokenPort?: string
  /** Each change takes so long. Default 0: at once. */
  delayMs?: number
}

/** A switch made of memory. It outlives the drivers opened on it. */
export type SimSwitch = {
  ports: Map<string, { port: SwitchPort; programmed: boolean }>
  faults: SimSwitchFaults
  watchers: Set<() => void>
}

export const simSwitch = (faults: SimSwitchFaults = {}): SimSwitch => ({ ports: new Map(), faults, watchers: new Set() })

/** The switch was killed and started again: the ports are known, the flows are gone. */
export function simSwitchRestart(host: SimSwitch): void {
  for (const entry of host.ports.values()) entry.programmed = false
  for (const watcher of host.watchers) watcher()
}

const seen = ({ port, programmed }: { port: SwitchPort; programmed: boolean }): SwitchPortSeen => ({
  id: port.id,
  kind: port.kind,
  device: port.device,
  networkId: port.segment.networkId,
  bridge: 'br-int',
  plugged: programmed,
  error: undefined,
})

/** The switch of simulated clouds: everything a real one tells, in memory and at once unless faults say otherwise. */
export function openSimSwitch({ host }: { host: SimSwitch }): Vswitch {
  const mine = new Set<() => void>()
  const pause = async () => {
    if (host.faults.delayMs) await delay(host.faults.delayMs)
  }
  const program = (port: SwitchPort) => {
    const entry = host.ports.get(port.id)
    const broken = host.faults.brokenPort === port.id
    if (entry) Object.assign(entry, { port, programmed: !broken })
    return {
      id: port.id,
      inForce: entry !== undefined && !broken && port.adminUp,
      error: broken ? 'The port cannot be understood.' : undefined,
    }
  }

  return {
    async prepare() {},
    async list() {
      return [...host.ports.values()].map(seen)
    },
    async plug(port) {
      await pause()
      if (host.faults.plugFails !== undefined) throw new Problem('internal', host.faults.plugFails)
      host.ports.set(port.id, { port, programmed: host.ports.get(port.id)?.programmed ?? false })
    },
    async unplug(id) {
      await pause()
      host.ports.delete(id)
    },
    async program(ports, { keepOthers }) {
      await pause()
      const named = new Set(ports.map((port) => port.id))
      if (!keepOthers) for (const [id, entry] of host.ports) if (!named.has(id)) entry.programmed = false
      return ports.map(program)
    },
    async inventory() {
      return {
        ports: [...host.ports.values()].map(({ port }) => ({ id: port.id, device: port.device, bridge: 'br-int' })),
        problems: [],
      }
    },
    watch(changed) {
      mine.add(changed)
      host.watchers.add(changed)
      return () => {
        mine.delete(changed)
        host.watchers.delete(changed)
      }
    },
    async close() {
      for (const watcher of mine) host.watchers.delete(watcher)
    },
  }
}
