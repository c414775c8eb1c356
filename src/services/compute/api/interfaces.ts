import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Network, NetworkPort, NicAsk } from '../../network/contract.ts'
import type { Interfaces } from '../domain/interfaces.ts'
import type { Servers } from '../domain/servers.ts'
import { actor, ofServer } from './servers.ts'
import { Ip, loose, Tag, Uuid } from './types.ts'

const shown = (port: NetworkPort, version: number, withTag = true) => ({
  net_id: port.networkId,
  port_id: port.id,
  mac_addr: port.mac,
  port_state: port.status,
  fixed_ips: port.fixedIps.map((fixed) => ({ subnet_id: fixed.subnetId, ip_address: fixed.ip })),
  ...(version >= 70 && withTag ? { tag: port.tag ?? null } : {}),
})

const attachBody = (version: number): TSchema =>
  Type.Unsafe({
    type: 'object',
    properties: {
      interfaceAttachment: loose({
        net_id: Uuid,
        port_id: Uuid,
        fixed_ips: Type.Unsafe({ type: 'array', minItems: 1, maxItems: 1, items: loose({ ip_address: Ip }, ['ip_address']) }),
        ...(version >= 49 ? { tag: Tag } : {}),
      }),
    },
    additionalProperties: false,
  })

type Attachment = { net_id?: string; port_id?: string; fixed_ips?: { ip_address: string }[]; tag?: string }

function nicAsked({ net_id, port_id, fixed_ips, tag }: Attachment): NicAsk | undefined {
  if (net_id !== undefined && port_id !== undefined) throw new Problem('invalid', 'Must not input both network_id and port_id')
  if (fixed_ips && net_id === undefined) throw new Problem('invalid', 'Must input network_id when request IP address')
  if (net_id === undefined && port_id === undefined) return undefined
  return {
    ...(net_id === undefined ? { port: port_id! } : { network: net_id }),
    ...(fixed_ips ? { fixedIp: fixed_ips[0]!.ip_address } : {}),
    ...(tag === undefined ? {} : { tag }),
  }
}

export function interfaceEndpoints(servers: Servers, interfaces: Interfaces, network: () => Network): Endpoint[] {
  const one = ofServer(servers)
  const rule = (verb: string) => `os_compute_api:os-attach-interfaces:${verb}`
  const path = '/servers/{server_id}/os-interface'
  const ports = async (id: string) => (await network().portsOf({ owners: [id] }))[id] ?? []
  return [
    endpoint({
      on: `GET ${path}`,
      policy: rule('list'),
      ...one,
      handle: async ({ subject, version }) => ({
        interfaceAttachments: (await ports(subject!.id)).map((port) => shown(port, version)),
      }),
    }),
    endpoint({
      on: `GET ${path}/{port_id}`,
      policy: rule('show'),
      ...one,
      async handle({ subject, params, version }) {
        const port = (await ports(subject!.id)).find((found) => found.id === params['port_id'])
        if (!port) throw new Problem('not-found', `Instance ${subject!.id} does not have a port with id ${params['port_id']}`)
        return { interfaceAttachment: shown(port, version) }
      },
    }),
    endpoint({
      on: `POST ${path}`,
      policy: rule('create'),
      body: attachBody,
      ...one,
      async handle(ask) {
        const { interfaceAttachment = {} } = (ask.body ?? {}) as { interfaceAttachment?: Attachment }
        const port = await interfaces.attach(ask.subject!, nicAsked(interfaceAttachment), actor(ask))
        return { interfaceAttachment: shown(port, ask.version) }
      },
    }),
    endpoint({
      on: `DELETE ${path}/{port_id}`,
      policy: rule('delete'),
      status: 202,
      ...one,
      handle: async (ask) => interfaces.detach(ask.subject!, ask.params['port_id']!, actor(ask)),
    }),
  ]
}
