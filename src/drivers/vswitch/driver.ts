export type SwitchSegment = {
  networkId: string
  type: 'flat' | 'vlan' | 'vxlan' | 'gre' | 'geneve' | 'local'
  physicalNetwork: string | undefined
  /** VLAN id, VNI or tunnel key. */
  segmentationId: number | undefined
  /** Bytes of an IP packet. */
  mtu: number
  /** Tunnel addresses of the other hosts that have a port in this network. */
  peers: string[]
  /** Cards on these hosts. Of networks of tunnels only: in others the physical switches know. */
  elsewhere: Elsewhere[]
}

/** A card on another host. One on its way between two hosts is at both. */
export type Elsewhere = {
  mac: string
  /** IPv4 addresses that are this card's and nobody else's: whoever asks for one is answered on the spot. */
  ips: string[]
  /** Tunnel address of the host. */
  at: string
  /** Behind it may be cards that nobody was told of. */
  hides: boolean
}

export type SwitchRule = {
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  /** `tcp`, `udp`, `sctp`, `icmp`, or IANA's number as text; undefined: any. */
  protocol: string | undefined
  portMin: number | undefined
  portMax: number | undefined
  /** CIDRs; undefined: anyone; empty: nobody. */
  remotes: string[] | undefined
  /** Name of the set these addresses are, where many rules speak of it. The same name has the same addresses everywhere. */
  remotesOf?: string | undefined
}

/** A port as it should be. */
export type SwitchPort = {
  id: string
  /** vm: a tap that a guest's process opens; internal: a device of the switch's own, which a namespace takes. */
  kind: 'vm' | 'internal'
  /** At most 15 characters. */
  device: string
  mac: string
  addresses: string[]
  allowedPairs: { ip: string; mac: string }[]
  adminUp: boolean
  /** False: whatever the port sends is believed, and whatever is sent to it arrives. */
  guarded: boolean
  rules: SwitchRule[]
  segment: SwitchSegment
  /**
   * The guest goes from one host to another. `comes`: its first word here wakes the port, and until then nothing is handed to it.
   * Either way what is sent to it goes to the other host too.
   */
  move?: 'comes' | 'leaves' | undefined
}

export type SwitchPortSeen = {
  id: string
  kind: 'vm' | 'internal'
  device: string
  networkId: string
  bridge: string
  /** The device exists, as far as this driver can see, and the switch forwards for it. */
  plugged: boolean
  error: string | undefined
}

/** Of each port that was asked for: `error` says why it never will have traffic as it is, or which part of it was left out. */
export type Programmed = { id: string; inForce: boolean; error: string | undefined }

export type SwitchInventory = { ports: { id: string; device: string; bridge: string }[]; problems: string[] }

/**
 * The virtual switch of one host. A driver keeps no state of its own: a new one over the same host finds what the old one left,
 * and traffic flows on meanwhile. Every verb may be repeated. It touches only what carries our mark.
 */
export type Vswitch = {
  /** Bridges and what joins them, as they should be. Cheap when they are. */
  prepare(): Promise<void>
  /** Every port of ours, found by looking at the host. */
  list(): Promise<SwitchPortSeen[]>
  /** Makes the device and joins it to the switch. Nothing passes through it before `program`. */
  plug(port: SwitchPort): Promise<void>
  /** Takes the port away, its device and its remembered connections with it. */
  unplug(id: string): Promise<void>
  /**
   * Makes the forwarding that of these ports, changing only what differs. `keepOthers`: ports not named keep what they have.
   * A port that cannot be understood is left without traffic and named; it never keeps others from theirs.
   */
  program(ports: readonly SwitchPort[], options: { keepOthers: boolean }): Promise<Programmed[]>
  inventory(): Promise<SwitchInventory>
  /** Calls back when the switch changed by itself or was restarted. Gives the way to stop. */
  watch(changed: () => void): () => void
  close(): Promise<void>
}
