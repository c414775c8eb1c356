import type { IncomingMessage } from 'node:http'
import { Problem } from '../errors.ts'

const limit = 2 << 20

/** A JSON body of at most 2 MiB; undefined when there is none. Throws invalid or too-large. */
export async function readJson(stream: IncomingMessage, headers: Record<string, string | undefined>): Promise<unknown> {
  if (headers['content-length'] === '0') return undefined
  const type = headers['content-type'] ?? ''
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new Problem('too-large', 'Request is too large.')
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  if (type !== '' && !/json/i.test(type))
    throw new Problem('invalid', `Unsupported Content-Type: ${type.split(';')[0]}`, { code: 'media-type' })
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new Problem('invalid', 'Malformed request body: it is not JSON.', { cause: error })
  }
}
