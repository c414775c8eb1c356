import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { effect } from '../../../kit/context.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Blobs } from '../driver.ts'
import { openSums } from '../sums/sums.ts'
import { openPages } from './pages.ts'
import { passing } from './passing.ts'

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** One file a blob. A write goes to a file beside it that is renamed once it is whole and on the disk. */
export function diskBlobs(folder: string): Blobs {
  const summing = openSums()
  const isId = (name: string) => /^[0-9a-f-]{36}$/.test(name)
  const path = (id: string) => {
    if (!isId(id)) throw new Problem('not-found', 'The bytes are not there.')
    return join(folder, id)
  }
  const names = () => readdir(folder).catch(() => [])
  const absent = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'
  return {
    async write(id, bytes, { maxBytes, check }) {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      const target = path(id)
      const part = `${target}.${randomUUID().slice(0, 8)}.part`
      const file = await open(part, 'wx', 0o640)
      const paper = openPages(file, summing)
      let sizeBytes = 0
      try {
        for await (const chunk of bytes) {
          sizeBytes += chunk.length
          if (sizeBytes > maxBytes) throw new Problem('too-large', `There are more than ${maxBytes} bytes.`)
          check?.(chunk)
          await paper.write(chunk)
        }
        const sums = await paper.end()
        await file.close()
        await rename(part, target)
        await syncFolder(folder)
        effect('blob')
        return { sizeBytes, ...sums }
      } catch (error) {
        await paper.drop()
        await file.close().catch(() => {})
        await rm(part, { force: true })
        if (full.has((error as NodeJS.ErrnoException).code ?? ''))
          throw new Problem('unavailable', 'There is no room for these bytes.', { cause: error, code: 'storage-full' })
        throw error
      }
    },
    async read(id, range, isPassing = false) {
      const file = await open(path(id), 'r').catch((error) => {
        throw absent(error) ? new Problem('not-found', 'The bytes are not there.') : error
      })
      if (isPassing) return passing(file, range ?? { start: 0, end: (await file.stat()).size - 1 })
      return createReadStream('', { fd: file, highWaterMark: 1 << 20, ...range })
    },
    async size(id) {
      if (!isId(id)) return undefined
      try {
        return (await stat(path(id))).size
      } catch (error) {
        if (absent(error)) return undefined
        throw error
      }
    },
    async remove(id) {
      if (!isId(id)) return
      await rm(path(id), { force: true })
      for (const name of await names()) if (name.startsWith(`${id}.`)) await rm(join(folder, name), { force: true })
      effect('blob removed')
    },
    list: async () => (await names()).filter(isId),
  }
}

/** So that the name outlives a loss of power as the bytes do. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}
