import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import { noNetwork } from '../domain/faults.ts'
import { type Availability, availabilityOf } from '../domain/ip-availability.ts'
import { findNetwork } from '../domain/networks.ts'
import type { NetworkRow } from '../tables.ts'
import type { Wire } from './endpoints.ts'
import { badBody } from './kinds.ts'

/** A /64 holds more than a number can say exactly: the digits go into the answer as they are (V8's JSON.rawJSON). */
const exactly = (value: bigint): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))

const wired = ({ network, subnets, total, used }: Availability) => ({
  network_id: network.id,
  network_name: network.name,
  tenant_id: network.project_id,
  project_id: network.project_id,
  subnet_ip_availability: subnets.map((subnet) => ({
    subnet_id: subnet.id,
    subnet_name: subnet.name,
    cidr: subnet.cidr,
    ip_version: subnet.version,
    total_ips: exactly(subnet.total),
    used_ips: subnet.used,
  })),
  total_ips: exactly(total),
  used_ips: used,
})

const columns: Record<string, 'id' | 'name' | 'project_id'> = {
  network_id: 'id',
  network_name: 'name',
  tenant_id: 'project_id',
  project_id: 'project_id',
}

export function ipAvailabilityEndpoints({ store }: Wire) {
  const wanted = async ({ query }: Pick<Ask, 'query'>): Promise<NetworkRow[]> => {
    let networks = store.read.selectFrom('network_network').selectAll().orderBy('created_at')
    for (const [name, values] of Object.entries(query)) {
      if (name === 'ip_version' || name === 'fields') continue
      const column = columns[name]
      if (column === undefined) throw badBody(`['${name}'] is invalid attribute for filtering`)
      networks = networks.where(column, 'in', values)
    }
    return networks.execute()
  }
  return [
    endpoint({
      on: 'GET /network-ip-availabilities',
      policy: 'get_network_ip_availability',
      async handle(ask) {
        const version = ask.query['ip_version']?.[0]
        const all = await availabilityOf(store.read, await wanted(ask), version === undefined ? undefined : Number(version))
        return { network_ip_availabilities: all.map(wired) }
      },
    }),
    endpoint({
      on: 'GET /network-ip-availabilities/{id}',
      policy: 'get_network_ip_availability',
      async handle({ params }) {
        const network = await findNetwork(store.read, params['id']!)
        if (!network) throw noNetwork(params['id']!)
        return { network_ip_availability: wired((await availabilityOf(store.read, [network], undefined))[0]!) }
      },
    }),
  ]
}
