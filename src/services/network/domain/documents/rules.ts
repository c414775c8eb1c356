import type { SecurityRule, Shared } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { RuleRow } from '../../tables.ts'
import type { AddressPair } from '../ports.ts'
import { protocolNumber } from '../security-rules.ts'
import type { On } from '../store.ts'
import { byKey } from './held.ts'

/** The groups of these ports by port, and what these groups say. */
export async function rulesOf(
  on: On,
  ports: string[],
): Promise<{ groupsOf: Map<string, string[]> } & Pick<Shared, 'groups' | 'members'>> {
  if (ports.length === 0) return { groupsOf: new Map(), groups: {}, members: {} }
  const memberships = await on
    .selectFrom('network_port_group')
    .selectAll()
    .where('port_id', 'in', ports)
    .orderBy('group_id')
    .execute()
  const groupsOf = new Map(
    [...byKey(memberships, (row) => row.port_id)].map(([id, rows]) => [id, rows.map((row) => row.group_id)]),
  )
  const groups = [...new Set(memberships.map((row) => row.group_id))]
  if (groups.length === 0) return { groupsOf, groups: {}, members: {} }
  const rules = await on.selectFrom('network_rule').selectAll().where('group_id', 'in', groups).orderBy('created_at').execute()
  const byGroup = byKey(rules, (rule) => rule.group_id)
  return {
    groupsOf,
    groups: Object.fromEntries(groups.map((group) => [group, (byGroup.get(group) ?? []).map(ruleOf)])),
    members: await membersOf(on, [...new Set(rules.map((rule) => rule.remote_group_id).filter((id) => id !== ''))]),
  }
}

/** Addresses of a group's members, and those they are allowed beside their own. */
async function membersOf(on: On, groups: string[]): Promise<Record<string, string[]>> {
  if (groups.length === 0) return {}
  const fixed = await on
    .selectFrom('network_port_group as g')
    .innerJoin('network_address as a', 'a.port_id', 'g.port_id')
    .select(['g.group_id', 'a.ip'])
    .where('g.group_id', 'in', groups)
    .orderBy('a.ip')
    .execute()
  const paired = await on
    .selectFrom('network_port_group as g')
    .innerJoin('network_port as p', 'p.id', 'g.port_id')
    .select(['g.group_id', 'p.allowed_pairs'])
    .where('g.group_id', 'in', groups)
    .where('p.allowed_pairs', '<>', '[]')
    .execute()
  const pairs = paired.flatMap((row) =>
    fromJson<AddressPair[]>(row.allowed_pairs).map(({ ip }) => ({ group_id: row.group_id, ip })),
  )
  const byGroup = byKey([...fixed, ...pairs], (row) => row.group_id)
  return Object.fromEntries(
    groups.map((group) => [group, [...new Set((byGroup.get(group) ?? []).map((row) => wholeOf(row.ip)))]]),
  )
}

const wholeOf = (ip: string) => (ip.includes('/') ? ip : `${ip}/${ip.includes(':') ? 128 : 32}`)

/** Hosts know the common names; all others are told as numbers. */
const protocolOf = (name: string): string | undefined => {
  if (name === '') return undefined
  return ['tcp', 'udp', 'icmp'].includes(name) ? name : String(protocolNumber(name) ?? name)
}

const ruleOf = (rule: RuleRow): SecurityRule => ({
  direction: rule.direction as SecurityRule['direction'],
  ethertype: rule.ethertype as SecurityRule['ethertype'],
  protocol: protocolOf(rule.protocol),
  portMin: rule.port_min < 0 ? undefined : rule.port_min,
  portMax: rule.port_max < 0 ? undefined : rule.port_max,
  remotes: rule.remote_prefix === '' ? undefined : [rule.remote_prefix],
  ...(rule.remote_group_id === '' ? {} : { remoteGroup: rule.remote_group_id }),
})
