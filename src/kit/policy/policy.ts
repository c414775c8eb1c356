import { type Caller, credentials } from './caller.ts'
import { allows, type Check, parseRule } from './rule.ts'

export type Scope = 'project' | 'domain' | 'system'

/** One default rule, as documented data. */
export type PolicyDefault = {
  name: string
  check: string
  /** Kinds of token the rule admits at all; undefined: any. */
  scopes?: Scope[]
  description?: string
  operations?: string[]
}

export type Policy = {
  has(rule: string): boolean
  /** True when the caller may. An unknown rule denies. The target's attributes come from rows, never from a request's body as it is. */
  allows(rule: string, caller: Caller, target: Record<string, unknown>): boolean
  rules(): PolicyDefault[]
}

/** The defaults of all services, with an operator's own rules (a policy file's content) on top. */
export function openPolicy(defaults: PolicyDefault[], overrides: Record<string, string> = {}): Policy {
  const byName = new Map(defaults.map((rule) => [rule.name, rule]))
  const parsed = new Map<string, Check>()
  const find = (name: string): Check | undefined => {
    const known = parsed.get(name)
    if (known) return known
    const text = overrides[name] ?? byName.get(name)?.check
    if (text === undefined) return undefined
    const check = parseRule(text)
    parsed.set(name, check)
    return check
  }
  return {
    has: (rule) => byName.has(rule) || rule in overrides,
    allows(rule, caller, target) {
      const check = find(rule)
      if (!check) return false
      const scopes = byName.get(rule)?.scopes
      const scope = scopeOf(caller)
      if (scopes && scope !== undefined && !scopes.includes(scope)) return false
      return allows(check, { credentials: credentials(caller), target, rule: find })
    },
    rules: () => [...byName.values()],
  }
}

export function scopeOf(caller: Caller): Scope | undefined {
  if (caller.system) return 'system'
  if (caller.domainId !== undefined) return 'domain'
  return caller.projectId !== undefined ? 'project' : undefined
}

/** Name, check, kinds of token (comma separated, empty: any), operations: one line of a service's policy table. */
export type PolicyRow = [name: string, check: string, scopes: string, operations: string]

export const policyRows = (rows: PolicyRow[]): PolicyDefault[] =>
  rows.map(([name, check, scopes, operations]) => ({
    name,
    check,
    ...(scopes === '' ? {} : { scopes: scopes.split(',') as Scope[] }),
    operations: operations === '' ? [] : operations.split('; '),
  }))
