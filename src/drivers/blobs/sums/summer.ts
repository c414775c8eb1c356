import { createHash, type Hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

/** A page for the sum `of`; or without one: what the sum is (`isEnd`), or that nobody asks any more. */
export type Ask = { ask: number; of: number; page?: Uint8Array; isEnd?: boolean }
export type Told = { ask: number; sum?: string }

// A thread, started by thread.ts: makes sums of one kind, any number side by side.
const sums = new Map<number, Hash>()
parentPort?.on('message', ({ ask, of, page, isEnd }: Ask) => {
  const sum = sums.get(of) ?? createHash(workerData as string)
  if (page) sums.set(of, sum.update(page))
  else sums.delete(of)
  parentPort?.postMessage({ ask, ...(isEnd && { sum: sum.digest('hex') }) } satisfies Told)
})
