import { type Command, idOf } from '../command.ts'
import { listCommand } from '../verbs.ts'
import { availability, availabilityShow, ipFilters } from './availability.ts'
import { associate, disassociate } from './floating-ips.ts'
import { agentsHosting, hosting, routersOnAgent } from './hosting.ts'
import { purge } from './purge.ts'
import { quotaDelete, quotaShow, quotaUpdate } from './quotas.ts'
import { rbacCreate } from './rbac.ts'
import { clearGateway, interfaceCommand, setGateway } from './routers.ts'
import { withSubnets } from './subnets.ts'
import { tagAdd, tagRemove, tagReplace } from './tags.ts'
import { topologyDelete, topologyShow } from './topology.ts'
import { named, network, port, router, routerWord, word } from './words.ts'

/** Commands that are no plain list, show, create, update or delete of a noun. */
export const actions: Record<string, Command> = {
  'net-external-list': listCommand(network, {
    summary: 'List external networks.',
    query: async () => ({ 'router:external': 'True' }),
    extend: withSubnets,
  }),
  'net-list-on-dhcp-agent': listCommand(network, {
    summary: 'List the networks on a DHCP agent.',
    isOpen: false,
    more: { positionals: [named('agent', 'DHCP_AGENT', 'id of the agent')] },
    path: async ({ values }) => `/agents/${encodeURIComponent(word(values, 'agent'))}/dhcp-networks`,
    extend: withSubnets,
  }),
  'router-port-list': listCommand(port, {
    summary: 'List the ports of a router.',
    more: { positionals: [{ ...routerWord, key: 'id' }] },
    query: async ({ cloud, values }) => ({ device_id: await idOf(cloud, router, word(values, 'id')) }),
  }),
  'router-list-on-l3-agent': routersOnAgent,
  'router-gateway-set': setGateway,
  'router-gateway-clear': clearGateway,
  'router-interface-add': interfaceCommand('add'),
  'router-interface-delete': interfaceCommand('remove'),
  'floatingip-associate': associate,
  'floatingip-disassociate': disassociate,
  'dhcp-agent-network-add': hosting('dhcp', 'add'),
  'dhcp-agent-network-remove': hosting('dhcp', 'remove'),
  'dhcp-agent-list-hosting-net': agentsHosting('dhcp'),
  'l3-agent-router-add': hosting('l3', 'add'),
  'l3-agent-router-remove': hosting('l3', 'remove'),
  'l3-agent-list-hosting-router': agentsHosting('l3'),
  'quota-show': quotaShow(''),
  'quota-default-show': quotaShow('/default'),
  'quota-update': quotaUpdate,
  'quota-delete': quotaDelete,
  'quota-list': listCommand(
    { name: 'quota', plural: 'quotas', path: '/quotas' },
    { summary: 'List quotas that are not the default.', isOpen: false },
  ),
  'tag-add': tagAdd,
  'tag-remove': tagRemove,
  'tag-replace': tagReplace,
  'net-ip-availability-list': listCommand(
    { ...availability, columns: ['network_id', 'network_name', 'total_ips', 'used_ips'], filters: ipFilters },
    { summary: 'List how many addresses of networks are used.' },
  ),
  'net-ip-availability-show': availabilityShow,
  'auto-allocated-topology-show': topologyShow,
  'auto-allocated-topology-delete': topologyDelete,
  'rbac-create': rbacCreate,
  purge,
}
