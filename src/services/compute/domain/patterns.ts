/**
 * A regular expression as SQL's LIKE takes it, or undefined when it says more than LIKE can. Users filter by names, beginnings, ends and `.*`;
 * a real regular expression over tenants' names, written by tenants, could stop the controller (one exponential match is enough).
 */
export function likePattern(expression: string): string | undefined {
  const from = expression.startsWith('^') ? 1 : 0
  const isEnd = expression.endsWith('$') && !/(^|[^\\])(\\\\)*\\\$$/.test(expression)
  const inner = expression.slice(from, isEnd ? -1 : undefined)
  let like = from === 1 ? '' : '%'
  for (let at = 0; at < inner.length; at++) {
    const char = inner[at]!
    if (char === '.' && inner[at + 1] === '*') {
      like += '%'
      at++
    } else if (char === '.') like += '_'
    else if (char === '\\' && at + 1 < inner.length && /\W/.test(inner[at + 1]!)) like += literal(inner[++at]!)
    else if (/[\\^$*+?()[\]{}|]/.test(char)) return undefined
    else like += literal(char)
  }
  return isEnd ? like : `${like}%`
}

const literal = (char: string) => (/[%_\\]/.test(char) ? `\\${char}` : char)
