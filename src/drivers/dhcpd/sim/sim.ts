import type { Clock, Micros } from '../../../kit/clock.ts'
import type { Dhcpd, DhcpdConfig } from '../driver.ts'

/** DHCP servers made of memory. `silent`: guests whose card is named here never ask for an address. */
export type SimDhcpd = {
  servers: Map<string, { config: DhcpdConfig; since: Map<string, Micros> }>
  silent: Set<string>
  watchers: Set<() => void>
}

export const simDhcpd = (): SimDhcpd => ({ servers: new Map(), silent: new Set(), watchers: new Set() })

/** DHCP of simulated clouds: every guest the server knows has asked and was answered. */
export function openSimDhcpd({ host, clock }: { host: SimDhcpd; clock: Clock }): Dhcpd {
  return {
    async list() {
      return [...host.servers.keys()]
    },
    async serve(config) {
      const since = host.servers.get(config.id)?.since ?? new Map<string, Micros>()
      for (const { mac } of config.subnets.flatMap((subnet) => subnet.hosts)) if (!since.has(mac)) since.set(mac, clock.now())
      host.servers.set(config.id, { config, since })
      return { running: true, problems: [] }
    },
    async stop(id) {
      host.servers.delete(id)
    },
    async leases(id) {
      const server = host.servers.get(id)
      const hosts = server?.config.subnets.flatMap((subnet) => subnet.hosts) ?? []
      return hosts
        .filter(({ mac }) => !host.silent.has(mac))
        .map(({ mac, ip }) => ({ mac, ip, at: server?.since.get(mac) ?? 0, last: 'DHCPACK' }))
    },
    async inventory() {
      return { files: [], problems: [] }
    },
    watch(changed) {
      host.watchers.add(changed)
      return () => void host.watchers.delete(changed)
    },
    async close() {},
  }
}
