import type { SwitchPort, SwitchPortSeen } from '../../drivers/vswitch/driver.ts'
import type { Desired } from '../document.ts'

export type PortAction = { do: 'plug'; port: SwitchPort } | { do: 'unplug'; id: string }

const differs = (port: SwitchPort, seen: SwitchPortSeen) =>
  seen.device !== port.device || seen.kind !== port.kind || seen.networkId !== port.segment.networkId

/** What the switch lacks and what it has too much. Pure. A port that became another thing goes before it comes. */
export function plan(desired: Desired<SwitchPort>, seen: readonly SwitchPortSeen[]): PortAction[] {
  const here = new Map(seen.map((port) => [port.id, port]))
  const wanted = new Set(desired.items.map((port) => port.id))
  const left = desired.complete ? seen.filter((port) => !wanted.has(port.id)).map((port) => port.id) : []
  const changed = desired.items.filter((port) => here.has(port.id) && differs(port, here.get(port.id)!))
  const missing = desired.items.filter((port) => !here.get(port.id)?.plugged || changed.includes(port))
  return [
    ...[...left, ...changed.map((port) => port.id)].map((id): PortAction => ({ do: 'unplug', id })),
    ...missing.map((port): PortAction => ({ do: 'plug', port })),
  ]
}
