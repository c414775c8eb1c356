import { type Known, knownAs, maySkip } from './known.ts'
import type { Outcome } from './workers.ts'

export type Verdict = { lines: string[]; isGood: boolean }

/** What is told at the end. Good when something passed, nothing failed, and whatever was skipped has a reason of ours. */
export function verdict(outcomes: readonly Outcome[], reasons: readonly Known[] = maySkip): Verdict {
  const of = (outcome: Outcome['outcome']) => outcomes.filter((one) => one.outcome === outcome)
  const [passed, failed, skipped] = [of('passed'), of('failed'), of('skipped')]
  const judged = skipped.map((one) => ({ ...one, known: knownAs(reasons, plain(one.test)) }))
  return {
    lines: [
      ...judged.map(({ test, why, known }) => (known ? `skipped  ${test}: ${known.why}` : `SKIPPED  ${test}: ${why}`)),
      ...failed.map(({ test }) => `failed  ${test}`),
      `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
    ],
    isGood: passed.length > 0 && failed.length === 0 && judged.every(({ known }) => known !== undefined),
  }
}

/** A class that is skipped as a whole comes as `setUpClass (its name)`. */
const plain = (test: string): string => test.replace(/^setUpClass \((.*)\)$/, '$1')
