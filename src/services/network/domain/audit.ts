import type { Audit } from '../../service.ts'
import { silentAfter } from './homes.ts'
import type { Store } from './store.ts'

/** What should be on hosts by our rows, which servers we keep ports for, and what is wrong with the rows themselves. */
export async function audit(store: Store): Promise<Audit> {
  const { read } = store
  const ports = await read.selectFrom('network_port').select('id').where('host', '<>', '').execute()
  const open = await read.selectFrom('network_port').select('id').where('open_host', '<>', '').execute()
  const routers = await read
    .selectFrom('network_router')
    .select('id')
    .where('host', '<>', '')
    .where('admin_state_up', '=', 1)
    .execute()
  const networks = await read
    .selectFrom('network_dhcp as d')
    .innerJoin('network_network as n', 'n.id', 'd.network_id')
    .select('d.network_id')
    .where('d.host', '<>', '')
    .where('n.admin_state_up', '=', 1)
    .execute()
  const owners = await read.selectFrom('network_nic').select('owner').distinct().execute()
  return {
    problems: [...(await homeless(store)), ...(await troubled(store)), ...(await stray(store))],
    exists: {
      port: [...ports, ...open].map((row) => row.id),
      router: routers.map((row) => row.id),
      dhcp: networks.map((row) => row.network_id),
    },
    holds: { 'server-port': owners.map((row) => row.owner) },
  }
}

async function homeless({ read, now }: Store): Promise<string[]> {
  const alive = read
    .selectFrom('network_host')
    .select('name')
    .where('heartbeat_at', '>', now() - silentAfter)
  const routers = await read.selectFrom('network_router').select(['id', 'host']).where('host', 'not in', alive).execute()
  const networks = await read.selectFrom('network_dhcp').select(['network_id', 'host']).where('host', 'not in', alive).execute()
  const where = (host: string) => (host === '' ? 'on no host' : `on host ${host}, which is silent`)
  return [
    ...routers.map(({ id, host }) => `router ${id} is ${where(host)}: bring up a host that reaches its networks`),
    ...networks.map(
      ({ network_id: id, host }) => `the DHCP server of network ${id} is ${where(host)}: bring up a host that reaches it`,
    ),
  ]
}

async function troubled({ read }: Store): Promise<string[]> {
  const ports = await read.selectFrom('network_port').select(['id', 'host', 'trouble']).where('trouble', '<>', '').execute()
  const open = await read
    .selectFrom('network_port')
    .select(['id', 'open_host as host', 'open_trouble as trouble'])
    .where('open_trouble', '<>', '')
    .execute()
  const routers = await read.selectFrom('network_router').select(['id', 'host', 'trouble']).where('trouble', '<>', '').execute()
  const networks = await read
    .selectFrom('network_dhcp')
    .select(['network_id as id', 'host', 'trouble'])
    .where('trouble', '<>', '')
    .execute()
  const say = (kind: string) => (row: { id: string; host: string; trouble: string }) =>
    `${kind} ${row.id} on host ${row.host}: ${row.trouble} (see the log of the host)`
  return [
    ...[...ports, ...open].map(say('port')),
    ...routers.map(say('router')),
    ...networks.map(say('the DHCP server of network')),
  ]
}

/** Ports of ours whose thing is gone. */
async function stray({ read }: Store): Promise<string[]> {
  const routerPorts = await read
    .selectFrom('network_port')
    .select('id')
    .where('device_owner', 'like', 'network:router%')
    .where('device_id', 'not in', read.selectFrom('network_router').select('id'))
    .execute()
  const floatingPorts = await read
    .selectFrom('network_port')
    .select('id')
    .where('device_owner', '=', 'network:floatingip')
    .where('id', 'not in', read.selectFrom('network_floating_ip').select('own_port_id'))
    .execute()
  return [...routerPorts, ...floatingPorts].map(
    ({ id }) => `port ${id} belongs to nothing any more: delete it by the network API`,
  )
}
