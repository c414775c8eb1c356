import { readText, write } from '../files.ts'
import type { Place } from '../place.ts'

/**
 * Names of the hosts that were ever compute hosts of this cloud. One that is taken off the list stays a compute host, as packstack never removed any; one that
 * never was on it is closed for guests.
 */
export async function everComputeHosts({ computeHostsFile }: Place): Promise<string[]> {
  const text = await readText(computeHostsFile)
  return text === undefined ? [] : (JSON.parse(text) as string[])
}

/** Written before anything is changed on the hosts. */
export async function recordComputeHosts(place: Place, names: readonly string[]): Promise<void> {
  const before = await everComputeHosts(place)
  const after = [...new Set([...before, ...names])]
  if (after.length > before.length) await keep(place, after)
}

export async function forgetComputeHost(place: Place, name: string): Promise<void> {
  const before = await everComputeHosts(place)
  if (before.includes(name))
    await keep(
      place,
      before.filter((one) => one !== name),
    )
}

const keep = ({ computeHostsFile }: Place, names: string[]) =>
  write({ path: computeHostsFile, text: `${JSON.stringify(names)}\n`, mode: 0o600 })
