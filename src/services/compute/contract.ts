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
}
