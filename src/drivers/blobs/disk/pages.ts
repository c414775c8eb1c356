import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { Summing, Sums } from '../sums/sums.ts'

const pageBytes = 1 << 20
/** One that fills while the others are written and summed. */
const pageCount = 4

/** A file that is written in pages, each of them on its way to the disk and into the sums while the next one fills. */
export type Pages = {
  write(chunk: Uint8Array): Promise<void>
  /** All is on the disk, for good. */
  end(): Promise<Sums>
  /** Waits for what is under way, so that the file can be closed. */
  drop(): Promise<void>
}

type Page = { bytes: Buffer; done: Promise<unknown> }

export function openPages(file: FileHandle, open: () => Summing): Pages {
  const pages: Page[] = []
  let summing: Summing | undefined
  let [turn, used, position] = [0, 0, 0]
  const page = (): Page => {
    pages[turn] ??= { bytes: Buffer.from(new SharedArrayBuffer(pageBytes)), done: Promise.resolve() }
    return pages[turn]!
  }
  /** The page goes on its way; the next one may still be. */
  const turnOver = async () => {
    summing ??= open()
    const one = page()
    const bytes = one.bytes.subarray(0, used)
    one.done = Promise.all([writeAll(file, bytes, position), summing.feed(bytes)])
    // Who looks at it later hears of it then.
    one.done.catch(() => {})
    position += used
    used = 0
    turn = (turn + 1) % pageCount
    await page().done
  }
  const settled = () => Promise.all(pages.map((one) => one.done))
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const taken = Math.min(chunk.length - at, pageBytes - used)
        page().bytes.set(chunk.subarray(at, at + taken), used)
        at += taken
        used += taken
        if (used === pageBytes) await turnOver()
      }
    },
    async end() {
      if (!summing) return endSmall(file, page().bytes.subarray(0, used))
      if (used > 0) await turnOver()
      await settled()
      const [sums] = await Promise.all([summing.end(), file.sync()])
      summing = undefined
      return sums
    },
    async drop() {
      summing?.drop()
      await Promise.allSettled(pages.map((one) => one.done))
    },
  }
}

/** What fits a page is not worth a thread. */
async function endSmall(file: FileHandle, bytes: Buffer): Promise<Sums> {
  await writeAll(file, bytes, 0)
  await file.sync()
  const sum = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex')
  return { md5: sum('md5'), sha512: sum('sha512') }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten
}
