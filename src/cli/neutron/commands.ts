import type { Row } from '../output.ts'
import { actions } from './actions/actions.ts'
import { smiling } from './actions/hosting.ts'
import { fixedIps } from './actions/routers.ts'
import { withSubnets } from './actions/subnets.ts'
import type { Option } from './arguments.ts'
import { type Ask, type Command, find, listAll } from './command.ts'
import { Unclear } from './extra.ts'
import { checkSubnet } from './hints.ts'
import type { Noun } from './nouns/noun.ts'
import { nouns } from './nouns/nouns.ts'
import { qosRuleCommands } from './qos-rules.ts'
import { readableRules, rulesCell } from './security-groups.ts'
import { createCommand, deleteCommand, listCommand, showCommand, updateCommand, words } from './verbs.ts'

type Finish = (body: Row, ask: Ask) => Promise<Row>

const finishes: Record<string, { create?: Finish; update?: Finish }> = {
  subnet: {
    create: async (body, ask) => checkSubnet(subnetBody(await withPool(body, ask), ask, true), ask),
    update: async (body, ask) => subnetBody(body, ask, false),
  },
  port: { create: portBody, update: portBody },
  'security-group-rule': {
    create: async (body) => ({ ...body, ethertype: body['ethertype'] ?? (body['protocol'] === 'icmpv6' ? 'IPv6' : 'IPv4') }),
  },
}

/** The pool says which version of IP it is of. */
async function withPool(body: Row, { cloud, values }: Ask): Promise<Row> {
  const name = values['subnetpool']
  if (name === undefined) return body
  if (name === 'None') return { ...body, subnetpool_id: null }
  const pool = await find(cloud, nouns['subnetpool']!, String(name), { fields: ['id', 'ip_version'] })
  return { ...body, subnetpool_id: pool['id'], ip_version: pool['ip_version'] }
}

function subnetBody(body: Row, { values, warn }: Ask, isNew: boolean): Row {
  if (values['disable_dhcp'] && values['enable_dhcp']) throw new Unclear('You cannot enable and disable DHCP at the same time.')
  for (const mode of isNew && body['ip_version'] === 4 ? (['ipv6_ra_mode', 'ipv6_address_mode'] as const) : [])
    if (body[mode]) throw new Unclear(`--${mode.replaceAll('_', '-')} is invalid when --ip-version is 4`)
  const one = body['ip_version'] === 6 ? '/128' : '/32'
  if (isNew && String(body['cidr'] ?? '').endsWith(one))
    warn(`Warning: a subnet of ${one} has one address only, and whatever has it reaches nobody.`)
  return { ...body, ...(values['disable_dhcp'] === true && { enable_dhcp: false }) }
}

async function portBody(body: Row, { cloud }: Ask): Promise<Row> {
  const { fixed_ips: ips, extra_dhcp_opts: dhcp, 'binding:profile': profile } = body
  return {
    ...body,
    ...(ips !== undefined && { fixed_ips: await fixedIps(cloud, ips) }),
    ...(dhcp !== undefined && { extra_dhcp_opts: (dhcp as Row[]).map(dhcpOption) }),
    ...(profile !== undefined && { 'binding:profile': profileOf(String(profile)) }),
  }
}

function dhcpOption(option: Row): Row {
  if (option['opt_value'] === undefined && option['ip_version'] === undefined)
    throw new Unclear('Invalid --extra-dhcp-opt option: opt_value or ip_version is missing.')
  return option['opt_value'] === 'null' ? { ...option, opt_value: null } : option
}

function profileOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Unclear(`--binding-profile is no JSON: ${text}`)
  }
}

const extending: Record<string, (rows: Row[], ask: Ask) => Promise<Row[]>> = {
  net: withSubnets,
  agent: async (rows) => smiling(rows),
}

const shown: Record<string, Noun> = {
  ...nouns,
  'security-group': { ...nouns['security-group']!, cells: { security_group_rules: rulesCell } },
}

const lists = Object.entries(shown).map(([name, noun]): [string, Command] => [
  `${name}-list`,
  listCommand(noun, { summary: `List ${words(noun)}s.`, ...(extending[name] && { extend: extending[name] }) }),
])

/** Kinds of things that are only listed. */
const onlyListed = ['availability-zone', 'service-provider']
/** Things nobody makes by this name. */
const notMade = ['ext', 'agent', 'flavor', 'rbac']
const notDeleted = ['ext', 'flavor']

