import { createHash, type Hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Clock, day, second } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { GuestImage } from '../driver.ts'
import { drop, ifMissing } from './files.ts'
import { assertSelfContained } from './qcow2.ts'

export type Images = {
  /** Path of the image's file; fetches it when it is not here. However many ask at once, it comes once. */
  ensure(image: GuestImage): Promise<string>
  pathOf(image: GuestImage): string
  /** Deletes what nobody has used for a day and is not among these paths, and what an interrupted download left. */
  tidy(used: ReadonlySet<string>): Promise<void>
}

export type ImagesOptions = { dir: string; clock: Clock; blob(id: string): Promise<AsyncIterable<Uint8Array>> }

const part = '.part'

/** The images of this host. A file under its final name is whole and was checked. */
export function openImages({ dir, clock, blob }: ImagesOptions): Images {
  const fetching = new Map<string, Promise<string>>()
  const pathOf = ({ id, format }: GuestImage) => join(dir, `${encodeURIComponent(id)}.${format}`)

  const fetchImage = async (image: GuestImage, path: string): Promise<string> => {
    const at = clock.now() / second
    // Used now: so that tidying leaves it until its disk is made.
    if (await utimes(path, at, at).then(() => true, ifMissing)) return path
    await mkdir(dir, { recursive: true })
    const hash = createHash('sha512')
    await pipeline(measured(await blob(image.id), image, hash), createWriteStream(path + part, { mode: 0o600, flush: true }))
    if (hash.digest('hex') !== image.sha512) throw damaged()
    await assertSelfContained(path + part, image.format)
    await rename(path + part, path)
    return path
  }
  const isOld = async (path: string) => clock.now() - ((await stat(path).catch(ifMissing))?.mtimeMs ?? 0) * 1000 > day

  return {
    pathOf,
    ensure(image) {
      const path = pathOf(image)
      const under = fetching.get(path)
      if (under) return under
      const task = fetchImage(image, path).finally(() => fetching.delete(path))
      fetching.set(path, task)
      return task
    },
    async tidy(used) {
      for (const name of (await readdir(dir).catch(ifMissing)) ?? []) {
        const path = join(dir, name)
        if (name.endsWith(part)) {
          if (!fetching.has(path.slice(0, -part.length))) await drop(path)
        } else if (!used.has(path) && !fetching.has(path) && (await isOld(path))) await drop(path)
      }
    },
  }
}

const damaged = () => new Problem('unavailable', 'The image did not arrive as it was stored.')

/** Passes the bytes on, counting; ends early when there are more than there should be. */
async function* measured(bytes: AsyncIterable<Uint8Array>, { sizeBytes }: GuestImage, hash: Hash): AsyncGenerator<Uint8Array> {
  let count = 0
  for await (const chunk of bytes) {
    count += chunk.length
    if (count > sizeBytes) throw damaged()
    hash.update(chunk)
    yield chunk
  }
  if (count !== sizeBytes) throw damaged()
}
