import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'

const pageBytes = 256 << 10
/** One under way to the client, one waiting for it, one being read, and one to spare. */
const pageCount = 4

/**
 * A file as a stream that uses the same few pages over and over: a new one for each would have all of memory swept three times for 64 MiB. What
 * comes out is overwritten once the next but one was asked for, so it is for who passes it on and waits for it to be gone before asking for
 * more, as `pipe` does.
 */
export function passing(file: FileHandle, { start, end }: { start: number; end: number }): Readable {
  const pages: Buffer[] = []
  let [at, turn] = [start, 0]
  const next = async (): Promise<Buffer | null> => {
    const wanted = Math.min(pageBytes, end + 1 - at)
    if (wanted <= 0) return null
    pages[turn] ??= Buffer.allocUnsafeSlow(pageBytes)
    const page = pages[turn]!
    turn = (turn + 1) % pageCount
    let used = 0
    while (used < wanted) {
      const { bytesRead } = await file.read(page, used, wanted - used, at + used)
      if (bytesRead === 0) throw new Error('the file is shorter than it was')
      used += bytesRead
    }
    at += wanted
    return page.subarray(0, wanted)
  }
  return new Readable({
    highWaterMark: pageBytes,
    read() {
      next().then(
        (page) => this.push(page),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      file.close().then(
        () => done(error),
        (trouble: Error) => done(error ?? trouble),
      )
    },
  })
}
