import { createHash } from 'node:crypto'
import type { Settings } from '../answers/settings.ts'
import { configText, type Node, nodeConfig } from '../config.ts'
import type { Place } from '../place.ts'
import type { OpenHost } from './open.ts'
import type { Recorded } from './record.ts'

/** What is to be done with a host, and what it is to be. */
export type Target = OpenHost & { node: Node; config: string; state: 'add' | 'change' | 'keep' }

export type TargetNeeds = {
  place: Place
  settings: Settings
  /** Of the program that is to be there. */
  fingerprint: string
  /** Names of hosts whose agents report now. */
  up: readonly string[]
}

/** What a host lacks of what it should be, told by looking at it. */
export function targetOf(host: OpenHost, { place, settings, fingerprint, up }: TargetNeeds): Target {
  const { address, seen } = host
  const { networkHosts, tunnelInterface } = settings
  const reachedBy = [...seen.addresses.values()].includes(address) ? address : primary(seen.addresses)
  const node: Node = {
    name: seen.name,
    address: reachedBy,
    tunnelIp: seen.addresses.get(tunnelInterface) ?? reachedBy,
    isController: false,
    isNetworkHost: networkHosts.includes(address),
    isGateway: networkHosts[0] === address,
    runsAgent: true,
  }
  const config = configText(nodeConfig(place, settings, node))
  const isRight = seen.program === fingerprint && seen.config === sha256(config) && seen.isAgentRunning && up.includes(seen.name)
  return { ...host, node, config, state: isRight ? 'keep' : seen.program === '' ? 'add' : 'change' }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A host that is named by name: the first address that is not its own. */
const primary = (addresses: ReadonlyMap<string, string>) => [...addresses].find(([name]) => name !== 'lo')?.[1] ?? ''

/** The plan, a line for each host. */
export const planLines = (targets: readonly Target[], excluded: readonly string[], offList: readonly Recorded[]): string[] => [
  ...targets.map(
    ({ address, seen, state }) => `  ${{ add: 'added  ', change: 'changed', keep: 'kept   ' }[state]}  ${address} (${seen.name})`,
  ),
  ...excluded.map((address) => `  kept     ${address}: EXCLUDE_SERVERS leaves it untouched`),
  ...offList.map(
    ({ address, name }) =>
      `  kept     ${address} (${name}): it is on the list no more; packstack --remove-host ${name} takes it out of the cloud`,
  ),
]
