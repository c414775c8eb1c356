import type { SwitchPort, SwitchRule } from '../../drivers/vswitch/driver.ts'
import type { Desired, HostPort, SecurityRule, Shared } from '../document.ts'

const nothing: Shared = { segments: {}, groups: {}, members: {} }

/** The ports with all that the document says once for many of them. Throws when it does not say what a port refers to. */
export function switchPorts({ items, shared = nothing }: Desired<HostPort>): SwitchPort[] {
  const ruleOf = ({ remoteGroup, ...rule }: SecurityRule): SwitchRule =>
    remoteGroup === undefined ? rule : { ...rule, remotes: named(shared.members, remoteGroup), remotesOf: remoteGroup }
  const rules = new Map(Object.entries(shared.groups).map(([group, all]) => [group, all.map(ruleOf)]))
  return items.map(({ networkId, groups, ...port }) => ({
    ...port,
    segment: named(shared.segments, networkId),
    rules: groups.flatMap((group) => rules.get(group) ?? missing(group)),
  }))
}

const named = <Value>(all: Record<string, Value>, key: string): Value => all[key] ?? missing(key)

const missing = (key: string): never => {
  throw new Error(`The document of ports refers to ${key} and does not say what it is.`)
}
