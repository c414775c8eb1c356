import type { SwitchRule } from '../../driver.ts'
import { family } from './addresses.ts'
import { cookie, withCookie } from './cookies.ts'
import { ruleMatches } from './rules.ts'
import { type FlowText, fresh, priority, table, type WiredPort } from './tables.ts'

/**
 * Rules that speak of a set of addresses share it by conjunctive matches (ovs-fields(7)): a flow for each address and one for each rule of a
 * port, where there would be one for each pair. With a thousand members and twenty ports: a thousand flows instead of twenty thousand.
 */
type SetRule = SwitchRule & { remotes: string[]; remotesOf: string }

/** Number of each set in the switch, by name, direction and version. */
export type SetNumbers = ReadonlyMap<string, number>

export const isOfSet = (rule: SwitchRule): rule is SetRule => rule.remotesOf !== undefined && rule.remotes !== undefined

const setOf = ({ remotesOf, direction, ethertype }: SetRule) => `${remotesOf} ${direction} ${ethertype}`

const setRules = (ports: readonly WiredPort[]): Map<string, SetRule> =>
  new Map(ports.flatMap((port) => (port.guarded ? port.rules.filter(isOfSet).map((rule) => [setOf(rule), rule] as const) : [])))

/** Numbers made of the names, so that a round changes nothing that stays; those that fall on the same one move apart. */
export function numberSets(ports: readonly WiredPort[]): SetNumbers {
  const [numbers, taken] = [new Map<string, number>(), new Set<number>()]
  for (const name of [...setRules(ports).keys()].sort()) {
    let number = Number.parseInt(cookie('set', name).slice(-7), 16) + 1
    while (taken.has(number)) number++
    numbers.set(name, number)
    taken.add(number)
  }
  return numbers
}

export const setCookie = cookie('set', 'addresses')

/** Of which ports a set's addresses decide. */
export const usesSet = (port: WiredPort, numbers: SetNumbers, wanted: ReadonlySet<number>): boolean =>
  port.rules.some((rule) => isOfSet(rule) && wanted.has(numbers.get(setOf(rule)) ?? 0))

/** The addresses of all sets. One address that is in several has one flow, which says all of them. */
export function addressFlows(ports: readonly WiredPort[], numbers: SetNumbers): string[] {
  const members = [...setRules(ports)].flatMap(([name, { direction, ethertype, remotes }]) => {
    const six = ethertype === 'IPv6'
    const where = direction === 'ingress' ? table.receivedTracked : table.sentTracked
    const side = `${six ? 'ipv6' : 'ip'},${six ? 'ipv6' : 'nw'}_${direction === 'ingress' ? 'src' : 'dst'}`
    return remotes
      .filter((remote) => family(remote) === (six ? 6 : 4))
      .map((remote) => ({
        match: `table=${where},priority=${priority.set},${side}=${remote},${fresh}`,
        number: numbers.get(name)!,
      }))
  })
  return [...Map.groupBy(members, ({ match }) => match)].map(([match, all]) =>
    withCookie(setCookie)(
      `${match},actions=${conjunctions(
        all.map(({ number }) => number),
        1,
      )}`,
    ),
  )
}

const conjunctions = (numbers: number[], part: 1 | 2) =>
  [...new Set(numbers)]
    .sort((one, two) => one - two)
    .map((number) => `conjunction(${number},${part}/2)`)
    .join(',')

/** What a port's rules say of sets: which packets they speak of, and what becomes of those whose other end is in the set. */
export function setRuleFlows(
  port: WiredPort,
  direction: SwitchRule['direction'],
  at: string,
  pass: string,
  numbers: SetNumbers,
): FlowText[] {
  const where = at.replace('PRIORITY', String(priority.set))
  const rules = port.rules.filter(isOfSet).filter((rule) => rule.direction === direction)
  const parts = rules.flatMap((rule) =>
    ruleMatches({ ...rule, remotes: undefined }).matches.map((match) => ({ match, number: numbers.get(setOf(rule))! })),
  )
  const versions = new Map(rules.map((rule) => [numbers.get(setOf(rule))!, rule.ethertype === 'IPv6' ? 'ipv6' : 'ip']))
  return [
    ...[...Map.groupBy(parts, ({ match }) => match)].map(
      ([match, all]) =>
        `${where},${match},${fresh},actions=${conjunctions(
          all.map(({ number }) => number),
          2,
        )}`,
    ),
    ...[...versions].map(([number, version]) => `${where},conj_id=${number},${version},${fresh},actions=${pass}`),
  ]
}
