import type { SwitchRule } from '../../driver.ts'
import { family, masks } from './addresses.ts'

export type RuleMatches = { matches: string[]; problem: string | undefined }

type Kind = 'tcp' | 'udp' | 'sctp' | 'icmp' | number | undefined

function kindOf(protocol: string | undefined): Kind | 'unknown' {
  const name = protocol?.toLowerCase()
  if (name === undefined || name === 'any' || name === '0') return undefined
  if (name === 'tcp' || name === '6') return 'tcp'
  if (name === 'udp' || name === '17') return 'udp'
  if (name === 'sctp' || name === '132') return 'sctp'
  if (['icmp', 'icmpv6', 'ipv6-icmp', '1', '58'].includes(name)) return 'icmp'
  return /^\d{1,3}$/.test(name) && Number(name) <= 255 ? Number(name) : 'unknown'
}

function protocolMatch(kind: Kind, six: boolean): string {
  if (kind === undefined) return six ? 'ipv6' : 'ip'
  if (typeof kind === 'number') return six ? `ipv6,nw_proto=${kind}` : `ip,nw_proto=${kind}`
  return six ? `${kind}6` : kind
}

const isNumber = (value: number | undefined, max: number) =>
  value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)

/** Matches of ports, or of ICMP type and code; undefined: the numbers make no sense. */
function numberMatches(kind: Kind, { portMin, portMax }: SwitchRule): string[] | undefined {
  if (portMin === undefined && portMax === undefined) return ['']
  if (kind === 'icmp') {
    if (!isNumber(portMin, 255) || !isNumber(portMax, 255) || portMin === undefined) return undefined
    return [portMax === undefined ? `,icmp_type=${portMin}` : `,icmp_type=${portMin},icmp_code=${portMax}`]
  }
  // Numbers with a protocol that has no ports once stopped every rule of a host (OSSA-2019-001).
  if (kind === undefined || typeof kind === 'number' || !isNumber(portMin, 65535) || !isNumber(portMax, 65535)) return undefined
  const [from, to] = [portMin ?? 0, portMax ?? 65535]
  return from > to ? undefined : masks(from, to).map((mask) => `,tp_dst=${mask}`)
}

/** OpenFlow matches that together are this rule. One that makes no sense gives none, and says so: it must not cost the others. */
export function ruleMatches(rule: SwitchRule): RuleMatches {
  const six = rule.ethertype === 'IPv6'
  const kind = kindOf(rule.protocol)
  const ports = kind === 'unknown' ? undefined : numberMatches(kind, rule)
  if (kind === 'unknown' || ports === undefined) {
    return { matches: [], problem: `A security group rule makes no sense and was left out: ${describe(rule)}.` }
  }
  const side = `${six ? 'ipv6' : 'nw'}_${rule.direction === 'ingress' ? 'src' : 'dst'}`
  const remotes = rule.remotes?.filter((remote) => family(remote) === (six ? 6 : 4)).map((remote) => `,${side}=${remote}`) ?? ['']
  const matches = remotes.flatMap((remote) => ports.map((port) => `${protocolMatch(kind, six)}${remote}${port}`))
  return { matches, problem: undefined }
}

const describe = ({ direction, ethertype, protocol, portMin, portMax }: SwitchRule) =>
  [direction, ethertype, protocol?.replace(/[^\w-]/g, '?').slice(0, 20) ?? 'any', `${portMin ?? ''}-${portMax ?? ''}`].join(' ')
