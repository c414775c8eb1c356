import type { Problem } from '../errors.ts'

/** What a step says comes next. */
export type Outcome<State extends string> =
  | { next: 'go'; to: State; reason: string; detail: unknown }
  | { next: 'sleep'; micros: number; reason: string; detail: unknown }
  | { next: 'done'; reason: string }

type Why = { reason?: string; detail?: unknown }

/** Move to another state, at once. */
export const go = <State extends string>(to: State, { reason = '', detail }: Why = {}): Outcome<State> => ({
  next: 'go',
  to,
  reason,
  detail,
})

/** Stay, and look again after so many seconds at the latest: whoever changes the world wakes the row. */
export const sleep = (seconds: number, { reason = '', detail }: Why = {}): Outcome<never> => ({
  next: 'sleep',
  micros: Math.round(seconds * 1_000_000),
  reason,
  detail,
})

/** Stay until woken. */
export const rest = (why: Why = {}): Outcome<never> => sleep(365 * 86_400, why)

/** The row goes away. */
export const done = (reason = ''): Outcome<never> => ({ next: 'done', reason })

/**
 * Anything that takes time. A step looks at the world, does one thing that may be done twice, and says what comes next. Nothing is
 * undone step by step: what was acquired belongs to the subject, and `teardown` releases by owner, from any state.
 */
export type Machine<Subject = unknown, State extends string = string> = {
  /** `service.noun`, stored. */
  kind: string
  first: State
  /** Where delete diverts to, once, whatever the state. */
  teardown: State
  /** Where a Problem that no retry cures leads to (kinds invalid, conflict, over-quota, no-capacity, forbidden, not-found). */
  failed: State
  /** Undefined: the subject is gone, and so is its work. */
  load(subject: string): Promise<Subject | undefined>
  steps: { [S in State]: (subject: Subject) => Promise<Outcome<State>> }
  /** Writes what went wrong where the user sees it. May be called twice. */
  onFailure(subject: Subject, problem: Problem): Promise<void>
}

export const machine = <Subject, State extends string>(definition: Machine<Subject, State>): Machine =>
  definition as unknown as Machine
