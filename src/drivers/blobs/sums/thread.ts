import { Worker } from 'node:worker_threads'
import type { Ask, Told } from './summer.ts'

/** One sum in a thread. Once the thread is lost everything throws: what it knew of the bytes so far is lost too. */
export type Stream = { feed(page: Uint8Array): Promise<void>; end(): Promise<string>; drop(): void }

type Waiting = { resolve(sum: string): void; reject(error: Error): void }
type Live = { worker: Worker; waiting: Map<number, Waiting>; streams: Set<number>; lost: Error | undefined; last: number }

/** A thread that is started for the first stream, and ends a while after the last. */
export function openThread(algorithm: string, idleMs: number): () => Stream {
  let current: Live | undefined
  let idle: NodeJS.Timeout | undefined
  const lose = (live: Live, cause: unknown) => {
    if (current === live) current = undefined
    live.lost = new Error('the thread that makes sums ended', { cause })
    for (const one of live.waiting.values()) one.reject(live.lost)
    live.waiting.clear()
  }
  const start = (): Live => {
    const worker = new Worker(new URL('./summer.ts', import.meta.url), {
      workerData: algorithm,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    })
    const live: Live = { worker, waiting: new Map(), streams: new Set(), lost: undefined, last: 0 }
    worker.on('message', ({ ask, sum }: Told) => {
      live.waiting.get(ask)?.resolve(sum ?? '')
      live.waiting.delete(ask)
      // A thread that nobody waits for keeps no process alive.
      if (live.waiting.size === 0) worker.unref()
    })
    worker.on('error', (error) => lose(live, error))
    worker.on('exit', () => lose(live, undefined))
    return live
  }
  const leave = (live: Live, of: number) => {
    live.streams.delete(of)
    if (live !== current || live.streams.size > 0) return
    clearTimeout(idle)
    idle = setTimeout(() => {
      if (live !== current || live.streams.size > 0) return
      current = undefined
      void live.worker.terminate()
    }, idleMs).unref()
  }
  return () => {
    current ??= start()
    const live = current
    const of = ++live.last
    live.streams.add(of)
    const ask = (more: Omit<Ask, 'ask' | 'of'>): Promise<string> =>
      new Promise((resolve, reject) => {
        if (live.lost) return reject(live.lost)
        live.worker.ref()
        const number = ++live.last
        live.waiting.set(number, { resolve, reject })
        live.worker.postMessage({ ask: number, of, ...more } satisfies Ask)
      })
    return {
      feed: async (page) => void (await ask({ page })),
      end: () => ask({ isEnd: true }).finally(() => leave(live, of)),
      drop: () =>
        void ask({})
          .catch(() => {})
          .finally(() => leave(live, of)),
    }
  }
}
