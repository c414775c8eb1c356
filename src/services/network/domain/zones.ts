import { fault } from './faults.ts'

/** The only zone there is. */
export const zone = 'nova'

export function checkZones(hints: string[]): void {
  const unknown = hints.find((hint) => hint !== zone)
  if (unknown !== undefined)
    throw fault('not-found', 'AvailabilityZoneNotFound', `AvailabilityZone ${unknown} could not be found.`)
}
