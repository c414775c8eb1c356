import { noEffect } from './answers/effects.ts'
import type { Knowledge } from './answers/parameters.ts'

/** All parameters as reStructuredText, grouped as in the answer file. */
export function optionsText({ parameters }: Knowledge): string {
  const groups = [...new Set(parameters.map(({ group }) => group))]
  const section = (group: string) => [
    group,
    '-'.repeat(group.length),
    '',
    ...parameters
      .filter((one) => one.group === group)
      .flatMap(({ name, meaning }) => {
        const reason = noEffect(name)
        return [`**${name}**`, `    ${meaning}.${reason ? ` No effect here: ${reason.why}.` : ''}`, '']
      }),
  ]
  return [
    '=========================',
    'Packstack Configuration File',
    '=========================',
    '',
    ...groups.flatMap(section),
  ].join('\n')
}
