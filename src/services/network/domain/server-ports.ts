import { fromJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import type { FixedIp, NetworkPort } from '../contract.ts'
import { deviceOf } from './devices.ts'
import { portStatus } from './status.ts'
import type { On, Store } from './store.ts'

/** With `made`: whether we made it for the server. */
export const ownPorts = (on: On, owner: string) =>
  on
    .selectFrom('network_nic as n')
    .innerJoin('network_port as p', 'p.id', 'n.port_id')
    .selectAll('p')
    .select('n.made')
    .where('n.owner', '=', owner)
    .orderBy('n.place')
    .execute()

/** All that compute shows of its servers' ports: five queries, however many servers. */
export async function portsOf(on: On, owners: string[]): Promise<Record<string, NetworkPort[]>> {
  const result: Record<string, NetworkPort[]> = Object.fromEntries(owners.map((owner) => [owner, []]))
  if (owners.length === 0) return result
  const rows = await on
    .selectFrom('network_nic as n')
    .innerJoin('network_port as p', 'p.id', 'n.port_id')
    .innerJoin('network_network as w', 'w.id', 'p.network_id')
    .selectAll('p')
    .select(['n.owner', 'n.place', 'n.made', 'n.tag as nic_tag', 'w.name as network_name', 'w.mtu'])
    .where('n.owner', 'in', owners)
    .orderBy('n.place')
    .execute()
  const ids = rows.map((row) => row.id)
  if (ids.length === 0) return result
  const fixed = await fixedIpsOf(on, ids)
  const floating = await on
    .selectFrom('network_floating_ip')
    .select(['port_id', 'ip', 'fixed_ip'])
    .where('port_id', 'in', ids)
    .orderBy('created_at')
    .execute()
  const groups = await on
    .selectFrom('network_port_group as pg')
    .innerJoin('network_group as g', 'g.id', 'pg.group_id')
    .select(['pg.port_id', 'g.id', 'g.name'])
    .where('pg.port_id', 'in', ids)
    .orderBy('g.name')
    .execute()
  const byPort = <Row extends { port_id: string }>(all: Row[]) => Map.groupBy(all, (row) => row.port_id)
  const [floatingBy, groupsBy] = [byPort(floating), byPort(groups)]
  for (const row of rows) {
    result[row.owner]!.push({
      id: row.id,
      name: row.name,
      networkId: row.network_id,
      networkName: row.network_name,
      index: row.place,
      mac: row.mac,
      mtu: row.mtu,
      device: deviceOf(row),
      fixedIps: fixed.get(row.id) ?? [],
      floatingIps: (floatingBy.get(row.id) ?? []).map((one) => ({ ip: one.ip, fixedIp: one.fixed_ip })),
      securityGroups: (groupsBy.get(row.id) ?? []).map(({ id, name }) => ({ id, name })),
      status: portStatus(row),
      host: row.host === '' ? undefined : row.host,
      wired: row.wired === 1,
      openAt: row.open_host === '' ? undefined : { host: row.open_host, wired: row.open_wired === 1 },
      made: row.made === 1,
      tag: row.nic_tag === '' ? undefined : row.nic_tag,
    })
  }
  return result
}

async function fixedIpsOf(on: On, ports: string[]): Promise<Map<string, FixedIp[]>> {
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['a.port_id', 'a.ip', 's.id', 's.ip_version', 's.cidr', 's.gateway_ip', 's.dns', 's.routes', 's.enable_dhcp'])
    .where('a.port_id', 'in', ports)
    .orderBy('a.place')
    .execute()
  const byPort = new Map<string, FixedIp[]>()
  for (const row of rows) {
    const fixed: FixedIp = {
      subnetId: row.id,
      ip: row.ip,
      version: row.ip_version as 4 | 6,
      cidr: row.cidr,
      gatewayIp: row.gateway_ip === '' ? undefined : row.gateway_ip,
      dns: fromJson(row.dns),
      routes: fromJson(row.routes),
      dhcp: row.enable_dhcp === 1,
    }
    byPort.set(row.port_id, [...(byPort.get(row.port_id) ?? []), fixed])
  }
  return byPort
}

/** A regular expression of few means: one with groups or many repetitions could keep the process busy for ever. */
export function addressPattern(pattern: string): RegExp {
  const repetitions = pattern.match(/[*+?{]/g)?.length ?? 0
  if (pattern.length > 100 || repetitions > 3 || !/^[0-9a-fA-F.:^$*+?{},|[\]\\-]*$/.test(pattern))
    throw new Problem('invalid', `'${pattern}' is no expression for an address.`)
  try {
    return new RegExp(pattern, 'i')
  } catch (error) {
    throw new Problem('invalid', `'${pattern}' is no expression for an address.`, { cause: error })
  }
}

export const ownersByAddress =
  (store: Store) =>
  async ({ pattern, version }: { pattern: string; version: 4 | 6 }): Promise<string[]> => {
    const wanted = addressPattern(pattern)
    const rows = await store.read
      .selectFrom('network_nic as n')
      .innerJoin('network_address as a', 'a.port_id', 'n.port_id')
      .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
      .select(['n.owner', 'a.ip'])
      .where('s.ip_version', '=', version)
      .execute()
    return [...new Set(rows.filter((row) => wanted.test(row.ip)).map((row) => row.owner))]
  }
