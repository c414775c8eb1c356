import type { PortRow } from '../tables.ts'

/** The tap of a port: Linux allows 15 characters. */
export const deviceOf = (port: Pick<PortRow, 'id' | 'device_owner'>): string =>
  `${port.device_owner === 'network:router_gateway' ? 'qg-' : port.device_owner.startsWith('network:router') ? 'qr-' : 'tap'}${port.id.slice(0, 11)}`
