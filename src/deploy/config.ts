import type { Settings } from './answers/settings.ts'
import { readText } from './files.ts'
import { cardsWanted, mappingsOf } from './hosts/cards.ts'
import { outside, type Place, ports } from './place.ts'

export type DaemonName = 'controller' | 'agent'

/** One machine of the cloud. */
export type Node = {
  name: string
  /** Where other hosts reach it. */
  address: string
  /** Where its own traffic between hosts arrives. */
  tunnelIp: string
  isController: boolean
  isNetworkHost: boolean
  /** Whether it carries the gateway of the demo's external network. */
  isGateway: boolean
  runsAgent: boolean
}

/** The configuration of one machine. What belongs to the controller is the same on all. */
export function nodeConfig(place: Place, settings: Settings, node: Node) {
  const { controller, region, network, externalBridge, virt } = settings
  const { bridge, isAddressed } = externalBridge
  const { uplinks, tunnelInterface } = cardsWanted(settings, node.isNetworkHost)
  return {
    daemons: [...(node.isController ? ['controller' as const] : []), ...(node.runsAgent ? ['agent' as const] : [])],
    region,
    host: controller,
    bind: '0.0.0.0',
    stateDir: place.state,
    database: `${place.state}/altostack.db`,
    ports,
    network,
    agent: {
      controller: `https://${node.isController ? '127.0.0.1' : controller}:${ports.link}`,
      name: node.name,
      stateDir: place.agentState,
      address: node.address,
      tunnelIp: node.tunnelIp,
      bridgeMappings: mappingsOf(settings, node.isNetworkHost),
      ...(uplinks.length > 0 && { uplinks }),
      ...(tunnelInterface !== '' && { tunnelInterface }),
      virt,
      isNetworkHost: node.isNetworkHost,
      ...(node.isGateway && isAddressed && { externalBridge: { bridge, address: outside.address } }),
    },
  }
}

export const configText = (config: ReturnType<typeof nodeConfig>): string => `${JSON.stringify(config, undefined, 2)}\n`

export const identityUrl = (host: string): string => `http://${host}:${ports.identity}/v3`

export type Configured = { host: string; region: string; daemons?: DaemonName[]; agent: { name: string; controller: string } }

/** What an installation goes by; undefined when there is none. */
export async function readConfigured({ configFile }: Place): Promise<Configured | undefined> {
  const text = await readText(configFile)
  return text === undefined ? undefined : (JSON.parse(text) as Configured)
}

/** What runs on this machine; an installation of before has both. */
export const daemonsOf = async (place: Place): Promise<DaemonName[]> =>
  (await readConfigured(place))?.daemons ?? ['controller', 'agent']
