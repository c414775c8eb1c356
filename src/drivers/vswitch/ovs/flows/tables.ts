import type { SwitchPort } from '../../driver.ts'

/** Where a port's packets go in the pipeline of br-int. */
export const table = {
  classify: 0,
  forward: 60,
  awake: 61,
  sent: 71,
  sentTracked: 72,
  received: 81,
  receivedTracked: 82,
} as const

/** A port that has its number in the switch, its own connection tracking zone, and its network's local number. */
export type WiredPort = SwitchPort & { ofport: number; zone: number; vlan: number }

/** Of the flows in the tables of tracked packets. */
export const priority = { invalid: 100, known: 90, rule: 70, set: 60 } as const
/** The first packet of a connection. */
export const fresh = 'ct_state=+new-inv+trk'

/** A flow without its cookie: `table=…,priority=…,<match>,actions=…`. */
export type FlowText = string
