import type { Row } from '../output.ts'
import type { Option, Positional, Values } from './arguments.ts'
import { type Ask, type Cloud, type Command, find, idOf, listAll, showOne } from './command.ts'
import { Unclear } from './extra.ts'
import { hostedRouter, hostingAgent, nounOf, nouns } from './nouns.ts'
import { oneOutput } from './output-options.ts'
import { at, createCommand, listCommand } from './verbs.ts'

const network = nouns['net']!
const router = nouns['router']!
const port = nouns['port']!
const subnet = nouns['subnet']!
const word = (values: Values, key: string) => String(values[key])
const named = (key: string, metavar: string, help: string): Positional => ({ key, metavar, help })
const routerWord = named('router', 'ROUTER', 'name or id of the router')

const noAddress = (name: string) =>
  new Unclear(
    `No IPs available for external network ${name}`,
    `${name} has no subnet, so the router can have no address there: neutron subnet-create ${name} CIDR --disable-dhcp`,
  )

const setGateway: Command = {
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

const clearGateway: Command = {
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

const interfaceCommand = (verb: 'add' | 'remove'): Command => ({
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

const floatingWord = named('floatingip_id', 'FLOATINGIP_ID', 'id of the floating IP')
const associate: Command = {
  summary: 'Lead a floating IP to a port.',
  syntax: {
    positionals: [floatingWord, named('port_id', 'PORT', 'id of the port')],
    options: [
      {
        flag: '--fixed-ip-address',
        hasOldSpelling: true,
        key: 'fixed_ip_address',
        kind: 'text',
        help: 'which address of the port',
      },
    ],
  },
  async run({ cloud, values, say }) {
    const { port_id, fixed_ip_address } = values
    const body = { floatingip: { port_id, ...(fixed_ip_address !== undefined && { fixed_ip_address }) } }
    await cloud.call('PUT', at(nouns['floatingip']!, word(values, 'floatingip_id')), { body })
    say(`Associated floating IP ${values['floatingip_id']}\n`)
  },
}
const disassociate: Command = {
  summary: 'Lead a floating IP nowhere.',
  syntax: { positionals: [floatingWord], options: [] },
  async run({ cloud, values, say }) {
    await cloud.call('PUT', at(nouns['floatingip']!, word(values, 'floatingip_id')), { body: { floatingip: { port_id: null } } })
    say(`Disassociated floating IP ${values['floatingip_id']}\n`)
  },
}

const tenantOptions: Option[] = [
  { flag: '--tenant-id', hasOldSpelling: true, key: 'tenant_id', kind: 'text', metavar: 'tenant-id', help: 'id of the project' },
]
const tenantWord: Positional = { key: 'pos_tenant_id', metavar: 'TENANT_ID', many: 'optional' }
const tenantOf = async ({ cloud, values }: Ask) =>
  String(values['pos_tenant_id'] ?? values['tenant_id'] ?? (await cloud.session()).projectId)

const quotaShow = (which: '' | '/default'): Command => ({
  summary: which === '' ? "Show a project's quota." : 'Show the quota projects have when nothing is set.',
  syntax: { positionals: [tenantWord], options: [...oneOutput, ...tenantOptions] },
  async run(ask) {
    const { quota } = await ask.cloud.call<{ quota: Row }>('GET', `/quotas/${encodeURIComponent(await tenantOf(ask))}${which}`)
    await showOne(ask, quota)
  },
})

const limits = [
  ...['network', 'subnet', 'port', 'router', 'floatingip', 'security-group', 'security-group-rule', 'vip', 'pool', 'member'],
  ...['health-monitor', 'loadbalancer', 'listener', 'rbac-policy'],
]
const limitKey = (name: string) => (name === 'health-monitor' ? 'healthmonitor' : name.replaceAll('-', '_'))
const quotaUpdate: Command = {
  summary: "Change a project's quota.",
  isOpen: true,
  syntax: {
    positionals: [tenantWord],
    options: [
      ...oneOutput,
      ...tenantOptions,
      ...limits.map(
        (name): Option => ({ flag: `--${name}`, key: limitKey(name), kind: 'text', help: `how many of kind ${name}` }),
      ),
    ],
  },
  async run(ask) {
    const given = limits.map(limitKey).filter((key) => ask.values[key] !== undefined)
    const quota = Object.fromEntries(given.map((key) => [key, wholeNumber(key, String(ask.values[key]))]))
    const body = { quota: { ...quota, ...ask.extra } }
    if (given.length === 0) throw new Unclear('Must specify a valid resource with new quota value')
    const path = `/quotas/${encodeURIComponent(await tenantOf(ask))}`
    await showOne(ask, (await ask.cloud.call<{ quota: Row }>('PUT', path, { body })).quota)
  },
}

function wholeNumber(name: string, text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new Unclear(`Quota limit for ${name} must be an integer`)
}

const quotaDelete: Command = {
  summary: 'Give a project the default quota again.',
  syntax: { positionals: [tenantWord], options: tenantOptions },
  async run(ask) {
    const tenant = await tenantOf(ask)
    await ask.cloud.call('DELETE', `/quotas/${encodeURIComponent(tenant)}`)
    ask.say(`Deleted quota: ${tenant}\n`)
  },
}

/** Networks on DHCP agents and routers on L3 agents, put there and taken away by hand. */
function hosting(kind: 'dhcp' | 'l3', verb: 'add' | 'remove'): Command {
  const noun = kind === 'dhcp' ? network : router
  const [label, path] = kind === 'dhcp' ? ['DHCP', 'dhcp-networks'] : ['L3', 'l3-routers']
  const agentWord = named('agent', `${label}_AGENT`, 'id of the agent')
  return {
    summary: verb === 'add' ? `Put a ${noun.name} on a ${label} agent.` : `Take a ${noun.name} off a ${label} agent.`,
    syntax: {
      positionals: [agentWord, named(noun.name, noun.name.toUpperCase(), `name or id of the ${noun.name}`)],
      options: [],
    },
    async run({ cloud, values, say }) {
      const id = await idOf(cloud, noun, word(values, noun.name))
      const agent = `/agents/${encodeURIComponent(word(values, 'agent'))}/${path}`
      if (verb === 'add') await cloud.call('POST', agent, { body: { [`${noun.name}_id`]: id } })
      else await cloud.call('DELETE', `${agent}/${id}`)
      say(
        `${verb === 'add' ? 'Added' : 'Removed'} ${noun.name} ${values[noun.name]} ${verb === 'add' ? 'to' : 'from'} ${label} agent\n`,
      )
    },
  }
}

export const smiling = (rows: Row[]): Row[] =>
  rows.map((row) => ('alive' in row ? { ...row, alive: row['alive'] ? ':-)' : 'xxx' } : row))

const agentsHosting = (kind: 'dhcp' | 'l3'): Command => {
  const noun = kind === 'dhcp' ? network : router
  return listCommand(hostingAgent, {
    summary: `List the agents that have a ${noun.name}.`,
    isOpen: false,
    more: { positionals: [named(noun.name, noun.name.toUpperCase(), `name or id of the ${noun.name}`)] },
    path: async ({ cloud, values }) => `${at(noun, await idOf(cloud, noun, word(values, noun.name)))}/${kind}-agents`,
    extend: async (rows) => smiling(rows),
  })
}

/** A network's subnets with their ranges. */
export async function withSubnets(rows: Row[], { cloud }: Pick<Ask, 'cloud'>): Promise<Row[]> {
  const ids = rows.flatMap((row) => (Array.isArray(row['subnets']) ? (row['subnets'] as string[]) : []))
  const found = new Map<unknown, Row>()
  // So many ids fit into the longest address every proxy lets through.
  for (let from = 0; from < ids.length; from += 100)
    for (const one of await listAll(cloud, subnet, { fields: ['id', 'cidr'], id: ids.slice(from, from + 100) }))
      found.set(one['id'], one)
  return rows.map((row) =>
    Array.isArray(row['subnets']) ? { ...row, subnets: (row['subnets'] as string[]).map((id) => found.get(id) ?? { id }) } : row,
  )
}

const tagTarget: Option[] = [
  {
    flag: '--resource-type',
    key: 'resource_type',
    kind: 'text',
    isRequired: true,
    choices: ['network', 'subnet', 'port', 'router', 'subnetpool'],
    help: 'kind of thing',
  },
  { flag: '--resource', key: 'resource', kind: 'text', isRequired: true, help: 'its name or id' },
]
const tagsPath = async ({ cloud, values }: Ask) => {
  const noun = nounOf(word(values, 'resource_type'))
  return `${at(noun, await idOf(cloud, noun, word(values, 'resource')))}/tags`
}
const tagAdd: Command = {
  summary: 'Add a tag to a thing.',
  syntax: {
    positionals: [],
    options: [...tagTarget, { flag: '--tag', key: 'tag', kind: 'text', isRequired: true, help: 'the tag' }],
  },
  async run(ask) {
    if (ask.values['tag'] === '') throw new Unclear('Cannot add an empty value as tag')
    await ask.cloud.call('PUT', `${await tagsPath(ask)}/${encodeURIComponent(word(ask.values, 'tag'))}`)
  },
}
const tagReplace: Command = {
  summary: 'Replace all tags of a thing.',
  syntax: {
    positionals: [],
    options: [
      ...tagTarget,
      { flag: '--tag', key: 'tags', kind: 'many', isRequired: true, metavar: 'TAG', help: 'a tag; may be repeated' },
    ],
  },
  async run(ask) {
    await ask.cloud.call('PUT', await tagsPath(ask), { body: { tags: ask.values['tags'] } })
  },
}
const tagRemove: Command = {
  summary: 'Take a tag, or all, off a thing.',
  syntax: {
    positionals: [],
    options: [
      ...tagTarget,
      { flag: '--all', key: 'all', kind: 'set', apart: 'which', help: 'all tags' },
      { flag: '--tag', key: 'tag', kind: 'text', apart: 'which', help: 'the tag' },
    ],
  },
  async run(ask) {
    const { all, tag } = ask.values
    if (!all && !tag) throw new Unclear('--all or --tag must be specified')
    const path = await tagsPath(ask)
    await ask.cloud.call('DELETE', all ? path : `${path}/${encodeURIComponent(String(tag))}`)
  },
}

const availability = { name: 'network_ip_availability', plural: 'network_ip_availabilities', path: '/network-ip-availabilities' }
const ipFilters: Option[] = [
  {
    flag: '--ip-version',
    key: 'ip_version',
    kind: 'integer',
    choices: ['4', '6'],
    preset: 4,
    metavar: '{4,6}',
    help: 'version of IP, default 4',
  },
  { flag: '--network-id', key: 'network_id', kind: 'text', help: 'only this network' },
  { flag: '--network-name', key: 'network_name', kind: 'text', help: 'only networks of this name' },
  { flag: '--tenant-id', key: 'tenant_id', kind: 'text', help: 'only those of this project' },
]
const availabilityShow: Command = {
  summary: 'Show how many addresses of a network are used.',
  syntax: { positionals: [named('network_id', 'NETWORK', 'name or id of the network')], options: oneOutput },
  async run(ask) {
    const id = await idOf(ask.cloud, network, word(ask.values, 'network_id'))
    await showOne(
      ask,
      (await ask.cloud.call<Record<string, Row>>('GET', `${availability.path}/${id}`))[availability.name]!,
      availability,
    )
  },
}

/** What belongs to a project, in the order in which it can be deleted. */
const purged = ['floatingip', 'port', 'router', 'net', 'security-group']
const purge: Command = {
  summary: 'Delete everything a project has.',
  syntax: { positionals: [named('tenant', 'TENANT', 'id of the project')], options: [] },
  async run({ cloud, values, say }) {
    const [deleted, failed]: [string[], string[]] = [[], []]
    for (const noun of purged.map((name) => nouns[name]!)) {
      const all = await listAll(cloud, noun, {
        fields: ['id', 'tenant_id', ...(noun === port ? ['device_id', 'device_owner'] : [])],
      })
      const mine = all.filter((row) => row['tenant_id'] === values['tenant'])
      let count = 0
      for (const row of mine) count += (await purgeOne(cloud, noun.path, row)) ? 1 : 0
      const counted = (n: number) => `${n} ${noun.name}${n === 1 ? '' : 's'}`
      if (count > 0) deleted.push(counted(count))
      if (count < mine.length) failed.push(counted(mine.length - count))
    }
    const sentences = [
      ...(deleted.length > 0 ? [`Deleted ${deleted.join(', ')}.`] : []),
      ...(failed.length > 0 ? [`The following resources could not be deleted: ${failed.join(', ')}.`] : []),
    ]
    say(`${sentences.length > 0 ? sentences.join(' ') : 'Tenant has no supported resources.'}\n`)
  },
}

async function purgeOne(cloud: Cloud, path: string, row: Row): Promise<boolean> {
  const isInterface = String(row['device_owner'] ?? '').startsWith('network:router_interface')
  const asked = isInterface
    ? cloud.call('PUT', `${router.path}/${row['device_id']}/remove_router_interface`, { body: { port_id: row['id'] } })
    : cloud.call('DELETE', `${path}/${row['id']}`)
  return asked.then(
    () => true,
    () => false,
  )
}

const topology: Option[] = [...tenantOptions]
const topologyPath = async (ask: Ask) =>
  `/auto-allocated-topology/${ask.values['tenant_id'] ?? ask.values['pos_tenant_id'] ?? 'None'}`
const topologyShow: Command = {
  summary: 'Show the network a project is given when it has none.',
  syntax: {
    positionals: [tenantWord],
    options: [
      ...oneOutput,
      ...topology,
      { flag: '--dry-run', key: 'dry_run', kind: 'set', help: 'only look whether it could be given' },
    ],
  },
  async run(ask) {
    const query = ask.values['dry_run'] ? { fields: 'dry-run' } : {}
    const { auto_allocated_topology: found } = await ask.cloud.call<Record<string, Row>>('GET', await topologyPath(ask), {
      query,
    })
    await showOne(ask, found?.['id'] === 'dry-run=pass' ? { 'dry-run': 'pass' } : (found ?? {}), router)
  },
}
const topologyDelete: Command = {
  summary: 'Delete the network a project was given.',
  syntax: { positionals: [tenantWord], options: topology },
  async run(ask) {
    await ask.cloud.call('DELETE', await topologyPath(ask))
    ask.say(`Deleted topology for tenant ${ask.values['tenant_id'] ?? ask.values['pos_tenant_id'] ?? 'None (i.e. yours)'}.\n`)
  },
}

const rbacKinds: Record<string, { noun: string; type: string }> = {
  network: { noun: 'network', type: 'network' },
  'qos-policy': { noun: 'qos_policy', type: 'qos_policy' },
}
const rbacCreate: Command = createCommand(
  {
    ...nouns['rbac']!,
    create: {
      positionals: [{ key: 'name', field: '', metavar: 'RBAC_OBJECT', help: 'name or id of what is shared' }],
      options: [
        {
          flag: '--type',
          key: 'type',
          field: '',
          kind: 'text',
          choices: Object.keys(rbacKinds),
          isLowered: true,
          isRequired: true,
          help: 'kind of what is shared',
        },
        {
          flag: '--target-tenant',
          key: 'target_tenant',
          kind: 'text',
          preset: '*',
          help: 'id of the project it is shared with, default all',
        },
        {
          flag: '--action',
          key: 'action',
          kind: 'text',
          choices: ['access_as_external', 'access_as_shared'],
          isLowered: true,
          isRequired: true,
          help: 'what may be done with it',
        },
      ],
    },
  },
  {
    async finish(body, { cloud, values }) {
      const { noun, type } = rbacKinds[word(values, 'type')]!
      const { tenant_id: _, ...rest } = body
      return { object_id: await idOf(cloud, nounOf(noun), word(values, 'name')), object_type: type, ...rest }
    },
  },
)

const routersOnAgent = listCommand(hostedRouter, {
  summary: 'List the routers on an L3 agent.',
  isOpen: false,
  more: { positionals: [named('agent', 'L3_AGENT', 'id of the agent')] },
  path: async ({ values }) => `/agents/${encodeURIComponent(word(values, 'agent'))}/l3-routers`,
})

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
