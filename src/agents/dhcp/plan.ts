import type { DhcpdConfig } from '../../drivers/dhcpd/driver.ts'
import type { NsShape } from '../../drivers/netns/driver.ts'
import type { Desired, HostDhcp } from '../document.ts'
import { metadataIp } from '../netns/metadata.ts'

export type DhcpAction =
  | { do: 'remove'; networkId: string; namespace: string }
  | { do: 'serve'; dhcp: HostDhcp; namespace: string; shape: NsShape; config: DhcpdConfig }

const prefix = 'qdhcp-'

export const namespaceOf = (networkId: string): string => `${prefix}${networkId}`
export const networkOf = (namespace: string): string | undefined =>
  namespace.startsWith(prefix) ? namespace.slice(prefix.length) : undefined

/** The namespace a DHCP server lives in. */
export const shapeOf = ({ device, mac, mtu, addresses, metadata, subnets }: HostDhcp): NsShape => ({
  links: [{ device, mac, mtu, addresses: [...addresses, ...(metadata ? [{ ip: metadataIp, prefix: 32 }] : [])] }],
  // Answers to guests of the network's other subnets, and to names asked upstream, leave by the gateway.
  routes: subnets
    .flatMap(({ gatewayIp }) => (gatewayIp ? [{ destination: '0.0.0.0/0', nexthop: gatewayIp, device }] : []))
    .slice(0, 1),
  forwards: false,
  nat: undefined,
  metadataPort: undefined,
})

const configOf = ({ networkId, device, mtu, addresses, domain, subnets, metadata }: HostDhcp): DhcpdConfig => ({
  id: networkId,
  namespace: namespaceOf(networkId),
  device,
  mtu,
  addresses,
  domain,
  subnets,
  metadata,
})

/** What this host must do to serve these networks and no others. Pure. `present`: networks something is left of. */
export function plan(desired: Desired<HostDhcp>, present: readonly string[]): DhcpAction[] {
  const wanted = new Set(desired.items.map((dhcp) => dhcp.networkId))
  const left = desired.complete ? [...new Set(present)].filter((id) => !wanted.has(id)) : []
  return [
    ...left.map((networkId): DhcpAction => ({ do: 'remove', networkId, namespace: namespaceOf(networkId) })),
    ...desired.items.map(
      (dhcp): DhcpAction => ({
        do: 'serve',
        dhcp,
        namespace: namespaceOf(dhcp.networkId),
        shape: shapeOf(dhcp),
        config: configOf(dhcp),
      }),
    ),
  ]
}