function verbsOf([name, noun]: [string, Noun]): [string, Command][] {
  if (onlyListed.includes(name)) return []
  const { create, update } = finishes[name] ?? {}
  return [
    [`${name}-show`, showCommand(noun)],
    ...(notMade.includes(name)
      ? []
      : [[`${name}-create`, createCommand(noun, create && { finish: create })] as [string, Command]]),
    ...(noun.update ? [[`${name}-update`, updateCommand(noun, update && { finish: update })] as [string, Command]] : []),
    ...(notDeleted.includes(name) ? [] : [[`${name}-delete`, deleteCommand(noun)] as [string, Command]]),
  ]
}

const renamed: Record<string, string> = { security_group_id: 'security_group', remote_group_id: 'remote_group' }
const apiName = (column: string) => Object.entries(renamed).find(([, shown]) => shown === column)?.[0] ?? column
const summed: Record<string, string[]> = {
  remote: ['remote_ip_prefix', 'remote_group_id'],
  'port/protocol': ['protocol', 'port_range_min', 'port_range_max'],
  'protocol/port': ['protocol', 'port_range_min', 'port_range_max'],
}

/** Rules are listed with the names of their groups, under other column names than the API's. */
function ruleList(): Command {
  const noun = nouns['security-group-rule']!
  const noNames: Option = { flag: '--no-nameconv', key: 'no_nameconv', field: '', kind: 'set', help: 'show ids of groups' }
  const listOf = (columns: readonly string[]) =>
    listCommand({ ...noun, columns }, { summary: 'List security group rules.', more: { options: [noNames] }, extend: readable })
  return {
    ...listOf([]),
    run(ask) {
      const fields = ((ask.values['fields'] as string[] | undefined) ?? []).flatMap((field) => summed[field] ?? [apiName(field)])
      const named = ask.values['no_nameconv'] ? apiName : (column: string) => renamed[column] ?? column
      const values = fields.length > 0 ? { ...ask.values, fields } : ask.values
      const shape = { ...ask.shape, columns: ask.shape.columns.map(named) }
      return listOf((noun.columns ?? []).map(named)).run({ ...ask, values, shape })
    },
  }
}

async function readable(rows: Row[], ask: Ask): Promise<Row[]> {
  if (ask.values['no_nameconv']) return readableRules(rows, new Map())
  const read = readableRules(rows, await groupNames(rows, ask))
  return read.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [renamed[key] ?? key, value])))
}

async function groupNames(rows: Row[], { cloud }: Ask): Promise<Map<string, string>> {
  const ids = [
    ...new Set(rows.flatMap((row) => [row['security_group_id'], row['remote_group_id']]).filter((id) => id)),
  ] as string[]
  const names = new Map<string, string>()
  for (let from = 0; from < ids.length; from += 100) {
    const query = { fields: ['id', 'name'], id: ids.slice(from, from + 100) }
    for (const row of await listAll(cloud, nouns['security-group']!, query))
      if (row['name']) names.set(String(row['id']), String(row['name']))
  }
  return names
}

/** Every command by its name. */
export const commands = (): Record<string, Command> =>
  Object.fromEntries(
    [
      ...lists,
      ...Object.entries(nouns).flatMap(verbsOf),
      ['security-group-rule-list', ruleList()] as [string, Command],
      ...Object.entries(actions),
      ...qosRuleCommands(),
    ].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )

/** Families of the original that are about services this cloud does not have, each with what there is instead. */
export const elsewhere: Record<string, string> = {
  bgp: 'This cloud announces no routes by BGP: set a route to its floating addresses on your router.',
  firewall: 'There is no firewall service: use security groups (neutron security-group-create).',
  lb: 'There is no load balancer service: run a balancer in a server and give it a floating IP.',
  lbaas: 'There is no load balancer service: run a balancer in a server and give it a floating IP.',
  vpn: 'There is no VPN service: run one in a server and give it a floating IP.',
  ipsec: 'There is no VPN service: run one in a server and give it a floating IP.',
  'net-gateway': 'There are no network gateways: use a provider network (neutron net-create --provider:network_type vlan ...).',
  queue: 'There are no queues: use QoS policies (neutron qos-policy-create).',
  cisco: 'This cloud drives Open vSwitch only.',
}
