import { Problem } from '../../../kit/errors.ts'
import type { Extra } from './names.ts'

type Thing = { id: string; options: Extra }

/** Things marked immutable change only by taking the mark away. */
export function assertMutable(
  noun: 'project' | 'domain' | 'role',
  { id, options }: Thing,
  change: { options?: Extra } | 'delete',
): void {
  if (options['immutable'] !== true) return
  const freed =
    change !== 'delete' && change.options !== undefined && 'immutable' in change.options && change.options['immutable'] !== true
  if (freed) return
  const verb = change === 'delete' ? 'delete' : 'update'
  throw new Problem(
    'forbidden',
    `Unable to ${verb} immutable ${noun} resource: \`${id}. Set resource option "immutable" to false first.`,
  )
}
