import type { Micros } from '../../kit/clock.ts'

export type DhcpdHost = { mac: string; ip: string; hostname: string }

export type DhcpdSubnet = {
  id: string
  cidr: string
  gatewayIp: string | undefined
  /** Empty: the server names itself. */
  dns: string[]
  routes: { destination: string; nexthop: string }[]
  hosts: DhcpdHost[]
}

/** What one server gives out. `id` is the network's. */
export type DhcpdConfig = {
  id: string
  namespace: string
  device: string
  mtu: number
  /** The server's own addresses. */
  addresses: { ip: string; prefix: number }[]
  domain: string
  subnets: DhcpdSubnet[]
  /** Guests are told that 169.254.169.254 is reached by the server's own address. */
  metadata: boolean
}

/** `last` is what the server said last to this address of a network card, e.g. `DHCPACK`. */
export type DhcpdLease = { mac: string; ip: string; at: Micros; last: string }

/** `problems`: what could not be understood and was left out. */
export type Served = { running: boolean; problems: string[] }

/** DHCP servers on one host. Every verb may be repeated; servers outlive us and are found again by looking. */
export type Dhcpd = {
  /** Networks we serve or once served on this host. */
  list(): Promise<string[]>
  /** Starts the server, or tells the running one what changed. */
  serve(config: DhcpdConfig): Promise<Served>
  stop(id: string): Promise<void>
  leases(id: string): Promise<DhcpdLease[]>
  inventory(): Promise<{ files: string[]; problems: string[] }>
  /** Calls back when a server died. Gives the way to stop. */
  watch(changed: () => void): () => void
  close(): Promise<void>
}
