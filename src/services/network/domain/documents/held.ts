import type { NetworkRow } from '../../tables.ts'
import { parseCidr } from '../ip.ts'
import type { On } from '../store.ts'

export type Held = { portId: string; ip: string; prefix: number; subnetId: string; version: number }

export const byKey = <Row>(rows: Row[], key: (row: Row) => string): Map<string, Row[]> => Map.groupBy(rows, key)

export async function heldBy(on: On, ports: string[]): Promise<Map<string, Held[]>> {
  if (ports.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['a.port_id', 'a.ip', 'a.subnet_id', 's.cidr', 's.ip_version'])
    .where('a.port_id', 'in', ports)
    .orderBy('a.place')
    .execute()
  const held = rows.map((row) => ({
    portId: row.port_id,
    ip: row.ip,
    prefix: parseCidr(row.cidr)!.prefix,
    subnetId: row.subnet_id,
    version: row.ip_version,
  }))
  return byKey(held, (one) => one.portId)
}

export async function networksBy(on: On, ids: string[]): Promise<Map<string, NetworkRow>> {
  if (ids.length === 0) return new Map()
  const rows = await on
    .selectFrom('network_network')
    .selectAll()
    .where('id', 'in', [...new Set(ids)])
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}
