import { readFileSync } from 'node:fs'

/** A parameter of packstack's newest version, as its own tables have it. */
export type Parameter = {
  name: string
  group: string
  /** `--os-nova-install`; none: only a line of the file can set it. */
  option?: string
  /** In packstack's own words where it is found or drawn: `local IP`, `random hex (16)`, `PW_PLACEHOLDER`. */
  default: string
  /** What its value may be, in the words of packstack's checks. */
  accepted: string
  isSecret: boolean
  isAsked: boolean
  meaning: string
}

/** A name of 2014 (or between) that the newest version has no more. */
export type OldName = {
  name: string
  options: string[]
  default: string
  /** The parameter that took its place, or does the same job; none: nothing does. */
  became?: string
  accepted: string
  fate: string
}

export type Knowledge = { parameters: Parameter[]; old: OldName[] }

const rows = (name: string): string[][] =>
  readFileSync(new URL(name, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))

/** Everything packstack knows: 292 parameters in the order of its file, and the old names. Read from the tables beside this file. */
export const readKnowledge = (): Knowledge => ({
  parameters: rows('parameters.tsv').map(
    ([name = '', group = '', option, value = '', accepted = '', flags = '', meaning = '']) => ({
      name,
      group,
      ...(option && { option }),
      default: value,
      accepted,
      isSecret: flags.includes('M'),
      isAsked: !flags.includes('U'),
      meaning,
    }),
  ),
  old: rows('old-names.tsv').map(([name = '', , options = '', value = '', became, accepted = '', fate = '']) => ({
    name,
    options: options.split(',').filter(Boolean),
    default: value,
    ...(became && { became }),
    accepted,
    fate,
  })),
})
