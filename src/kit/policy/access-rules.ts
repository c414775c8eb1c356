import type { AccessRule } from './caller.ts'

export type Request = { service: string; method: string; path: string }

/** Whether one of the rules is about this request. `path` is what was asked for, without query. */
export const permitsRequest = (rules: AccessRule[], { service, method, path }: Request): boolean =>
  rules.some((rule) => rule.service === service && rule.method === method && matchesPath(rule.path, path))

/** `*` and `{name}` stand for one step of a path, `**` for anything, every other character for itself. */
function matchesPath(rule: string, path: string): boolean {
  const parts = rule.match(/\*\*|\*|\{[^}/]*\}|[\s\S]/g) ?? []
  // Users write the rules: all ways to match are walked at once, where a regular expression would try one after the other for ever.
  let at = skipping(parts, [0])
  for (const letter of path) {
    at = skipping(
      parts,
      [...at].flatMap((here) => next(parts[here], here, letter)),
    )
    if (at.size === 0) return false
  }
  return at.has(parts.length)
}

function next(part: string | undefined, here: number, letter: string): number[] {
  if (part === undefined) return []
  if (part === '**') return [here]
  if (isStep(part)) return letter === '/' ? [] : [here, here + 1]
  return part === letter ? [here + 1] : []
}

/** With the places behind each `**`, which may stand for nothing. */
function skipping(parts: string[], places: number[]): Set<number> {
  const all = new Set(places)
  for (const here of all) if (parts[here] === '**') all.add(here + 1)
  return all
}

const isStep = (part: string): boolean => part === '*' || (part.length > 1 && part.startsWith('{'))
