/**
 * The rule language of oslo.policy (docs.openstack.org/oslo.policy, "Policy Rule Expressions"): `and`, `or`, `not`, parentheses,
 * `@` (always), `!` (never), `role:x`, `rule:x`, `attribute:%(target)s`, `'literal':%(target)s`, `field:resource:attribute=value`,
 * `field:resource:attribute=~pattern`.
 * A check that is not understood never allows.
 */
export type Check =
  | { op: 'and' | 'or'; of: Check[] }
  | { op: 'not'; of: Check }
  | { op: 'always' }
  | { op: 'never' }
  | { op: 'role'; name: string }
  | { op: 'rule'; name: string }
  | { op: 'equal'; left: string; right: string }
  | { op: 'match'; pattern: RegExp; right: string }

export type Facts = {
  credentials: Record<string, unknown>
  target: Record<string, unknown>
  rule: (name: string) => Check | undefined
}

export function parseRule(text: string): Check {
  const tokens = tokenize(text)
  if (tokens.length === 0) return { op: 'always' }
  const { check, rest } = parseOr(tokens)
  if (rest.length > 0) throw new Error(`a rule that cannot be read: ${text}`)
  return check
}

const tokenize = (text: string): string[] =>
  (text.match(/\(|\)|(?:'[^']*'|"[^"]*"|%\([^)]*\)s|[^\s()])+/g) ?? []).map((token) => token.trim())

type Parsed = { check: Check; rest: string[] }

const parseOr = (tokens: string[]): Parsed => parseChain(tokens, 'or', (rest) => parseChain(rest, 'and', parseNot))

function parseChain(tokens: string[], op: 'and' | 'or', inner: (tokens: string[]) => Parsed): Parsed {
  let { check, rest } = inner(tokens)
  const of = [check]
  while (rest[0]?.toLowerCase() === op) {
    ;({ check, rest } = inner(rest.slice(1)))
    of.push(check)
  }
  return { check: of.length === 1 ? of[0]! : { op, of }, rest }
}

function parseNot(tokens: string[]): Parsed {
  const [first, ...rest] = tokens
  if (first === undefined) throw new Error('a rule ends too early')
  if (first.toLowerCase() === 'not') {
    const inner = parseNot(rest)
    return { check: { op: 'not', of: inner.check }, rest: inner.rest }
  }
  if (first === '(') {
    const inner = parseOr(rest)
    if (inner.rest[0] !== ')') throw new Error('a parenthesis is not closed')
    return { check: inner.check, rest: inner.rest.slice(1) }
  }
  return { check: parseCheck(first), rest }
}

function parseCheck(token: string): Check {
  if (token === '@') return { op: 'always' }
  if (token === '!') return { op: 'never' }
  const quoted = /^(?:'([^']*)'|"([^"]*)"):(.*)$/.exec(token)
  if (quoted) return { op: 'equal', left: `'${quoted[1] ?? quoted[2]}`, right: quoted[3]! }
  const colon = token.indexOf(':')
  if (colon < 1) throw new Error(`a check that cannot be read: ${token}`)
  const kind = token.slice(0, colon)
  const match = token.slice(colon + 1)
  if (kind === 'role') return { op: 'role', name: match.toLowerCase() }
  if (kind === 'rule') return { op: 'rule', name: match }
  if (kind === 'http' || kind === 'https') return { op: 'never' }
  // `field:networks:shared=True` compares an attribute of the target with a word, `field:port:device_owner=~^network:` with a pattern.
  const field = kind === 'field' ? /^[^:]*:([^=]+)=(.*)$/.exec(match) : null
  if (!field) return { op: 'equal', left: kind, right: match }
  const [, attribute, word = ''] = field
  const right = `%(${attribute})s`
  return word.startsWith('~')
    ? { op: 'match', pattern: new RegExp(`^(?:${word.slice(1)})`), right }
    : { op: 'equal', left: `'${word}`, right }
}

const word = (value: unknown): string => {
  if (value === true) return 'True'
  if (value === false) return 'False'
  return value === undefined || value === null ? 'None' : String(value)
}

export function allows(check: Check, facts: Facts, depth = 0): boolean {
  if (depth > 32) return false
  const sub = (inner: Check) => allows(inner, facts, depth + 1)
  switch (check.op) {
    case 'always':
      return true
    case 'never':
      return false
    case 'and':
      return check.of.every(sub)
    case 'or':
      return check.of.some(sub)
    case 'not':
      return !sub(check.of)
    case 'role': {
      const name = expand(check.name, facts.target)
      return (
        name !== undefined &&
        ((facts.credentials.roles as string[] | undefined) ?? []).some((role) => role.toLowerCase() === name)
      )
    }
    case 'rule': {
      const named = facts.rule(check.name)
      return named !== undefined && sub(named)
    }
    case 'equal':
      return allowsEqual(check.left, check.right, facts)
    case 'match':
      return check.pattern.test(expand(check.right, facts.target) ?? '')
    default:
      return check satisfies never
  }
}

function allowsEqual(left: string, right: string, { credentials, target }: Facts): boolean {
  const wanted = expand(right, target)
  if (wanted === undefined) return false
  if (left.startsWith("'")) return left.slice(1) === wanted
  if (left === 'None' || left === 'True' || left === 'False') return left === wanted
  const held = lookup(credentials, left)
  // A caller without the attribute matches nothing, least of all a target without it; only a rule that says `None` itself asks for that.
  if (held === undefined || held === null) return right === 'None'
  return word(held) === wanted
}

/** Replaces `%(name)s` by the target's attribute; undefined when the target has no such attribute. */
function expand(text: string, target: Record<string, unknown>): string | undefined {
  let missing = false
  const done = text.replace(/%\(([^)]*)\)s/g, (_, name: string) => {
    if (!has(target, name)) missing = true
    return word(lookup(target, name))
  })
  return missing ? undefined : done
}

const has = (target: Record<string, unknown>, name: string): boolean => name in target || lookup(target, name) !== undefined

/** `target.user.domain_id` as one key, or step by step into objects. */
function lookup(from: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(from, name)) return from[name]
  let at: unknown = from
  for (const step of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string, unknown>)[step]
  }
  return at
}
