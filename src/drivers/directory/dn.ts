/** Names of entries, as RFC 4514 writes them. */
type Part = { type: string; value: string }

/** Undefined when it is no name. */
export function parseDn(text: string): Part[][] | undefined {
  const rdns: Part[][] = [[]]
  if (text.trim() === '') return []
  for (const { part, end } of split(text)) {
    const at = part.indexOf('=')
    const type = part.slice(0, at).trim().toLowerCase()
    const value = at < 1 ? undefined : unescaped(part.slice(at + 1))
    if (!/^(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)*)$/.test(type) || value === undefined) return undefined
    rdns.at(-1)!.push({ type, value })
    if (end === ',' || end === ';') rdns.push([])
  }
  return rdns
}

/** The parts between the separators that are not escaped, each with the separator that ended it. */
function split(text: string): { part: string; end: string }[] {
  const found: { part: string; end: string }[] = []
  let part = ''
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!
    if (sign === '\\') part += sign + (text[++at] ?? '')
    else if (sign === ',' || sign === ';' || sign === '+') {
      found.push({ part, end: sign })
      part = ''
    } else part += sign
  }
  return [...found, { part, end: '' }]
}

function unescaped(text: string): string | undefined {
  const bytes: Buffer[] = []
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\)((?:\\\\)*) +$/, '$1')
  for (let at = 0; at < trimmed.length; ) {
    const [sign = ''] = [...trimmed.slice(at, at + 2)]
    if (sign !== '\\') {
      bytes.push(Buffer.from(sign))
      at += sign.length
      continue
    }
    const hex = /^[0-9a-f]{2}/i.exec(trimmed.slice(at + 1))?.[0]
    const next = trimmed[at + 1]
    if (hex === undefined && (next === undefined || !' "#+,;<=>\\'.includes(next))) return undefined
    bytes.push(hex === undefined ? Buffer.from(next!) : Buffer.from(hex, 'hex'))
    at += hex === undefined ? 2 : 3
  }
  return Buffer.concat(bytes).toString('utf8')
}

export const escapeDnValue = (value: string): string =>
  value
    .replace(/[",+;<>\\=]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')

/** The same text for names that mean the same entry: case and runs of spaces do not count, nor the order within one step. */
export function normalDn(text: string): string {
  const fold = (value: string) => value.trim().replace(/\s+/g, ' ').toLowerCase()
  const rdns = parseDn(text)
  if (rdns === undefined) return text
  const steps = rdns.map((parts) => parts.map(({ type, value }) => `${type}=${escapeDnValue(fold(value))}`).sort())
  return steps.map((parts) => parts.join('+')).join(',')
}

/** What the first step of a name says of one attribute. */
export const namedValue = (dn: string, attribute: string): string | undefined =>
  parseDn(dn)?.[0]?.find(({ type }) => type === attribute.toLowerCase())?.value
