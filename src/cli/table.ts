/** Tables as the old clients print them (PrettyTable's default style). */

export type Align = 'left' | 'right'

/** Columns of a terminal a text takes: wide characters of East Asian scripts take two, combining marks none. */
export function widthOf(text: string): number {
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
  const widths = header.map((_, at) => Math.max(0, ...cells.flatMap((row) => row[at]!.map(widthOf))))
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

/** Broken at blanks where there are any, else where the width ends. */
function broken(line: string, width: number | undefined): string[] {
  if (width === undefined || widthOf(line) <= width) return [line]
  const lines: string[] = []
  let current = ''
  for (const word of line.split(/(?<= )/)) {
    if (widthOf((current + word).trimEnd()) <= width) {
      current += word
      continue
    }
    if (current !== '') lines.push(current.trimEnd())
    current = word
    while (widthOf(current.trimEnd()) > width) {
      lines.push(current.slice(0, width))
      current = current.slice(width)
    }
  }
  return current.trimEnd() === '' && lines.length > 0 ? lines : [...lines, current.trimEnd()]
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
