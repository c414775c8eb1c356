import { lookalikeTrouble, plain } from './lookalikes.ts'

/** A line `PARAMETER=value`; lines count from 1. */
export type Entry = { name: string; value: string; line: number }

export type Problem = { line?: number; name?: string; value?: string; what: string }

export type AnswerFile = { entries: Entry[]; problems: Problem[] }

/** Reads an answer file: one section `[general]`, comments, `KEY=value`. Every line that is something else is a problem. */
export function parseAnswers(text: string): AnswerFile {
  const entries = new Map<string, Entry>()
  const problems: Problem[] = []
  const sections: string[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    const content = raw.replace(/^\ufeff/, '').trim()
    if (content === '' || /^[#;]/.test(content)) continue
    const section = /^\[(.*)\]$/.exec(plain(content))?.[1]
    if (section !== undefined) {
      sections.push(section)
      if (section !== 'general')
        problems.push({ line, what: `the section [${section}] is unknown; everything belongs into [general]` })
      else if (sections.length > 1) problems.push({ line, what: 'there may be one section [general] only' })
      continue
    }
    const found = entryOf(content, line)
    if (!('name' in found) || !('value' in found)) problems.push(found as Problem)
    else if (sections.length === 0 && entries.size === 0) {
      problems.push({ line, what: 'the section [general] must stand before the first parameter' })
      entries.set(found.name, found as Entry)
    } else {
      const before = entries.get(found.name)
      if (before) problems.push({ line, name: found.name, what: `stands in line ${before.line} already` })
      else entries.set(found.name, found as Entry)
      const trouble = lookalikeTrouble(found.value)
      if (trouble !== undefined) problems.push({ line, name: found.name, what: trouble })
    }
  }
  return { entries: [...entries.values()], problems }
}

function entryOf(content: string, line: number): Entry | Problem {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)\s*[=:]\s*(.*)$/.exec(content)
  if (match) return { name: match[1]!.toUpperCase(), value: match[2]!, line }
  const [word = ''] = content.split(/\s*[=:＝：]/)
  return { line, what: lookalikeTrouble(content) ?? `"${word.slice(0, 60)}" is neither a comment nor PARAMETER=value` }
}

/** The text with other values for some parameters. Comments, order, and every other line stay as they are. */
export const withValues = (text: string, values: ReadonlyMap<string, string>): string =>
  text
    .split('\n')
    .map((line) => {
      const match = /^(\s*([A-Za-z_][A-Za-z0-9_]*)\s*[=:]\s*)/.exec(line)
      const value = match && values.get(match[2]!.toUpperCase())
      return value === undefined || value === null ? line : `${match![1]}${value}`
    })
    .join('\n')
