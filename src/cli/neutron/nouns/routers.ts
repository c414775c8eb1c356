import type { Row } from '../../output.ts'
import { pyJson } from '../../python.ts'
import type { Noun } from './noun.ts'
import { description, dns, down, name, named, old, routes, text, truth, zoneHint } from './options.ts'

const gatewayCell = {
  external_gateway_info: (row: Row) => ('external_gateway_info' in row ? pyJson(row['external_gateway_info']) : ''),
}

export const router: Noun = {
  name: 'router',
  plural: 'routers',
  path: '/routers',
  columns: ['id', 'name', 'external_gateway_info', 'distributed', 'ha'],
  cells: gatewayCell,
  create: {
    positionals: [named('its name')],
    options: [
      down,
      description,
      text('--flavor', 'name or id of its flavor', { key: 'flavor_id', of: 'flavor' }),
      truth('--distributed', 'whether it is on every host'),
      truth('--ha', 'whether another host stands by'),
      zoneHint,
    ],
  },
  update: {
    options: [
      name,
      description,
      truth('--admin-state-up', 'whether it is up', old),
      truth('--distributed', 'whether it is on every host'),
      {
        flag: '--route',
        key: 'routes',
        kind: 'pairs',
        keys: routes,
        apart: 'routes',
        metavar: 'destination=CIDR,nexthop=IP_ADDR',
        help: 'a route; may be repeated',
      },
      { flag: '--no-routes', key: 'routes', kind: 'set', value: null, apart: 'routes', help: 'without routes' },
    ],
  },
}

export const floatingip: Noun = {
  name: 'floatingip',
  plural: 'floatingips',
  path: '/floatingips',
  columns: ['id', 'fixed_ip_address', 'floating_ip_address', 'port_id'],
  hasNames: false,
  create: {
    positionals: [
      { key: 'floating_network_id', metavar: 'FLOATING_NETWORK', of: 'network', help: 'name or id of the network it is of' },
    ],
    options: [
      description,
      text('--port-id', 'id of the port it leads to', old),
      text('--fixed-ip-address', 'which address of the port', old),
      text('--floating-ip-address', 'the address wished for'),
      text('--subnet', 'id of the subnet it is of', { key: 'subnet_id' }),
      dns('domain'),
      dns('name'),
    ],
  },
}

/** Ports as `router-port-list` shows them, routers as `router-list-on-l3-agent`. */
export const hostedRouter: Noun = { ...router, columns: ['id', 'name', 'external_gateway_info'] }
