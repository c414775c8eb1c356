import { readText } from './files.ts'
import { outside, type Place, ports, region } from './place.ts'

/** The configuration of controller and agent on one machine. `host`: the address clients use. */
export const allInOneConfig = (place: Place, host: string, name: string) => ({
  region,
  host,
  bind: '0.0.0.0',
  stateDir: place.state,
  database: `${place.state}/altostack.db`,
  ports,
  network: {
    tenantTypes: ['vxlan'],
    flat: ['*'],
    vlanRanges: [],
    vniRanges: [[10, 10_000]],
    tunnelIdRanges: [[10, 10_000]],
  },
  agent: {
    controller: `http://127.0.0.1:${ports.link}`,
    name,
    stateDir: place.agentState,
    tunnelIp: host,
    bridgeMappings: { [outside.physicalNetwork]: outside.bridge },
    virt: 'auto',
    externalBridge: { bridge: outside.bridge, address: outside.address },
  },
})

export const configText = (config: ReturnType<typeof allInOneConfig>): string => `${JSON.stringify(config, undefined, 2)}\n`

export const identityUrl = (host: string): string => `http://${host}:${ports.identity}/v3`

export type Configured = { host: string; agent: { name: string } }

/** What an installation goes by; undefined when there is none. */
export async function readConfigured({ configFile }: Place): Promise<Configured | undefined> {
  const text = await readText(configFile)
  return text === undefined ? undefined : (JSON.parse(text) as Configured)
}
