import type { Row } from '../../output.ts'
import { type Cloud, type Command, find, idOf } from '../command.ts'
import { Unclear } from '../extra.ts'
import { at } from '../verbs.ts'
import { named, network, port, router, routerWord, subnet, word } from './words.ts'

const noAddress = (name: string) =>
  new Unclear(
    `No IPs available for external network ${name}`,
    `${name} has no subnet, so the router can have no address there: neutron subnet-create ${name} CIDR --disable-dhcp`,
  )

export const setGateway: Command = {
  summary: 'Set the external network of a router.',
  syntax: {
    positionals: [routerWord, named('external_network', 'EXTERNAL-NETWORK', 'name or id of the network')],
    options: [
      { flag: '--enable-snat', key: 'snat', kind: 'set', value: true, help: 'hide the addresses behind the router' },
      { flag: '--disable-snat', key: 'snat', kind: 'set', value: false, help: 'do not hide the addresses behind the router' },
      {
        flag: '--fixed-ip',
        key: 'fixed_ips',
        kind: 'pairs',
        keys: { optional: ['subnet_id', 'ip_address'] },
        metavar: 'subnet_id=SUBNET,ip_address=IP_ADDR',
        help: 'an address and the subnet it is of; may be repeated',
      },
    ],
  },
  async run({ cloud, values, say }) {
    const id = await idOf(cloud, router, word(values, 'router'))
    const outside = await find(cloud, network, word(values, 'external_network'), { fields: ['id', 'subnets'] })
    // Servers have long let this pass; the router then has a gateway without an address, and gets none later either.
    if (Array.isArray(outside['subnets']) && outside['subnets'].length === 0) throw noAddress(word(values, 'external_network'))
    const gateway = {
      network_id: outside['id'],
      ...(values['snat'] !== undefined && { enable_snat: values['snat'] }),
      ...(values['fixed_ips'] !== undefined && { external_fixed_ips: await fixedIps(cloud, values['fixed_ips']) }),
    }
    await cloud.call('PUT', at(router, id), { body: { router: { external_gateway_info: gateway } } })
    say(`Set gateway for router ${values['router']}\n`)
  },
}

export const clearGateway: Command = {
  summary: 'Take a router off its external network.',
  syntax: { positionals: [routerWord], options: [] },
  async run({ cloud, values, say }) {
    const id = await idOf(cloud, router, word(values, 'router'))
    await cloud.call('PUT', at(router, id), { body: { router: { external_gateway_info: {} } } })
    say(`Removed gateway from router ${values['router']}\n`)
  },
}

/** Subnets may be given by name. */
export async function fixedIps(cloud: Cloud, given: unknown): Promise<Row[]> {
  const found = []
  for (const one of given as Row[])
    found.push(one['subnet_id'] === undefined ? one : { ...one, subnet_id: await idOf(cloud, subnet, String(one['subnet_id'])) })
  return found
}

export const interfaceCommand = (verb: 'add' | 'remove'): Command => ({
  summary: verb === 'add' ? 'Put a router into a subnet.' : 'Take a router out of a subnet.',
  syntax: {
    positionals: [routerWord, named('interface', 'INTERFACE', 'SUBNET, subnet=SUBNET or port=PORT, each by name or id')],
    options: [],
  },
  async run({ cloud, values, say }) {
    const said = word(values, 'interface')
    const [kind, name] = said.includes('=')
      ? [said.slice(0, said.indexOf('=')), said.slice(said.indexOf('=') + 1)]
      : ['subnet', said]
    if (kind !== 'subnet' && kind !== 'port') throw new Unclear('You must specify either subnet or port for INTERFACE parameter.')
    const id = await idOf(cloud, router, word(values, 'router'))
    const body = { [`${kind}_id`]: await idOf(cloud, kind === 'port' ? port : subnet, name) }
    const made = await cloud.call<Row>('PUT', `${at(router, id)}/${verb}_router_interface`, { body })
    if (verb === 'add') say(`Added interface ${made['port_id']} to router ${values['router']}.\n`)
    else say(`Removed interface from router ${values['router']}.\n`)
  },
})
