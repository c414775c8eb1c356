/** What pages on the web and input methods put in the place of plain characters. */
const named: Record<string, [name: string, meant: string]> = {
  '\u2010': ['hyphen', '-'],
  '\u2011': ['non-breaking hyphen', '-'],
  '\u2012': ['figure dash', '-'],
  '\u2013': ['en dash', '-'],
  '\u2014': ['em dash', '-'],
  '\u2015': ['horizontal bar', '-'],
  '\u2212': ['minus sign', '-'],
  '\u2018': ['left quotation mark', "'"],
  '\u2019': ['right quotation mark', "'"],
  '\u201c': ['left double quotation mark', '"'],
  '\u201d': ['right double quotation mark', '"'],
  '\u00a0': ['non-breaking space', ' '],
  '\u200b': ['zero width space', ''],
  '\ufeff': ['byte order mark', ''],
  '\u3000': ['ideographic space', ' '],
  '\u3001': ['ideographic comma', ','],
  '\u3002': ['ideographic full stop', '.'],
}

export type Lookalike = { found: string; name: string; code: string; meant: string }

const fullWidth = (one: string): string | undefined => {
  const code = one.codePointAt(0) ?? 0
  return code >= 0xff01 && code <= 0xff5e ? String.fromCodePoint(code - 0xfee0) : undefined
}

/** The first character that looks like a plain one and is another. */
export function lookalikeIn(text: string): Lookalike | undefined {
  for (const one of text) {
    const wide = fullWidth(one)
    const [name, meant] = named[one] ?? (wide === undefined ? [] : [`full-width ${wide}`, wide])
    if (name === undefined || meant === undefined) continue
    return { found: one, name, code: `U+${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`, meant }
  }
  return undefined
}

/** The same text in plain characters. */
export const plain = (text: string): string => [...text].map((one) => named[one]?.[1] ?? fullWidth(one) ?? one).join('')

/** What to tell of it: `"–" is an en dash (U+2013): "--os" is meant?` */
export function lookalikeTrouble(text: string): string | undefined {
  const found = lookalikeIn(text)
  if (!found) return undefined
  return `"${found.found}" is not what it looks like but ${found.name} (${found.code}); meant is probably ${JSON.stringify(plain(text))}`
}
