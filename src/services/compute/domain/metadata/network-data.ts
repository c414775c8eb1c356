import type { FixedIp, NetworkPort } from '../../../network/contract.ts'

type Route = { network: string; netmask: string; gateway: string }

/** network_data.json: links, networks and services, as cloud-init and others read them (the schema of the metadata guide). Pure. */
export function networkData(ports: NetworkPort[]) {
  const withAddress = ports.filter((port) => port.fixedIps.length > 0)
  const firsts = withAddress.flatMap((port) =>
    ([4, 6] as const).flatMap((version) => {
      const fixed = port.fixedIps.find((one) => one.version === version)
      return fixed ? [{ port, fixed }] : []
    }),
  )
  const services = firsts.flatMap(({ fixed }) => dns(fixed))
  return {
    links: withAddress.map(link),
    networks: firsts.map(({ port, fixed }, at) => network(port, fixed, at)),
    services: services.filter((one, at) => services.findIndex((other) => other.address === one.address) === at),
  }
}

const link = ({ id, device, mac, mtu, fixedIps }: NetworkPort) => ({
  id: device,
  vif_id: id,
  type: 'ovs',
  // Where DHCP serves it, DHCP says the MTU.
  mtu: fixedIps.some((fixed) => fixed.dhcp) ? null : mtu,
  ethernet_mac_address: mac,
})

function network({ device, networkId }: NetworkPort, fixed: FixedIp, at: number) {
  const named = { id: `network${at}`, link: device, network_id: networkId }
  if (fixed.dhcp) return { ...named, type: `ipv${fixed.version}_dhcp` }
  return {
    ...named,
    type: `ipv${fixed.version}`,
    ip_address: fixed.ip,
    netmask: netmask(fixed.cidr, fixed.version),
    routes: [...gateway(fixed), ...fixed.routes.map((route) => routeOf(route, fixed.version))],
    services: dns(fixed),
  }
}

const dns = (fixed: FixedIp) => fixed.dns.map((address) => ({ type: 'dns', address }))

const gateway = ({ gatewayIp, version }: FixedIp): Route[] => {
  const any = version === 4 ? '0.0.0.0' : '::'
  return gatewayIp === undefined ? [] : [{ network: any, netmask: any, gateway: gatewayIp }]
}

const routeOf = ({ destination, nexthop }: { destination: string; nexthop: string }, version: 4 | 6): Route => ({
  network: destination.split('/')[0]!,
  netmask: netmask(destination, version),
  gateway: nexthop,
})

/** `255.255.255.0` of `10.0.0.0/24`, `ffff:ffff:ffff:ffff::` of a /64. */
export function netmask(cidr: string, version: 4 | 6): string {
  const prefix = Number(cidr.split('/')[1])
  const bits = version === 4 ? 8 : 16
  const parts = Array.from({ length: version === 4 ? 4 : 8 }, (_, at) => {
    const set = Math.max(0, Math.min(bits, prefix - at * bits))
    return (2 ** bits - 2 ** (bits - set)) % 2 ** bits
  })
  if (version === 4) return parts.join('.')
  const text = parts.map((part) => part.toString(16)).join(':')
  return text.replace(/(^|:)0(:0)+$/, (all) => (all.startsWith(':') ? '::' : '::')).replace(/^0$/, '::')
}
