import type { HostInventory } from '../agents/document.ts'
import type { Audit, AuditKind } from '../services/service.ts'

type HostSeen = { host: string; inventory: HostInventory | undefined }

/** What to do about a thing that is there and should not be, or the other way round. */
const remedies: Record<AuditKind, { extra: string; missing: string }> = {
  vm: { extra: 'the agent removes it within a minute', missing: 'the agent starts it; see the log of the host' },
  port: { extra: 'the agent removes it at its next round', missing: 'the agent makes it at its next round' },
  router: { extra: 'the agent removes it at its next round', missing: 'the agent makes it at its next round' },
  dhcp: { extra: 'the agent removes it at its next round', missing: 'the agent makes it at its next round' },
  allocation: { extra: 'delete the allocation by the placement API', missing: 'hard reboot the server to claim it again' },
  'server-port': { extra: 'delete the ports by the network API', missing: 'hard reboot the server to plug it again' },
  blob: { extra: 'delete the file', missing: 'delete the image and upload it again' },
}

/** Names each difference between what rows say should exist and what is held or seen on hosts, each with its remedy. Pure. */
export function compare(audits: Audit[], hosts: HostSeen[]): string[] {
  const silent = hosts.filter((one) => !one.inventory).map((one) => one.host)
  const seen = onHosts(hosts)
  const held = gather(audits.map((audit) => audit.holds))
  const wanted = gather(audits.map((audit) => audit.exists))
  const kinds = Object.keys(remedies) as AuditKind[]
  return [
    ...audits.flatMap((audit) => audit.problems),
    ...hosts.flatMap(({ host, inventory }) => (inventory?.problems ?? []).map((problem) => `${host}: ${problem}`)),
    ...silent.map((host) => `host ${host} does not answer: look whether its agent runs (packstack --status there)`),
    ...kinds.flatMap((kind) => {
      const isOnHosts = kind in seen
      const actual = isOnHosts ? seen[kind]! : (held[kind] ?? [])
      // Of a host that does not answer nothing is known, so nothing can be said to be missing.
      return differences(kind, wanted[kind] ?? [], actual, isOnHosts && silent.length > 0)
    }),
  ]
}

function differences(kind: AuditKind, wanted: string[], actual: string[], blind: boolean): string[] {
  const [should, is] = [new Set(wanted), new Set(actual)]
  // What is on its way between hosts is wanted on both.
  const times = (ids: string[], id: string) => ids.filter((one) => one === id).length
  const again = new Set(actual.filter((id, at) => actual.indexOf(id) !== at))
  const twice = [...again].filter((id) => times(actual, id) > Math.max(1, times(wanted, id)))
  return [
    ...[...is].filter((id) => !should.has(id)).map((id) => `${kind} ${id} exists and should not: ${remedies[kind].extra}`),
    ...(blind
      ? []
      : [...should]
          .filter((id) => !is.has(id))
          .map((id) => `${kind} ${id} should exist and does not: ${remedies[kind].missing}`)),
    ...twice.map((id) => `${kind} ${id} exists twice`),
  ]
}

const gather = (parts: Partial<Record<AuditKind, string[]>>[]): Partial<Record<AuditKind, string[]>> => {
  const all: Partial<Record<AuditKind, string[]>> = {}
  for (const part of parts)
    for (const [kind, ids] of Object.entries(part) as [AuditKind, string[]][]) all[kind] = [...(all[kind] ?? []), ...ids]
  return all
}

function onHosts(hosts: HostSeen[]): Partial<Record<AuditKind, string[]>> {
  const named = (prefix: string) => (inventory: HostInventory) =>
    inventory.namespaces.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  const known = hosts.flatMap(({ inventory }) => inventory ?? [])
  return {
    vm: known.flatMap((inventory) => inventory.vms.map((vm) => vm.id)),
    port: known.flatMap((inventory) => inventory.ports.map((port) => port.id)),
    router: known.flatMap(named('qrouter-')),
    dhcp: known.flatMap(named('qdhcp-')),
  }
}
