import { troubleWith } from './checks.ts'
import { defaultOf, type LocalFacts } from './defaults.ts'
import { isActing, isInVain, noEffect } from './effects.ts'
import type { Entry, Problem } from './file.ts'
import { isGroupActive } from './groups.ts'
import { lookalikeTrouble } from './lookalikes.ts'
import type { Knowledge, OldName, Parameter } from './parameters.ts'

/** Where a value was said: a line of a file, or an option. */
export type Said = { value: string; line?: number; name: string }

export type Resolved = {
  /** All 292, by name. */
  values: Map<string, string>
  /** Those somebody said, by their newest name. */
  said: Map<string, Said>
  problems: Problem[]
  /** Old names that were read as new ones. */
  mapped: string[]
  /** One warning about everything that has no effect; undefined: nothing to warn of. */
  warning?: string
}

/** What the answers come to: old names become new ones, what nobody said takes its default, everything is checked at once. */
export function resolve(
  entries: readonly Entry[],
  { parameters, old }: Knowledge,
  facts: LocalFacts,
  base = new Map<string, string>(),
): Resolved {
  const known = new Map(parameters.map((one) => [one.name, one]))
  const olds = new Map(old.map((one) => [one.name, one]))
  const problems: Problem[] = []
  const said = new Map<string, Said>()
  const mapped: string[] = []
  for (const { name, value, line } of entries) if (known.has(name)) said.set(name, { name, value, ...place(line) })
  for (const entry of entries) {
    const one = olds.get(entry.name)
    if (!known.has(entry.name) && !one) problems.push(unknown(entry, [...known.keys(), ...olds.keys()]))
    if (one?.became !== undefined) takeOld(entry, one, { entries, said, mapped, problems })
  }
  const values = new Map(
    parameters.map((one) => [one.name, said.get(one.name)?.value ?? base.get(one.name) ?? defaultOf(one, facts)]),
  )
  for (const one of parameters) check(one, values, said.get(one.name), problems)
  const vain = vainOf(entries, known, olds, facts)
  return { values, said, problems, mapped, ...(vain !== undefined && { warning: vain }) }
}

const place = (line: number) => (line > 0 ? { line } : {})

type Taking = { entries: readonly Entry[]; said: Map<string, Said>; mapped: string[]; problems: Problem[] }

function takeOld(entry: Entry, { name, became = '' }: OldName, { entries, said, mapped, problems }: Taking): void {
  const target = name === 'CONFIG_NEUTRON_OVS_TUNNEL_RANGES' ? tunnelTarget(entries) : became
  const before = said.get(target)
  if (before && before.value !== entry.value && isActing(target) && before.name !== target)
    problems.push({ ...entry, what: `is ${target} today, and ${before.name} gives it another value: ${before.value}` })
  if (before?.name === target && before.value !== entry.value && isActing(target))
    mapped.push(
      `${name} is not read: it is ${target} today, and ${before.line === undefined ? 'that' : `line ${before.line}`} gives another value`,
    )
  if (before) return
  said.set(target, { name, value: entry.value, ...place(entry.line) })
  mapped.push(`${name} is read as ${target}`)
}

/** Tunnels of the old Open vSwitch plugin were GRE or VXLAN, as its network type said. */
const tunnelTarget = (entries: readonly Entry[]) =>
  entries.some(({ name, value }) => /TENANT_NETWORK_TYPES?$/.test(name) && value.includes('vxlan'))
    ? 'CONFIG_NEUTRON_ML2_VNI_RANGES'
    : 'CONFIG_NEUTRON_ML2_TUNNEL_ID_RANGES'

function unknown({ name, value, line }: Entry, names: string[]): Problem {
  const near = names.map((one) => [distance(one, name), one] as const).sort(([one], [other]) => one - other)[0]
  const hint = near && near[0] <= 4 ? `; is ${near[1]} meant?` : ''
  return { name, value, ...place(line), what: `packstack knows no such parameter${hint}` }
}

/** How many characters must be put in, taken out or changed (Levenshtein). */
function distance(one: string, other: string): number {
  let row = [...other, ''].map((_, index) => index)
  for (const [i, a] of [...one].entries()) {
    const next = [i + 1]
    for (const [j, b] of [...other].entries()) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a === b ? 0 : 1)))
    row = next
  }
  return row.at(-1)!
}

function check(one: Parameter, values: ReadonlyMap<string, string>, said: Said | undefined, problems: Problem[]): void {
  if (!said || !isGroupActive(one.group, values)) return
  const what = (said.line === undefined ? lookalikeTrouble(said.value) : undefined) ?? troubleWith(said.value, one.accepted)
  if (what === undefined || problems.some(({ line, name }) => name === said.name && line === said.line)) return
  const { name, line } = said
  problems.push({ name, value: one.isSecret ? '********' : said.value, what, ...(line !== undefined && { line }) })
}

function vainOf(
  entries: readonly Entry[],
  known: Map<string, Parameter>,
  olds: Map<string, OldName>,
  facts: LocalFacts,
): string | undefined {
  const reasons = new Map<string, string[]>()
  let quiet = 0
  for (const { name, value } of entries) {
    const parameter = known.get(name)
    const one = olds.get(name)
    const reason = noEffect(one?.became ?? name)
    if (!reason || (!parameter && !one)) continue
    const ours = parameter ? defaultOf(parameter, facts) : ''
    if (!isInVain({ name: one?.became ?? name, default: ours }, value, ours)) quiet++
    else
      reasons.set(`${reason.why}. Instead: ${reason.instead}`, [
        ...(reasons.get(`${reason.why}. Instead: ${reason.instead}`) ?? []),
        name,
      ])
  }
  if (reasons.size === 0) return undefined
  const lines = [...reasons].map(([reason, names]) => `  ${names.join(', ')}\n    ${reason}`)
  const rest = quiet > 0 ? [`  ${quiet} more that ask for nothing: empty, n, or as it is done anyway.`] : []
  return ['These parameters have no effect on this cloud:', ...lines, ...rest].join('\n')
}

/** `answers.txt:12: CONFIG_X=abc: allowed is a whole number`. */
export const problemText = (file: string | undefined, { line, name, value, what }: Problem): string =>
  [
    [file, line].filter((part) => part !== undefined).join(':'),
    name === undefined ? undefined : value === undefined ? name : `${name}=${value}`,
    what,
  ]
    .filter(Boolean)
    .join(': ')
