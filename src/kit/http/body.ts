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
  const text = Buffer.concat(chunks).toString('utf8')
  const body = parse(text)
  if (/\\u(0000|d[89a-f])/i.test(text)) refuseUnstorable(body)
  return body
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem('invalid', 'Malformed request body: it is not JSON.', { cause: error })
  }
}

/** Throws invalid on NUL and on halves of characters, anywhere in it: databases refuse the one, and the others come back changed. */
export function refuseUnstorable(value: unknown): void {
  // A list of what is left, no recursion: a body may be nested a million deep.
  const left = [value]
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one === 'string' && (one.includes('\0') || !one.isWellFormed()))
      throw new Problem('invalid', 'The request contains a character that no text can contain.')
    if (typeof one === 'object' && one !== null) for (const [name, inner] of Object.entries(one)) left.push(name, inner)
  }
}
