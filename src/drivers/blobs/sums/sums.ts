import type { BlobWritten } from '../driver.ts'
import { openThread } from './thread.ts'

export type Sums = Pick<BlobWritten, 'md5' | 'sha512'>

/** The sums of one stream of bytes. Whoever opens it ends or drops it. */
export type Summing = {
  /** Takes the next page, in shared memory, which must stay as it is until this is done. */
  feed(page: Uint8Array): Promise<void>
  end(): Promise<Sums>
  /** Nobody wants them. */
  drop(): void
}

/**
 * Sums in a thread for each kind: two thirds of the work of an upload, and beside requests instead of between them. The threads are there as long
 * as somebody uploads and a while longer, for each costs some megabytes.
 */
export function openSums(idleMs = 10_000): () => Summing {
  const threads = [openThread('md5', idleMs), openThread('sha512', idleMs)]
  return () => {
    const streams = threads.map((open) => open())
    return {
      async feed(page) {
        await Promise.all(streams.map((stream) => stream.feed(page)))
      },
      async end() {
        const [md5, sha512] = await Promise.all(streams.map((stream) => stream.end()))
        return { md5: md5!, sha512: sha512! }
      },
      drop() {
        for (const stream of streams) stream.drop()
      },
    }
  }
}
