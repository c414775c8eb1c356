import type { Row } from '../output.ts'

/** `22/tcp`, `1-9/udp`, `icmp (type:8, code:0)`; undefined for any protocol. */
export function protocolAndPorts({ protocol, port_range_min: from, port_range_max: to }: Row): string | undefined {
  if (protocol === null || protocol === undefined) return undefined
  if (protocol === 'tcp' || protocol === 'udp') {
    if (!from) return protocol
    return from === to ? `${from}/${protocol}` : `${from}-${to}/${protocol}`
  }
  if (protocol !== 'icmp') return String(protocol)
  const parts = [...(typeof from === 'number' ? [`type:${from}`] : []), ...(typeof to === 'number' ? [`code:${to}`] : [])]
  return parts.length === 0 ? 'icmp' : `icmp (${parts.join(', ')})`
}

/** Whom a rule is about: `10.0.0.0/8 (CIDR)`, `ID (group)`; undefined for anybody. */
export function remoteOf({ remote_ip_prefix: prefix, remote_group_id: group }: Row): string | undefined {
  if (prefix) return `${prefix} (CIDR)`
  return group ? `${group} (group)` : undefined
}

const ruleText = (rule: Row) =>
  [
    rule['direction'],
    rule['ethertype'],
    protocolAndPorts(rule),
    rule['remote_ip_prefix'] && `remote_ip_prefix: ${rule['remote_ip_prefix']}`,
    rule['remote_group_id'] && `remote_group_id: ${rule['remote_group_id']}`,
  ]
    .filter((part) => part)
    .join(', ')

/** The rules of a group, a line each, as its table shows them. */
export const rulesCell = (group: Row): string =>
  Array.isArray(group['security_group_rules'])
    ? (group['security_group_rules'] as Row[]).map(ruleText).toSorted(byCode).join('\n')
    : ''

const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Rules with the names of their groups and two columns that sum up others. */
export const readableRules = (rules: Row[], names: ReadonlyMap<string, string>): Row[] =>
  rules.map((rule) => {
    const named = (key: string) => (key in rule ? { [key]: names.get(String(rule[key])) ?? rule[key] } : {})
    const shown = { ...rule, ...named('security_group_id'), ...named('remote_group_id') }
    return {
      ...shown,
      ...(has(rule, 'remote_ip_prefix', 'remote_group_id') && { remote: remoteOf(shown) ?? 'any' }),
      ...(has(rule, 'protocol', 'port_range_min', 'port_range_max') && {
        'port/protocol': protocolAndPorts(rule) ?? 'any',
        'protocol/port': protocolAndPorts(rule) ?? 'any',
      }),
    }
  })

const has = (rule: Row, ...keys: string[]) => keys.every((key) => key in rule)
