/**
 * What a controller tells a host and what a host tells back: the contract between services and agents.
 * A document is complete: what it does not name should not be there. It is derived from rows each time it is asked for.
 */

export type AgentKind = 'vm' | 'port' | 'router' | 'dhcp'

export type Desired<Item> = {
  /** False while the controller cannot tell everything: the agent then adds and changes, and removes nothing. */
  complete: boolean
  items: Item[]
  /** With ports: what many of them refer to. */
  shared?: Shared
}

/** Said once, whatever number of ports refers to it: a group of a thousand would be said a thousand times a thousand times. */
export type Shared = {
  /** By network. */
  segments: Record<string, Segment>
  /** Rules of security groups. */
  groups: Record<string, SecurityRule[]>
  /** By security group: addresses (CIDRs, of both versions) of its members, on all hosts. */
  members: Record<string, string[]>
}

/** One disk image as a host may fetch it: `GET {controller}/blobs/{id}` on the agents' link. */
export type BlobRef = { id: string; format: 'raw' | 'qcow2'; sizeBytes: number; sha512: string; virtualSizeBytes: number }

export type Power = 'on' | 'off' | 'paused' | 'suspended'

// ---- vm ----------------------------------------------------------------------------------------

export type VmNic = { portId: string; device: string; mac: string; mtu: number }

export type Vm = {
  /** UUID of the server. */
  id: string
  /** Grows with each change; a report names the one that was applied. */
  generation: number
  /** Display name, for QEMU's -name only. */
  name: string
  vcpus: number
  memoryMb: number
  /** Size of the root disk; 0: as large as the image. */
  diskGb: number
  image: BlobRef | undefined
  power: Power
  /** Hard reboots asked for so far. A host that booted it fewer times stops and starts it. */
  boots: number
  /** Soft reboots asked for so far (ACPI power button, then start again; hard after graceSeconds). */
  softBoots: number
  /** How long a guest may take to answer the power button. */
  graceSeconds: number
  nics: VmNic[]
  /** Files of the config drive by path, base64; undefined: no drive. */
  configDrive: Record<string, string> | undefined
  /**
   * The guest comes here from another host: its process waits for it and boots nothing by itself. Told no more while the guest is still
   * named, it is this host's own from then on: only once the source has `left`. A move that is given up names the guest here no more.
   */
  arrives?: Move | undefined
  /** The guest goes to where it is waited for. Taken back before it `left`, it stays. */
  leaves?: Departure | undefined
  /** The guest that left by this (cold) migration is taken back: the other host has dropped it, and what it left here is its own again. */
  returns?: string | undefined
  /** The request that made the newest generation, for the agent's log. */
  requestId: string
}

/** A guest between two hosts. Both are told of it. */
export type Move = {
  /** UUID of the migration. */
  id: string
  /** live: memory and disk, while it runs. cold: the disk of a guest that is off. */
  kind: 'live' | 'cold'
  /** 32 random bytes as hex: only who knows them may speak on the two channels (TLS with a pre-shared key). */
  key: string
}

export type Departure = Move & {
  /** Where the other host listens. A port of 0: that channel is not needed. */
  address: string
  memoryPort: number
  diskPort: number
  /** The guest may be stopped for as long as it takes. */
  forced: boolean
}

/**
 * How far a move is, as one of its hosts sees it.
 * - `open`: the destination listens, at its ports
 * - `going`: the source sends
 * - `left`: the source has handed over and does not run the guest again, whatever else happens
 * - `arrived`: the guest is the destination's
 * - `failed`: the guest is the source's as before
 */
export type MoveSeen = {
  id: string
  at: 'open' | 'going' | 'left' | 'arrived' | 'failed'
  memoryPort: number
  diskPort: number
  /** Bytes. */
  memory: { total: number; sent: number; left: number }
  disk: { total: number; sent: number; left: number }
  error: string | undefined
}

export type VmSeen = {
  id: string
  /** Newest generation that was wholly applied. */
  generation: number
  power: Power | 'crashed'
  boots: number
  softBoots: number
  /** Process id on the host, 0 when none. */
  pid: number
  /** Why the desired state was not reached, for the user; undefined: it was, or is on the way. */
  error: string | undefined
  /** The last move that began here and is not forgotten yet. */
  move?: MoveSeen | undefined
}

// ---- port --------------------------------------------------------------------------------------

export type SegmentType = 'flat' | 'vlan' | 'vxlan' | 'gre' | 'geneve' | 'local'

export type Segment = {
  networkId: string
  type: SegmentType
  physicalNetwork: string | undefined
  segmentationId: number | undefined
  mtu: number
  /** Tunnel addresses of the other hosts that have a port in this network. */
  peers: string[]
  /** Cards on these hosts. Of networks of tunnels only. */
  elsewhere: Elsewhere[]
}

/** A card on another host. One on its way between two hosts is at both. */
export type Elsewhere = {
  mac: string
  /** IPv4 addresses that are this card's and nobody else's. */
  ips: string[]
  /** Tunnel address of the host. */
  at: string
  /** Behind it may be cards that nobody was told of (no port security). */
  hides: boolean
}

