import type { MetadataReply } from '../../agents/document.ts'

/** What other services may ask of compute. */
export type Compute = {
  /** Ports of these servers changed (wired, address, floating address, deleted): their machines look again. Unknown ids are ignored. */
  portsChanged(ask: { servers: string[] }): Promise<void>
  /** The metadata service's answer to a guest, whose port network has identified. */
  metadata(ask: { server: string; path: string; method: string }): Promise<MetadataReply>
}
