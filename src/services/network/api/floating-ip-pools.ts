import { endpoint } from '../../../kit/http/endpoint.ts'
import type { Wire } from './endpoints.ts'
import { badBody } from './kinds.ts'

type Pool = { network_id: string; subnet_id: string; subnet_name: string; cidr: string; tenant_id: string; project_id: string }
const names = new Set(['network_id', 'subnet_id', 'subnet_name', 'cidr', 'tenant_id', 'project_id'])

/** Where floating IPs may come from: the IPv4 subnets of external networks, which everybody sees. */
export const floatingIpPoolEndpoints = ({ store }: Wire) => [
  endpoint({
    on: 'GET /floatingip_pools',
    policy: 'get_floatingip_pool',
    async handle({ query }) {
      const filters = Object.entries(query).filter(([name]) => name !== 'fields')
      const unknown = filters.find(([name]) => !names.has(name))
      if (unknown) throw badBody(`['${unknown[0]}'] is invalid attribute for filtering`)
      const rows = await store.read
        .selectFrom('network_subnet as s')
        .innerJoin('network_network as n', 'n.id', 's.network_id')
        .select(['s.id', 's.name', 's.cidr', 's.network_id', 's.project_id'])
        .where('n.external', '=', 1)
        .where('s.ip_version', '=', 4)
        .orderBy('s.created_at')
        .execute()
      const pools = rows.map(
        (row): Pool => ({
          network_id: row.network_id,
          subnet_id: row.id,
          subnet_name: row.name,
          cidr: row.cidr,
          tenant_id: row.project_id,
          project_id: row.project_id,
        }),
      )
      return {
        floatingip_pools: pools.filter((pool) => filters.every(([name, values]) => values.includes(pool[name as keyof Pool]))),
      }
    },
  }),
]
