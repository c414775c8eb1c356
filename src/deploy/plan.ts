/** One thing that must be so. It may be looked at and done again at any time, also after a kill in its middle. */
export type Step = {
  name: string
  /** Names of the steps that must be done first. */
  needs?: readonly string[]
  isDone(): Promise<boolean>
  apply(): Promise<void>
}

export type Progress = {
  /** A step came to its end; `changed` false: it was so already. */
  done(step: Step, changed: boolean): void
  failed(step: Step, error: unknown): void
}

export type Outcome = { changed: number; failed: number; left: number }

/** Does what is not done. Steps that do not need each other run at the same time; what needs a failed one is left. */
export async function carryOut(steps: readonly Step[], progress: Progress): Promise<Outcome> {
  const outcome: Outcome = { changed: 0, failed: 0, left: 0 }
  const ends = new Map<string, Promise<boolean>>()
  const attempt = async (step: Step): Promise<boolean> => {
    const ready = await Promise.all((step.needs ?? []).map((name) => ends.get(name) ?? unknownNeed(step, name)))
    if (ready.includes(false)) {
      outcome.left++
      return false
    }
    try {
      const changed = !(await step.isDone())
      if (changed) await step.apply()
      if (changed) outcome.changed++
      progress.done(step, changed)
      return true
    } catch (error) {
      outcome.failed++
      progress.failed(step, error)
      return false
    }
  }
  for (const step of steps) ends.set(step.name, attempt(step))
  await Promise.all(ends.values())
  return outcome
}

const unknownNeed = (step: Step, name: string): never => {
  throw new Error(`step ${step.name} needs ${name}, which does not stand before it`)
}

/** What a run would do, without doing it. A step that cannot be looked at yet would have to be done. */
export const lookAt = (steps: readonly Step[]): Promise<{ name: string; isDone: boolean }[]> =>
  Promise.all(steps.map(async (step) => ({ name: step.name, isDone: await step.isDone().catch(() => false) })))
