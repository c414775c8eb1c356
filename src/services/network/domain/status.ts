import type { PortRow } from '../tables.ts'

/** ACTIVE once its host says that traffic can flow; a floating address's own port lives nowhere. */
export function portStatus(port: Pick<PortRow, 'device_owner' | 'wired' | 'admin_state_up'>): string {
  if (port.device_owner === 'network:floatingip') return 'N/A'
  return port.wired === 1 && port.admin_state_up === 1 ? 'ACTIVE' : 'DOWN'
}
