/** Tables as the old clients print them (PrettyTable's default style). */

export type Align = 'left' | 'right'

/** Columns of a terminal a text takes: wide characters of East Asian scripts take two, combining marks none. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const char of text) width += /\p{Mn}/u.test(char) ? 0 : wide.test(char) ? 2 : 1
  return width
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Lines of the table; a cell may have several lines. `align` is one word a column, default left. `widest`: more is broken into lines. */
export function tableLines(
  header: string[],
  rows: string[][],
  align: Align[] = [],
  widest: (number | undefined)[] = [],
): string[] {
  const cells = [header, ...rows].map((row) =>
    row.map((cell, at) => cell.split('\n').flatMap((line) => broken(line, widest[at]))),
  )
  const whole = (text: string) => Math.max(...text.split('\n').map(widthOf))
  const widths = header.map((_, at) =>
    Math.min(widest[at] ?? Infinity, Math.max(...[header, ...rows].map((row) => whole(row[at]!)))),
  )
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const line = (parts: string[]) => `|${parts.map((part, at) => ` ${padded(part, widths[at]!, align[at])} `).join('|')}|`
  const block = (row: string[][]) =>
    Array.from({ length: Math.max(...row.map((cell) => cell.length)) }, (_, n) => line(row.map((cell) => cell[n] ?? '')))
  return [rule, ...block(cells[0]!), rule, ...cells.slice(1).flatMap(block), rule]
}

const padded = (text: string, width: number, align: Align = 'left') => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

/** As Python's textwrap breaks: at blanks and between hyphened words; a word longer than the line after its last hyphen that fits, else anywhere. */
function broken(line: string, width: number | undefined): string[] {
  if (width === undefined || widthOf(line) <= width) return [line]
  const words = line.split(/(\s+)|(?<=\p{L}{2}-)(?=\p{L}-?\p{L})/u).filter((word) => word !== undefined && word !== '')
  const lines: string[] = []
  while (words.length > 0) {
    let current = ''
    if (lines.length > 0 && words[0]!.trim() === '') words.shift()
    while (words.length > 0 && widthOf(current + words[0]!) <= width) current += words.shift()!
    if (words.length > 0 && widthOf(words[0]!) > width) {
      const cut = cutOf(words[0]!, Math.max(1, width - widthOf(current)))
      current += words[0]!.slice(0, cut)
      words[0] = words[0]!.slice(cut)
    }
    if (current.trimEnd() !== '') lines.push(current.trimEnd())
  }
  return lines
}

function cutOf(word: string, space: number): number {
  const hyphen = word.lastIndexOf('-', space - 1)
  return hyphen > 0 && /[^-]/.test(word.slice(0, hyphen)) ? hyphen + 1 : space
}

/** How wide each column may be so that the table fits: those above the average share what the others leave, none below `least`. */
export function fittingWidths(natural: number[], total: number, least: number): (number | undefined)[] {
  const usable = Math.max(0, total - 1 - 3 * natural.length)
  if (natural.reduce((sum, width) => sum + width + 3, 1) <= total) return natural.map(() => undefined)
  const fair = Math.floor(usable / natural.length)
  const long = natural.flatMap((width, at) => (width > fair ? [at] : []))
  let rest = usable - natural.filter((width) => width <= fair).reduce((sum, width) => sum + width, 0)
  const share = Math.floor(rest / long.length)
  return natural.map((_, at) => {
    if (!long.includes(at)) return undefined
    const width = at === long.at(-1) ? rest : share
    rest -= share
    return Math.max(least, width)
  })
}
