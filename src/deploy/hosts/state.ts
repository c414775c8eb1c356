import { createHash } from 'node:crypto'
import type { Settings } from '../answers/settings.ts'
import { configText, type Node, nodeConfig } from '../config.ts'
import type { Place } from '../place.ts'
import { cardLines, cardsWanted, tunnelAddress } from './cards.ts'
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
  const { networkHosts } = settings
  const isNetworkHost = networkHosts.includes(address)
  const { pairs } = seen.cards
  const reachedBy = pairs.some(([, one]) => one === address) ? address : primary(pairs)
  const node: Node = {
    name: seen.name,
    address: reachedBy,
    tunnelIp: tunnelAddress(seen.cards, cardsWanted(settings, isNetworkHost)) ?? reachedBy,
    isController: false,
    isNetworkHost,
    isGateway: networkHosts[0] === address,
    runsAgent: true,
  }
  const config = configText(nodeConfig(place, settings, node))
  const isRight = seen.program === fingerprint && seen.config === sha256(config) && seen.isAgentRunning && up.includes(seen.name)
  return { ...host, node, config, state: isRight ? 'keep' : seen.program === '' ? 'add' : 'change' }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A host that is named by name: the first address that is not its own. */
const primary = (pairs: readonly [string, string][]) => pairs.find(([name]) => name !== 'lo')?.[1] ?? ''

/** The plan, a line for each host. */
export const planLines = (
  settings: Settings,
  targets: readonly Target[],
  excluded: readonly string[],
  offList: readonly Recorded[],
): string[] => [
  ...targets.flatMap(({ address, seen, state, node }) => [
    `  ${{ add: 'added  ', change: 'changed', keep: 'kept   ' }[state]}  ${address} (${seen.name})`,
    ...cardLines(seen.cards, cardsWanted(settings, node.isNetworkHost)),
  ]),
  ...excluded.map((address) => `  kept     ${address}: EXCLUDE_SERVERS leaves it untouched`),
  ...offList.map(
    ({ address, name }) =>
      `  kept     ${address} (${name}): it is on the list no more; packstack --remove-host ${name} takes it out of the cloud`,
  ),
]
