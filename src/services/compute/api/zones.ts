import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { defaultZone } from '../domain/aggregates.ts'
import type { ComputeService, ComputeServices } from '../domain/services.ts'
import { isoBare } from './times.ts'

const hostsOf = (services: ComputeService[]) =>
  Object.fromEntries(
    [...new Set(services.map((service) => service.host))].map((host) => [
      host,
      Object.fromEntries(
        services
          .filter((service) => service.host === host)
          .map(({ binary, enabled, up, updatedAt }) => [
            binary,
            { active: enabled, available: up, updated_at: updatedAt === undefined ? null : isoBare(updatedAt) },
          ]),
      ),
    ]),
  )

export function zoneEndpoints(services: ComputeServices): Endpoint[] {
  /** A zone is available as long as one of its hosts takes servers. */
  const zones = async () => {
    const all = (await services.list()).filter((service) => service.binary === 'nova-compute')
    const names = [...new Set(all.map((service) => service.zone))].sort()
    return names.map((name) => {
      const own = all.filter((service) => service.zone === name)
      return { zoneName: name, own, zoneState: { available: own.some((service) => service.enabled) } }
    })
  }
  return [
    endpoint({
      on: 'GET /os-availability-zone',
      policy: 'os_compute_api:os-availability-zone:list',
      async handle() {
        const found = (await zones()).map(({ zoneName, zoneState }) => ({ zoneName, zoneState, hosts: null }))
        const none = { zoneName: defaultZone, zoneState: { available: false }, hosts: null }
        return { availabilityZoneInfo: found.length > 0 ? found : [none] }
      },
    }),
    endpoint({
      on: 'GET /os-availability-zone/detail',
      policy: 'os_compute_api:os-availability-zone:detail',
      async handle() {
        const internal = (await services.list()).filter((service) => service.binary !== 'nova-compute')
        return {
          availabilityZoneInfo: [
            { zoneName: 'internal', zoneState: { available: true }, hosts: hostsOf(internal) },
            ...(await zones()).map(({ zoneName, zoneState, own }) => ({ zoneName, zoneState, hosts: hostsOf(own) })),
          ],
        }
      },
    }),
  ]
}
