import { createHash } from 'node:crypto'
import { effect } from '../../../kit/context.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Blobs } from '../driver.ts'

/** Bytes in memory, for simulated clouds. */
export function memoryBlobs(): Blobs {
  const kept = new Map<string, Buffer>()
  return {
    async write(id, bytes, { maxBytes, check }) {
      const chunks: Uint8Array[] = []
      let sizeBytes = 0
      for await (const chunk of bytes) {
        sizeBytes += chunk.length
        if (sizeBytes > maxBytes) throw new Problem('too-large', `There are more than ${maxBytes} bytes.`)
        check?.(chunk)
        chunks.push(chunk)
      }
      const whole = Buffer.concat(chunks)
      kept.set(id, whole)
      effect('blob')
      const digest = (name: string) => createHash(name).update(whole).digest('hex')
      return { sizeBytes, md5: digest('md5'), sha512: digest('sha512') }
    },
    async read(id, range) {
      const whole = kept.get(id)
      if (!whole) throw new Problem('not-found', 'The bytes are not there.')
      const part = range ? whole.subarray(range.start, range.end + 1) : whole
      return (async function* () {
        yield part
      })()
    },
    size: async (id) => kept.get(id)?.length,
    async remove(id) {
      kept.delete(id)
      effect('blob removed')
    },
    list: async () => [...kept.keys()],
  }
}
