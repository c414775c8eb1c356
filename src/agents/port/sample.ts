import type { Desired, HostPort, SecurityRule, Segment } from '../document.ts'

/** A port as tests speak of it: whole, with its rules and its segment. */
export type WholePort = Omit<HostPort, 'groups' | 'networkId'> & { rules: SecurityRule[]; segment: Segment }

/** The document that says these ports; each has a group of its own. The members of a rule's `remoteGroup` are its `remotes`. */
export function documentOf(ports: readonly WholePort[], complete = true): Desired<HostPort> {
  return {
    complete,
    items: ports.map(({ rules: _rules, segment, ...port }) => ({ ...port, groups: [port.id], networkId: segment.networkId })),
    shared: {
      segments: Object.fromEntries(ports.map((port) => [port.segment.networkId, port.segment])),
      groups: Object.fromEntries(ports.map((port) => [port.id, port.rules])),
      members: Object.fromEntries(
        ports.flatMap((port) =>
          port.rules.flatMap(({ remoteGroup, remotes }) => (remoteGroup === undefined ? [] : [[remoteGroup, remotes ?? []]])),
        ),
      ),
    },
  }
}
