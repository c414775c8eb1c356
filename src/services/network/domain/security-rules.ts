import type { GroupRow, RuleRow } from '../tables.ts'
import { badInput, fault, noGroup } from './faults.ts'
import { parseCidr } from './ip.ts'
import { groupRipple } from './ripples.ts'
import { newborn } from './standard.ts'
import type { Change } from './store.ts'

export type RuleAsk = {
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol?: string | undefined
  portMin?: number | undefined
  portMax?: number | undefined
  remoteGroupId?: string | undefined
  remotePrefix?: string | undefined
  description?: string | undefined
}

/** IANA protocol numbers by the names this API takes. */
export const protocols: Record<string, number> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
}
const withPorts = new Set([6, 17, 132, 33, 136])
const onlyV6 = new Set([58, 41, 43, 44, 59, 60])

export const protocolNumber = (protocol: string): number | undefined =>
  /^\d+$/.test(protocol) ? Number(protocol) : protocols[protocol]

/** What the API says is not a rule (OSSA-2019-001, 2014-014: nothing else may ever reach a host). */
function checkRule(ask: RuleAsk): void {
  checkProtocol(ask)
  checkPorts(ask)
  const { remotePrefix, remoteGroupId, ethertype } = ask
  if (remotePrefix !== undefined && remoteGroupId !== undefined)
    throw fault(
      'invalid',
      'SecurityGroupMultipleRemoteEntites',
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    )
  if (remotePrefix === undefined) return
  const cidr = parseCidr(remotePrefix)
  if (!cidr) throw badInput(`'${remotePrefix}' is not an IP prefix`)
  if (`IPv${cidr.version}` !== ethertype)
    throw fault(
      'invalid',
      'SecurityGroupRuleParameterConflict',
      `Conflicting value ethertype ${ethertype} for CIDR ${remotePrefix}`,
    )
}

function checkProtocol({ protocol, ethertype }: RuleAsk): void {
  if (protocol === undefined) return
  const number = protocolNumber(protocol)
  if (number === undefined || number > 255)
    throw fault(
      'invalid',
      'SecurityGroupRuleInvalidProtocol',
      `Security group rule protocol ${protocol} not supported. Only ${Object.keys(protocols).join(', ')} and numbers from 0 to 255 are.`,
    )
  if (ethertype === 'IPv4' && onlyV6.has(number))
    throw fault(
      'invalid',
      'SecurityGroupEthertypeConflictWithProtocol',
      `Invalid ethertype ${ethertype} for protocol ${protocol}.`,
    )
}

function checkPorts({ protocol, portMin, portMax }: RuleAsk): void {
  if (portMin === undefined && portMax === undefined) return
  if (protocol === undefined)
    throw fault('invalid', 'SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.')
  const number = protocolNumber(protocol)!
  if (number === 1 || number === 58) checkIcmp(portMin, portMax)
  else checkPortRange(protocol, number, portMin, portMax)
}

function checkPortRange(protocol: string, number: number, portMin: number | undefined, portMax: number | undefined): void {
  if (!withPorts.has(number))
    throw fault(
      'invalid',
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${protocol}. Ports are only supported for tcp, udp, sctp, dccp, udplite and their numbers.`,
    )
  for (const port of [portMin, portMax])
    if (port === undefined || port < 1 || port > 65_535)
      throw port === undefined
        ? fault('invalid', 'SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max')
        : fault('invalid', 'SecurityGroupInvalidPortValue', `Invalid value for port ${port}`)
  if (portMin! > portMax!)
    throw fault('invalid', 'SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max')
}

function checkIcmp(type: number | undefined, code: number | undefined): void {
  for (const [field, attribute, value] of [
    ['type', 'port_range_min', type],
    ['code', 'port_range_max', code],
  ] as const)
    if (value !== undefined && (value < 0 || value > 255))
      throw fault(
        'invalid',
        'SecurityGroupInvalidIcmpValue',
        `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`,
      )
  if (type === undefined)
    throw fault(
      'invalid',
      'SecurityGroupMissingIcmpType',
      `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`,
    )
}

/** A rule twice is the same however it is written: `tcp` is 6, any address is no address. */
function essenceOf(ask: RuleAsk): string {
  const number = ask.protocol === undefined ? '' : protocolNumber(ask.protocol)
  const cidr = ask.remotePrefix === undefined ? undefined : parseCidr(ask.remotePrefix)
  const remote = cidr && cidr.prefix > 0 ? cidr.text : ''
  return [ask.direction, ask.ethertype, number, ask.portMin ?? '', ask.portMax ?? '', ask.remoteGroupId ?? '', remote].join(' ')
}

export async function insertRule(change: Change, group: GroupRow, ask: RuleAsk): Promise<RuleRow> {
  const essence = essenceOf(ask)
  const row: RuleRow = {
    ...newborn(change.now(), group.project_id, { name: '', description: ask.description ?? '' }),
    group_id: group.id,
    direction: ask.direction,
    ethertype: ask.ethertype,
    protocol: ask.protocol ?? '',
    port_min: ask.portMin ?? -1,
    port_max: ask.portMax ?? -1,
    remote_group_id: ask.remoteGroupId ?? '',
    remote_prefix: ask.remotePrefix === undefined ? '' : parseCidr(ask.remotePrefix)!.text,
    essence,
  }
  const made = await change.tx
    .insertInto('network_rule')
    .values(row)
    .onConflict((conflict) => conflict.columns(['group_id', 'essence']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (made) return made
  const other = await change.tx
    .selectFrom('network_rule')
    .select('id')
    .where('group_id', '=', group.id)
    .where('essence', '=', essence)
    .executeTakeFirst()
  throw fault('conflict', 'SecurityGroupRuleExists', `Security group rule already exists. Rule id is ${other?.id}.`)
}

/** Checks, counts and keeps a rule of the group; the remote group must be one the project may see. */
export async function createRule(change: Change, group: GroupRow, ask: RuleAsk, isAdmin: boolean): Promise<RuleRow> {
  checkRule(ask)
  await change.quota.allow(change.tx, group.project_id, { security_group_rule: 1 })
  if (ask.remoteGroupId !== undefined) {
    const remote = await change.tx
      .selectFrom('network_group')
      .select('project_id')
      .where('id', '=', ask.remoteGroupId)
      .executeTakeFirst()
    if (!remote || (!isAdmin && remote.project_id !== group.project_id)) throw noGroup(ask.remoteGroupId)
  }
  const rule = await insertRule(change, group, ask)
  await groupRipple(change, [group.id])
  return rule
}

export async function deleteRule(change: Change, rule: RuleRow): Promise<void> {
  await change.tx.deleteFrom('network_rule').where('id', '=', rule.id).execute()
  await groupRipple(change, [rule.group_id])
}
