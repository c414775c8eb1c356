import { hostname } from 'node:os'
import { outside, type Place, ports, region } from './place.ts'

/** The configuration of controller and agent on one machine. `host`: the address clients use. */
export const allInOneConfig = (place: Place, host: string, name = hostname()) => ({
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
