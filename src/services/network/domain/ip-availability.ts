import { fromJson } from '../../../kit/db/columns.ts'
import type { NetworkRow } from '../tables.ts'
import { type Pool, sizeOf } from './allocation.ts'
import type { On } from './store.ts'

export type SubnetAvailability = { id: string; name: string; cidr: string; version: number; total: bigint; used: number }
export type Availability = { network: NetworkRow; subnets: SubnetAvailability[]; total: bigint; used: number }

/** How many addresses the pools of these networks' subnets hold, and how many are taken. */
export async function availabilityOf(on: On, networks: NetworkRow[], version: number | undefined): Promise<Availability[]> {
  if (networks.length === 0) return []
  const ids = networks.map((network) => network.id)
  const subnets = await on.selectFrom('network_subnet').selectAll().where('network_id', 'in', ids).orderBy('created_at').execute()
  const counts = await on
    .selectFrom('network_address')
    .select((eb) => ['subnet_id', eb.fn.countAll<number>().as('count')])
    .where('network_id', 'in', ids)
    .groupBy('subnet_id')
    .execute()
  const used = new Map(counts.map((row) => [row.subnet_id, row.count]))
  const all = subnets
    .filter((subnet) => version === undefined || subnet.ip_version === version)
    .map((subnet) => ({
      networkId: subnet.network_id,
      id: subnet.id,
      name: subnet.name,
      cidr: subnet.cidr,
      version: subnet.ip_version,
      total: sizeOf(fromJson<Pool[]>(subnet.pools)),
      used: used.get(subnet.id) ?? 0,
    }))
  const byNetwork = Map.groupBy(all, (subnet) => subnet.networkId)
  return networks.map((network) => {
    const own = byNetwork.get(network.id) ?? []
    return {
      network,
      subnets: own,
      total: own.reduce((sum, one) => sum + one.total, 0n),
      used: own.reduce((sum, one) => sum + one.used, 0),
    }
  })
}
