import { Readable } from 'node:stream'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint, type Query, reply } from '../../../kit/http/endpoint.ts'
import type { StoredImage } from '../domain/image.ts'
import type { ImageStore } from '../domain/images.ts'
import type { Stores } from '../domain/stores.ts'
import type { Uploads } from '../domain/upload.ts'
import { forbidden } from './attributes.ts'
import { ofImage } from './images.ts'

type Deps = {
  images: ImageStore
  stores: Stores
  uploads: Uploads
  read(image: StoredImage, range?: Range, isPassing?: boolean): Promise<AsyncIterable<Uint8Array>>
}
type Sent = Pick<Ask, 'stream' | 'headers'>

/** The bytes a client sends. Throws with code `media-type` for any other content type. */
export const octets = ({ stream, headers }: Sent): AsyncIterable<Uint8Array> => {
  if (headers['content-type']?.split(';')[0]?.trim() !== 'application/octet-stream')
    throw new Problem('invalid', `Content-Type must be application/octet-stream`, { code: 'media-type' })
  // Who ends early must still be able to answer: a destroyed request takes its connection with it.
  return stream.iterator({ destroyOnReturn: false })
}

export const announced = ({ headers }: Sent): { announcedBytes?: number } => {
  const length = headers['content-length']
  return length === undefined ? {} : { announcedBytes: Number(length) }
}

export const dataEndpoints = ({ images, stores, uploads, read }: Deps) => [
  endpoint({
    on: 'PUT /images/{image_id}/file',
    policy: 'upload_image',
    status: 204,
    body: 'stream',
    ...ofImage(images),
    summary: 'upload image data',
    handle: async (ask) => {
      const chosen = ask.headers['x-image-meta-store']
      const store = chosen === undefined ? stores.usual : stores.named(chosen)
      await uploads.fill(ask.subject, octets(ask), { ...announced(ask), store })
    },
  }),
  endpoint({
    on: 'GET /images/{image_id}/file',
    policy: 'download_image',
    alsoAsks: ['download_from_store'],
    ...ofImage(images),
    summary: 'download image data',
    handle: async ({ subject, headers, query, can }) => {
      if (subject.status === 'deactivated' && !can('context_is_admin'))
        throw forbidden('The requested image has been deactivated. Image data download is forbidden.')
      if (subject.blobId === undefined || subject.sizeBytes === undefined) return reply({ status: 204 })
      const preferred = preferredStores(query)
      if (preferred.length > 0 && !can('download_from_store')) throw forbidden('download_from_store is disallowed by policy')
      for (const id of preferred) stores.named(id)
      const range = readRange(headers['range'] ?? headers['content-range'], subject.sizeBytes)
      const order = [...preferred.filter((id) => subject.stores.includes(id)), ...subject.stores]
      const bytes = await read({ ...subject, stores: order }, range, true)
      const length = range ? range.end - range.start + 1 : subject.sizeBytes
      return reply({
        status: range ? 206 : 200,
        headers: { ...dataHeaders(subject, range), 'content-length': String(length) },
        // A stream as it is: taken apart and put together again it is half as fast.
        body: bytes instanceof Readable ? bytes : Readable.from(bytes, { objectMode: false }),
      })
    },
  }),
]

/** Stores to be tried before the others, as `prefer=a,b` (Glance 2.18). */
const preferredStores = (query: Query): string[] =>
  (query['prefer'] ?? []).flatMap((text) => text.split(',').map((id) => id.trim())).filter((id) => id !== '')

type Range = { start: number; end: number }

const dataHeaders = ({ md5, sizeBytes }: StoredImage, range: Range | undefined): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  // Of a part it would be the wrong sum.
  ...(md5 === undefined || range ? {} : { 'content-md5': md5 }),
  ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` } : {}),
})

/** One range of bytes (RFC 9110, 14.1.2), also in the form of Content-Range that old clients send. Throws with code `range`. */
export function readRange(header: string | undefined, sizeBytes: number): Range | undefined {
  if (header === undefined) return undefined
  const asked = /^bytes[= ](\d*)-(\d*)(?:\/(?:\d+|\*))?$/.exec(header.trim())
  const unsatisfiable = new Problem('invalid', `The byte range '${header}' is not satisfiable for ${sizeBytes} bytes.`, {
    code: 'range',
  })
  if (!asked || (asked[1] === '' && asked[2] === '')) throw unsatisfiable
  const [first, last] = [asked[1]!, asked[2]!]
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (start > end || start >= sizeBytes) throw unsatisfiable
  return { start, end }
}
