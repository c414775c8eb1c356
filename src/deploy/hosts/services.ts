import { hostsUp, openAdmin } from '../cloud.ts'
import type { Api } from '../demo/api.ts'
import type { Place } from '../place.ts'
import type { Step } from '../plan.ts'

type ComputeService = { id: string; host: string; status: string; disabled_reason?: string | null }

/** By this reason we know again what we closed ourselves. */
const ourReason = 'packstack: not among the compute hosts'

export const computeService = async (admin: Api, host: string): Promise<ComputeService | undefined> => {
  const { services } = await admin.get<{ services: ComputeService[] }>('compute', '/os-services?binary=nova-compute')
  return services.find((one) => one.host === host)
}

export const closeForGuests = (admin: Api, host: string, disabled_reason: string): Promise<unknown> =>
  admin.put('compute', '/os-services/disable-log-reason', { host, binary: 'nova-compute', disabled_reason })

export const openForGuests = (admin: Api, host: string): Promise<unknown> =>
  admin.put('compute', '/os-services/enable', { host, binary: 'nova-compute' })

/**
 * A network host that never was a compute host gets no guests; a host that became one is opened again, unless an operator closed it; one that is a compute host
 * no more stays as it is.
 */
export function roleSteps(
  place: Place,
  controller: string,
  host: { name: string; title: string; isCompute: boolean; wasCompute: boolean; needs: string[] },
): Step[] {
  const { name, title, isCompute, wasCompute } = host
  if (wasCompute && !isCompute) return []
  const step: Step = {
    name: isCompute ? `${title}Opening it for guests` : `${title}Closing it for guests`,
    needs: host.needs,
    async isDone() {
      const service = await computeService(await openAdmin(place, controller), name)
      if (!service) return false
      return isCompute ? service.disabled_reason !== ourReason : service.status === 'disabled'
    },
    async apply() {
      const admin = await openAdmin(place, controller)
      if (!(await hostsUp(admin)).includes(name)) throw new Error('it does not report')
      await (isCompute ? openForGuests(admin, name) : closeForGuests(admin, name, ourReason))
    },
  }
  return [step]
}

/** In the plan, of a host that was taken off the list of compute hosts. */
export const keptOpen = (address: string, name: string): string =>
  `  kept     ${address} (${name}): no longer listed as a compute host, not removed; it runs guests until: nova-manage service disable --host ${name} --service nova-compute`
