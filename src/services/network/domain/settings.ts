import type { SegmentType } from '../../../agents/document.ts'

/** Ranges are inclusive; physical networks by name. */
export type NetworkSettings = {
  /** What kinds tenants' networks may become, in order of preference. */
  tenantTypes: SegmentType[]
  /** Physical networks that may be used flat; `*`: any. */
  flat: string[]
  vlanRanges: { physicalNetwork: string; from: number; to: number }[]
  vniRanges: [number, number][]
  tunnelIdRanges: [number, number][]
  /** MTU of the physical networks: overlays get less (50 bytes for VXLAN over IPv4, 42 for GRE). */
  physicalMtu: number
}
