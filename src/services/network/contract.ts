/** One network a server asked for, in the order asked. */
export type NicAsk = {
  /** A network, or an existing port of the project. */
  network?: string
  port?: string
  fixedIp?: string
  tag?: string
}

export type FixedIp = {
  subnetId: string
  ip: string
  version: 4 | 6
  cidr: string
  gatewayIp: string | undefined
  dns: string[]
  routes: { destination: string; nexthop: string }[]
  dhcp: boolean
}

export type NetworkPort = {
  id: string
  name: string
  networkId: string
  networkName: string
  /** Place in the order the server asked for. */
  index: number
  mac: string
  mtu: number
  /** Name of the tap on the host. */
  device: string
  fixedIps: FixedIp[]
  floatingIps: { ip: string; fixedIp: string }[]
  securityGroups: { id: string; name: string }[]
  /** ACTIVE, DOWN, BUILD, ERROR as the API shows it. */
  status: string
  host: string | undefined
  /** The host says that traffic can flow. */
  wired: boolean
  /** The second host it is made on (`openAt`). */
  openAt: { host: string; wired: boolean } | undefined
  /** Made by ensurePort, so that release deletes it; a port the user brought is only let go. */
  made: boolean
  tag: string | undefined
}

/** A security group with its rules, for compute's old way of showing them. Ports -1: any. */
export type SecurityGroup = {
  id: string
  name: string
  description: string
  projectId: string
  rules: {
    id: string
    direction: string
    protocol: string
    portMin: number
    portMax: number
    remotePrefix: string
    remoteGroupId: string
  }[]
}

/** What other services may ask of the network. Every call may be repeated with the same result. */
export type Network = {
  /**
   * Whether a server of this project could have these. Gives them with names resolved; with none asked and `auto`, the only network the project may use.
   * Throws as compute answers it: invalid (no such network, port in use has kind conflict, ambiguous networks is conflict), forbidden (external network), over-quota (ports).
   */
  check(ask: {
    projectId: string
    isAdmin: boolean
    nics: NicAsk[]
    auto: boolean
    /** How many servers are asked for at once. */
    servers: number
  }): Promise<NicAsk[]>
  /** Ids of the project's security groups by name or id; creates the project's `default` when it has none. Throws invalid for one that is not there or a name that is ambiguous. */
  securityGroups(ask: { projectId: string; names: string[] }): Promise<{ id: string; name: string }[]>
  /**
   * The owner's port number `index`: made when it is not there, or the user's port taken. Throws invalid, conflict (address or port in use), over-quota, no-capacity (no address left).
   */
  ensurePort(ask: {
    owner: string
    index: number
    projectId: string
    nic: NicAsk
    securityGroups: string[]
    hostname: string
  }): Promise<NetworkPort>
  /** Says on which host the owner's ports are (undefined: none any more); their agent makes them there. */
  bind(ask: { owner: string; host: string | undefined; availabilityZone: string }): Promise<void>
  /**
   * Makes the owner's ports on this host besides the one they are bound to, so that the guest can go there; undefined: on none besides.
   * What is sent to the guest reaches it on both, on the second one from its first word there on. `bind` to that host ends it, with what
   * that host said of the port; `bind` to none ends it too.
   */
  openAt(ask: { owner: string; host: string | undefined }): Promise<void>
  /** Deletes what ensurePort made, lets go of the others. With `port`: only that one. */
  release(ask: { owner: string; port?: string }): Promise<void>
  /** In the order asked for. Several owners at once, since lists of servers show addresses. */
  portsOf(ask: { owners: string[] }): Promise<Record<string, NetworkPort[]>>
  /** All groups of a project; creates its `default` when it has none. */
  securityGroupsOf(ask: { projectId: string }): Promise<SecurityGroup[]>
  /** Adds to or removes a group from all ports of the owner. Throws not-found or conflict. */
  changeSecurityGroup(ask: { owner: string; projectId: string; group: string; add: boolean }): Promise<void>
  /** Ids of the servers that have a port with an address like this (a regular expression, as compute's list takes it). */
  ownersByAddress(ask: { pattern: string; version: 4 | 6 }): Promise<string[]>
  /** How a port or network is and why, as sentences for an operator (for a port also what its DHCP server saw); empty when there is none. */
  explain(ask: { kind: 'port' | 'network'; id: string }): Promise<string[]>
}
