import type { Aggregates } from './aggregates.ts'
import { internalZone } from './aggregates.ts'
import type { ComputeHosts } from './hosts.ts'
import { zoneOf } from './scheduling.ts'

export type ComputeService = {
  id: string
  number: number
  binary: 'nova-conductor' | 'nova-scheduler' | 'nova-compute'
  host: string
  zone: string
  enabled: boolean
  disabledReason: string | null
  forcedDown: boolean
  up: boolean
  /** undefined: never. */
  updatedAt: number | undefined
}

export type ComputeServices = ReturnType<typeof openComputeServices>

/** Name under which the controllers appear: any of them does the work, so they are one. */
const controller = 'controller'

/**
 * Who does what. The scheduler's and the conductor's work is done by whoever answers this question, so they are up; hosts are up while
 * they are heard.
 */
export function openComputeServices(hosts: ComputeHosts, aggregates: Aggregates, now: () => number) {
  const internal = (binary: ComputeService['binary'], number: number): ComputeService => ({
    id: `00000000-0000-4000-8000-00000000000${number}`,
    number,
    binary,
    host: controller,
    zone: internalZone,
    enabled: true,
    disabledReason: null,
    forcedDown: false,
    up: true,
    updatedAt: now(),
  })
  return {
    async list(): Promise<ComputeService[]> {
      const zones = await aggregates.zones()
      const computes = (await hosts.list()).map(
        (host): ComputeService => ({
          id: host.serviceId,
          number: host.number + 2,
          binary: 'nova-compute',
          host: host.name,
          zone: zoneOf(zones, host.name),
          enabled: host.enabled,
          disabledReason: host.disabledReason,
          forcedDown: host.forcedDown,
          up: host.up,
          updatedAt: host.heartbeatAt,
        }),
      )
      return [internal('nova-scheduler', 1), internal('nova-conductor', 2), ...computes]
    },
  }
}
