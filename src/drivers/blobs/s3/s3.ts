import { createHash } from 'node:crypto'
import { effect } from '../../../kit/context.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Blobs } from '../driver.ts'
import { openS3, refusal, type S3Client, type S3Settings } from './client.ts'

const isId = (name: string) => /^[0-9a-f-]{36}$/.test(name)
const mostParts = 10_000

/**
 * One object a blob, on any server that speaks S3. What is larger than a part goes up in several, which become an object all at once; what a
 * broken or killed writer left of them is found by its key and removed.
 */
export function s3Blobs(settings: S3Settings): Blobs {
  const { prefix = '', partBytes = 16 << 20 } = settings
  const s3 = openS3(settings)
  const keyOf = (id: string) => {
    if (!isId(id)) throw new Problem('not-found', 'The bytes are not there.')
    return prefix + id
  }
  return {
    async write(id, bytes, { maxBytes, check }) {
      const key = keyOf(id)
      const [md5, sha512] = [createHash('md5'), createHash('sha512')]
      const size = { bytes: 0 }
      const watched = (async function* () {
        for await (const chunk of bytes) {
          size.bytes += chunk.length
          if (size.bytes > maxBytes) throw new Problem('too-large', `There are more than ${maxBytes} bytes.`)
          check?.(chunk)
          md5.update(chunk)
          sha512.update(chunk)
          yield chunk
        }
      })()
      await put(s3, key, inParts(watched, partBytes))
      effect('blob')
      return { sizeBytes: size.bytes, md5: md5.digest('hex'), sha512: sha512.digest('hex') }
    },
    async read(id, range) {
      const headers: Record<string, string> = range ? { range: `bytes=${range.start}-${range.end}` } : {}
      const { status, stream } = await s3.send({ method: 'GET', key: keyOf(id), headers })
      if (status === 200 || status === 206) return stream
      stream.destroy()
      throw refusal({ status, body: '' })
    },
    async size(id) {
      if (!isId(id)) return undefined
      try {
        const { headers } = await s3.text({ method: 'HEAD', key: keyOf(id) })
        return Number(headers['content-length'])
      } catch (error) {
        if (error instanceof Problem && error.kind === 'not-found') return undefined
        throw error
      }
    },
    async remove(id) {
      if (!isId(id)) return
      for (const uploadId of await unfinished(s3, keyOf(id))) await abort(s3, keyOf(id), uploadId)
      await s3.text({ method: 'DELETE', key: keyOf(id) }).catch(unlessAbsent)
      effect('blob removed')
    },
    async list() {
      const keys = await pages(s3, { 'list-type': '2', prefix }, 'Key', ['continuation-token', 'NextContinuationToken'])
      return keys.map((key) => key.slice(prefix.length)).filter(isId)
    },
  }
}

/** Parts grow by and by, so that ten thousand of them hold whatever an image may be. */
async function* inParts(bytes: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer> {
  let [waiting, size, count]: [Uint8Array[], number, number] = [[], 0, 0]
  for await (const chunk of bytes) {
    waiting.push(chunk)
    size += chunk.length
    const wanted = partBytes * 2 ** Math.floor(count / (mostParts / 8))
    if (size < wanted) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
    count++
  }
  yield Buffer.concat(waiting)
}

/** A blob of one part is put at once. */
async function put(s3: S3Client, key: string, parts: AsyncGenerator<Buffer>): Promise<void> {
  const first = (await parts.next()).value as Buffer
  const second = await parts.next()
  if (second.done) return void (await s3.text({ method: 'PUT', key, body: first }))
  const uploadId = tag((await s3.text({ method: 'POST', key, query: { uploads: '' } })).body, 'UploadId')[0] ?? ''
  try {
    const tags: string[] = []
    const send = async (body: Buffer) => {
      const query = { partNumber: String(tags.length + 1), uploadId }
      const { headers } = await s3.text({ method: 'PUT', key, query, body })
      tags.push(headers.etag ?? '')
    }
    await send(first)
    if (second.value.length > 0) await send(second.value)
    for await (const part of parts) if (part.length > 0) await send(part)
    await complete(s3, key, uploadId, tags)
  } catch (error) {
    await abort(s3, key, uploadId).catch(() => {})
    throw error
  }
}

/** S3 may say 200 first and what went wrong in the body. */
async function complete(s3: S3Client, key: string, uploadId: string, tags: string[]): Promise<void> {
  const parts = tags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
  const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
  const answer = await s3.text({ method: 'POST', key, query: { uploadId }, body })
  if (answer.body.includes('<Error>')) throw refusal({ status: 200, body: answer.body })
}

const unlessAbsent = (error: unknown) => {
  if (!(error instanceof Problem && error.kind === 'not-found')) throw error
}

const abort = async (s3: S3Client, key: string, uploadId: string): Promise<void> => {
  await s3.text({ method: 'DELETE', key, query: { uploadId } }).catch(unlessAbsent)
}

async function unfinished(s3: S3Client, key: string): Promise<string[]> {
  const { body } = await s3.text({ method: 'GET', query: { uploads: '', prefix: key } })
  return [...body.matchAll(/<Upload>([\s\S]*?)<\/Upload>/g)]
    .filter(([, upload = '']) => tag(upload, 'Key')[0] === key)
    .flatMap(([, upload = '']) => tag(upload, 'UploadId'))
}

/** All values of an element over all pages of a list. */
async function pages(
  s3: S3Client,
  query: Record<string, string>,
  name: string,
  [param, next]: [string, string],
): Promise<string[]> {
  const found: string[] = []
  let more: Record<string, string> | undefined = {}
  while (more) {
    const { body }: { body: string } = await s3.text({ method: 'GET', query: { ...query, ...more } })
    found.push(...tag(body, name))
    const token = tag(body, next)[0]
    more = token === undefined || tag(body, 'IsTruncated')[0] !== 'true' ? undefined : { [param]: token }
  }
  return found
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Texts of an element that holds text only. */
const tag = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) =>
    text.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => entities[entity]!),
  )
