import type { MetadataReply } from '../../agents/document.ts'

/** What other services may ask of compute. */
export type Compute = {
  /** Ports of these servers changed (wired, address, floating address, deleted): their machines look again. Unknown ids are ignored. */
  portsChanged(ask: { servers: string[] }): Promise<void>
  /** The metadata service's answer to a guest, whose port network has identified. */
  metadata(ask: { server: string; path: string; method: string }): Promise<MetadataReply>
  /** How a server is and why, as sentences for an operator; empty when there is none. Its life is in the work history. */
  explain(ask: { id: string }): Promise<string[]>
  /** One row a service and host, as `nova-manage service list` prints them. `updatedAt`: microseconds, undefined: never. */
  services(): Promise<
    { id: string; binary: string; host: string; zone: string; enabled: boolean; up: boolean; updatedAt: number | undefined }[]
  >
  /** Whether a service may take new servers. False when there is none of this name there, or it cannot be told so: only hosts can. */
  enableService(ask: { host: string; binary: string; enabled: boolean }): Promise<boolean>
  /** Everything compute has, whoever it belongs to, as `nova-manage` lists it. */
  census(): Promise<Census>
}

export type Census = {
  hosts: { name: string; zone: string; vcpus: number; memoryMb: number; diskGb: number }[]
  /** `host` is empty for one that is nowhere. `launchedAt`: microseconds, 0: never. */
  guests: {
    id: string
    name: string
    host: string
    zone: string
    flavor: string
    vcpus: number
    memoryMb: number
    diskGb: number
    state: string
    launchedAt: number
    image: string
    projectId: string
    userId: string
    index: number
  }[]
  flavors: {
    id: string
    name: string
    memoryMb: number
    vcpus: number
    rootGb: number
    ephemeralGb: number
    swapMb: number
    rxtxFactor: number
    isPublic: boolean
    extraSpecs: Record<string, string>
  }[]
}
