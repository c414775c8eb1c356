import { Problem } from './errors.ts'

export type Turnstile = <T>(run: () => Promise<T>) => Promise<T>

/** So many at a time, in the order in which they came; throws unavailable, with this message, when too many wait already. */
export function openTurnstile(parallel: number, waiting: number, message: string): Turnstile {
  let running = 0
  const queue: (() => void)[] = []
  return async (run) => {
    if (queue.length >= waiting) throw new Problem('unavailable', message)
    if (running >= parallel) await new Promise<void>((resolve) => queue.push(resolve))
    else running++
    try {
      return await run()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
