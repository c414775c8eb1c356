import type { Extra } from './names.ts'

/** Rules of a user: each a list of methods that do together. None, or switched off: any method does. */
function rulesOf(options: Extra): string[][] {
  const rules = options['multi_factor_auth_rules']
  if (options['multi_factor_auth_enabled'] === false || !Array.isArray(rules)) return []
  return rules.filter((rule): rule is unknown[] => Array.isArray(rule)).map((rule) => rule.map(String))
}

export function isEnough(options: Extra, methods: string[]): boolean {
  const rules = rulesOf(options)
  return rules.length === 0 || rules.some((rule) => rule.every((method) => methods.includes(method)))
}

/** The rules that the given methods have begun to meet; all of them when none has begun. */
export function missingMethods(options: Extra, methods: string[]): string[][] {
  const rules = rulesOf(options)
  const begun = rules.filter((rule) => rule.some((method) => methods.includes(method)))
  return begun.length > 0 ? begun : rules
}
