import { Problem } from '../../../kit/errors.ts'
import type { PlacementRead } from '../tables.ts'
import { isKnownClass } from './classes.ts'
import { unknownTraits } from './traits.ts'

/** Throws invalid when a class is none that anybody has made. */
export async function assertClasses(read: PlacementRead, names: Iterable<string>): Promise<void> {
  for (const name of new Set(names))
    if (!(await isKnownClass(read, name)))
      throw new Problem('invalid', `Invalid resource class in resources parameter: No such resource class ${name}.`)
}

/** Throws invalid when a trait is none that anybody has made. */
export async function assertTraits(read: PlacementRead, names: Iterable<string>): Promise<void> {
  const unknown = await unknownTraits(read, [...new Set(names)])
  if (unknown.length > 0) throw new Problem('invalid', `No such trait(s): ${unknown.join(', ')}.`)
}

/** Whether what somebody has answers to: of each set one at least, and none of these. */
export const suits = (own: Set<string> | undefined, each: Set<string>[], none: Set<string>): boolean =>
  each.every((some) => own !== undefined && !some.isDisjointFrom(own)) && (own === undefined || none.isDisjointFrom(own))
