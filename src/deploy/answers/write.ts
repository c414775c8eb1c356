import { mark } from '../place.ts'
import { noEffect } from './effects.ts'
import type { Knowledge } from './parameters.ts'

/** A whole answer file: all parameters in packstack's order, each after a comment that says what it is, and when it has no effect. */
export const answerText = ({ parameters }: Knowledge, values: ReadonlyMap<string, string>): string =>
  [
    mark,
    '[general]',
    ...parameters.flatMap(({ name, meaning, accepted }) => {
      const reason = noEffect(name)
      const allowed = / \/ /.test(accepted) && !accepted.includes('not checked') ? ` (${accepted})` : ''
      return [
        '',
        `# ${meaning}${allowed}.`,
        ...(reason ? [`# No effect here: ${reason.why}.`] : []),
        `${name}=${values.get(name) ?? ''}`,
      ]
    }),
    '',
  ].join('\n')

/** `packstack-answers-20260101-120000.txt`, in local time as packstack does. */
export function answerFileName(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`
  return `packstack-answers-${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}.txt`
}

export const isAnswerFileName = (name: string): boolean => /^packstack-answers-\d{8}-\d{6}\.txt$/.test(name)
