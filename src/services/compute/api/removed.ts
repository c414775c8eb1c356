import { Type } from 'typebox'
import { type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { faultBody } from './dialect.ts'

/** What compute once could and says so (410), in any version: cells, certificates, its own networks and addresses. */
// biome-ignore format: one group, one line
const removed: [path: string, methods: string][] = [
  ['/os-agents', 'GET POST'],
  ['/os-agents/{agent_build_id}', 'DELETE PUT'],
  ['/os-cells', 'GET POST'],
  ['/os-cells/detail', 'GET'],
  ['/os-cells/{cell_id}', 'DELETE GET PUT'],
  ['/os-cells/capacities', 'GET'],
  ['/os-cells/{cell_id}/capacities', 'GET'],
  ['/os-cells/info', 'GET'],
  ['/os-cells/sync_instances', 'POST'],
  ['/os-certificates', 'POST'],
  ['/os-certificates/{id}', 'GET'],
  ['/os-cloudpipe', 'GET POST'],
  ['/os-cloudpipe/{id}', 'PUT'],
  ['/os-fixed-ips/{fixed_ip}', 'GET'],
  ['/os-fixed-ips/{fixed_ip}/action#reserve', 'POST'],
  ['/os-fixed-ips/{fixed_ip}/action#unreserve', 'POST'],
  ['/os-floating-ip-dns', 'GET'],
  ['/os-floating-ip-dns/{domain}', 'DELETE PUT'],
  ['/os-floating-ip-dns/{domain}/entries/{ip}', 'GET'],
  ['/os-floating-ip-dns/{domain}/entries/{name}', 'DELETE PUT'],
  ['/os-floating-ips-bulk', 'GET POST'],
  ['/os-floating-ips-bulk/{host_name}', 'GET'],
  ['/os-floating-ips-bulk/{id}', 'PUT'],
  ['/os-floating-ips-bulk/delete', 'PUT'],
  ['/os-fping', 'GET'],
  ['/os-fping/{instance_id}', 'GET'],
  ['/os-networks', 'POST'],
  ['/os-networks/{network_id}', 'DELETE'],
  ['/os-networks/{network_id}/action#associate_host', 'POST'],
  ['/os-networks/{network_id}/action#disassociate', 'POST'],
  ['/os-networks/{network_id}/action#disassociate_host', 'POST'],
  ['/os-networks/{network_id}/action#disassociate_project', 'POST'],
  ['/os-networks/add', 'POST'],
  ['/os-security-group-default-rules', 'GET POST'],
  ['/os-security-group-default-rules/{security_group_default_rule_id}', 'DELETE GET'],
  ['/os-tenant-networks', 'POST'],
  ['/os-tenant-networks/{network_id}', 'DELETE'],
  ['/servers/{server_id}/action#resetNetwork', 'POST'],
  ['/servers/{server_id}/consoles', 'GET POST'],
  ['/servers/{server_id}/consoles/{console_id}', 'DELETE GET'],
  ['/servers/{server_id}/os-virtual-interfaces', 'GET'],
]

/** Proxies of old (until 2.35) whose other methods answer 410: they are not here. */
const nowhere = ['/os-networks', '/os-networks/{network_id}', '/os-tenant-networks', '/os-tenant-networks/{network_id}']

const gone = 'This API is no longer available.'

export function removedEndpoints(): Endpoint[] {
  const answer = (on: string, status: number, message: string) =>
    endpoint({
      on,
      policy: 'token',
      ...(on.includes('#') ? { body: Type.Unsafe({}) } : {}),
      handle: async () => reply({ status, body: faultBody(status, message) }),
    })
  return [
    ...removed.flatMap(([path, methods]) => methods.split(' ').map((method) => answer(`${method} ${path}`, 410, gone))),
    ...nowhere.map((path) => answer(`GET ${path}`, 404, 'The resource could not be found.')),
  ]
}