export type SecurityRule = {
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  /** `tcp`, `udp`, `sctp`, `icmp`, or IANA's number as text; undefined: any. */
  protocol: string | undefined
  /** Ports, or ICMP type and code. */
  portMin: number | undefined
  portMax: number | undefined
  /** CIDRs the rule speaks of; undefined: anyone. */
  remotes: string[] | undefined
  /** It speaks of the members of this security group. */
  remoteGroup?: string | undefined
}

export type HostPort = {
  id: string
  /** vm: a tap for a guest; internal: an OVS internal port that a router or DHCP namespace takes. */
  kind: 'vm' | 'internal'
  /** Name of the network device, at most 15 characters (tap…, qr-…, qg-…). */
  device: string
  mac: string
  /** Addresses the port may use. */
  addresses: string[]
  allowedPairs: { ip: string; mac: string }[]
  adminUp: boolean
  /** False: no anti-spoofing and no rules (port_security_enabled=false, and our own internal ports). */
  guarded: boolean
  /** Security groups whose rules it has, and its network: keys of the document's `shared`. */
  groups: string[]
  networkId: string
  /** Its guest goes from one host to another, and this is the host it `comes` to or the one it `leaves`. */
  move?: 'comes' | 'leaves' | undefined
}

export type PortSeen = { id: string; wired: boolean; error: string | undefined }

// ---- router ------------------------------------------------------------------------------------

export type RouterInterface = {
  portId: string
  device: string
  mac: string
  mtu: number
  addresses: { ip: string; prefix: number }[]
}

export type HostRouter = {
  id: string
  external: (RouterInterface & { gatewayIps: string[]; snat: boolean }) | undefined
  internal: RouterInterface[]
  floatingIps: { id: string; floatingIp: string; fixedIp: string }[]
  routes: { destination: string; nexthop: string }[]
}

export type RouterSeen = { id: string; ready: boolean; floatingIps: string[]; error: string | undefined }

// ---- dhcp --------------------------------------------------------------------------------------

export type DhcpHost = { mac: string; ip: string; hostname: string }

export type DhcpSubnet = {
  id: string
  cidr: string
  gatewayIp: string | undefined
  dns: string[]
  routes: { destination: string; nexthop: string }[]
  hosts: DhcpHost[]
}

export type HostDhcp = {
  networkId: string
  portId: string
  device: string
  mac: string
  mtu: number
  addresses: { ip: string; prefix: number }[]
  domain: string
  subnets: DhcpSubnet[]
  /** Serve 169.254.169.254 in this namespace (networks no router's metadata reaches, and all others: it costs nothing). */
  metadata: boolean
}

export type DhcpSeen = {
  networkId: string
  ready: boolean
  /** What dnsmasq said last to each of our addresses, newest time first: explains a guest without address. */
  leases: { mac: string; ip: string; at: number; last: string }[]
  error: string | undefined
}

// ---- questions ---------------------------------------------------------------------------------

/** Asked and answered while somebody waits; everything else is a document. */
export type Question = { ask: 'console-log'; vm: string; bytes: number } | { ask: 'inventory'; what: 'everything-of-ours' }

/** Everything on a host that carries our mark: what `altostack doctor` compares. */
export type HostInventory = {
  vms: { id: string; pid: number }[]
  ports: { id: string; device: string; bridge: string }[]
  namespaces: string[]
  files: string[]
  problems: string[]
}

/** What a host can do, told when it joins and whenever it changes. */
export type HostFacts = {
  name: string
  cpus: number
  memoryMb: number
  diskGb: number
  accelerator: 'kvm' | 'tcg'
  hypervisorVersion: number
  /** Where other hosts reach this one, for guests on their way. */
  address: string
  tunnelIp: string
  bridgeMappings: Record<string, string>
  datapath: 'system' | 'netdev' | 'sim'
  /** Whether routers and DHCP servers may be here. Default: they may. */
  isNetworkHost?: boolean
  cpuModel: string
  bootedAt: number
}

/** How an agent reaches its controllers: over the link on a real host, by function calls in a simulated cloud. */
export type ControllerLink = {
  desired<Item>(kind: AgentKind): Promise<Desired<Item>>
  report(kind: AgentKind, seen: unknown[]): Promise<void>
  facts(facts: HostFacts): Promise<void>
  /** A stream of the image's bytes; the agent checks size and hash. */
  blob(id: string): Promise<AsyncIterable<Uint8Array>>
  /** A guest's metadata request, told by where it arrived and the address it came from. Answers with status and body. */
  metadata(request: MetadataRequest): Promise<MetadataReply>
}

export type MetadataRequest = {
  /** The network or router in whose namespace the request arrived. */
  networkId: string | undefined
  routerId: string | undefined
  ip: string
  method: string
  path: string
}

/** `encoding: 'base64'`: the body is bytes that are no text (user data may be anything). */
export type MetadataReply = { status: number; contentType: string; body: string; encoding?: 'base64' }
