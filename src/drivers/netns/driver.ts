import type { Socket } from 'node:net'

export type NsAddress = { ip: string; prefix: number }

export type NsLink = { device: string; mac: string; mtu: number; addresses: NsAddress[] }

/** `destination` is a CIDR. */
export type NsRoute = { destination: string; nexthop: string; device: string | undefined }

export type NsNat = {
  /** The device that leads outside. */
  external: string
  /** What everything inside looks like from outside; undefined: only floating addresses get out. */
  snatTo: string | undefined
  floating: { floatingIp: string; fixedIp: string }[]
}

/** A namespace as it should be. */
export type NsShape = {
  links: NsLink[]
  routes: NsRoute[]
  /** Passes packets on from one link to another. */
  forwards: boolean
  nat: NsNat | undefined
  /** Where requests to 169.254.169.254:80 that pass through are turned to; undefined: they are not. */
  metadataPort: number | undefined
}

/** `missing`: devices that are neither in the namespace nor on the host, so that nothing could be done about them yet. */
export type Shaped = { missing: string[] }

export type NsInventory = { namespaces: string[]; problems: string[] }

/** Network namespaces of ours on one host. Every verb may be repeated; what other programs made is not seen and not touched. */
export type Netns = {
  list(): Promise<string[]>
  /**
   * Makes the namespace what it should be and changes only what differs, so that traffic goes on. A device that exists on the host is taken,
   * also where the namespace holds one of that name: the switch was restarted and made a new one.
   * Addresses that are new are announced to the neighbours; connections over a floating address that was taken away are cut.
   */
  shape(name: string, shape: NsShape): Promise<Shaped>
  /** Gives the devices back to the host and deletes the namespace. */
  remove(name: string): Promise<void>
  /** Accepts TCP connections inside the namespace, until it is removed or we close. A repeated call changes nothing but the receiver. */
  listen(name: string, at: { ip: string; port: number }, connected: (socket: Socket) => void): Promise<void>
  /** Whether one of our namespaces holds the device. */
  holds(device: string): Promise<boolean>
  inventory(): Promise<NsInventory>
  /** Stops listening; the namespaces stay. */
  close(): Promise<void>
}
