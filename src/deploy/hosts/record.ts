import { readText, write } from '../files.ts'
import type { Place } from '../place.ts'

/** A host that was prepared from here: how it is reached, and what the cloud calls it. */
export type Recorded = { address: string; name: string }

export async function recordedHosts(place: Place): Promise<Recorded[]> {
  const text = await readText(place.hostsFile)
  return text === undefined ? [] : (JSON.parse(text) as Recorded[])
}

const keep = (place: Place, hosts: Recorded[]) =>
  write({ path: place.hostsFile, text: `${JSON.stringify(hosts, undefined, 2)}\n`, mode: 0o600 })

/** Written before anything is changed on the hosts, so that none is forgotten. */
export async function recordHosts(place: Place, hosts: readonly Recorded[]): Promise<void> {
  if (hosts.length === 0) return
  const before = await recordedHosts(place)
  const after = [...before.filter(({ address }) => !hosts.some((one) => one.address === address)), ...hosts]
  if (JSON.stringify(before) !== JSON.stringify(after)) await keep(place, after)
}

export async function forgetHost(place: Place, { address }: Recorded): Promise<void> {
  await keep(
    place,
    (await recordedHosts(place)).filter((one) => one.address !== address),
  )
}
