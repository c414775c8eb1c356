import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Upload = { key: string; parts: Map<number, Buffer> }

export type S3Double = {
  endpoint: string
  /** Bytes in objects and in parts. */
  kept(): number
  uploads(): number
  /** The next requests of this method answer so. */
  fail(method: string, status: number, times: number): void
  close(): void
}

/** As much of an S3 server as the driver asks for, in memory: for tests where no real one is at hand. */
export async function s3Double(bucket: string): Promise<S3Double> {
  const objects = new Map<string, Buffer>()
  const uploads = new Map<string, Upload>()
  const failing: { method: string; status: number; times: number }[] = []
  let count = 0

  const answer = async (request: IncomingMessage, reply: ServerResponse) => {
    const url = new URL(request.url!, 'http://s3')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const planned = failing.find((one) => one.method === request.method && one.times-- > 0)
    if (planned) return reply.writeHead(planned.status).end('<Error><Code>InternalError</Code></Error>')
    if (!/^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/us-east-1\/s3\/aws4_request/.test(request.headers.authorization ?? ''))
      return reply.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
    const [, name, ...rest] = url.pathname.split('/')
    if (name !== bucket) return reply.writeHead(404).end('<Error><Code>NoSuchBucket</Code></Error>')
    const key = decodeURIComponent(rest.join('/'))
    return key === '' ? listing(url, reply) : object(request, reply, key, url.searchParams, body)
  }

  const listing = ({ searchParams }: URL, reply: ServerResponse) => {
    const prefix = searchParams.get('prefix') ?? ''
    if (searchParams.has('uploads')) {
      const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix))
      return reply.end(found.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`).join(''))
    }
    // Pages of two, so that there are several.
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()
    const from = Number(searchParams.get('continuation-token') ?? 0)
    const more = from + 2 < keys.length
    const next = more ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : ''
    const contents = keys.slice(from, from + 2).map((key) => `<Contents><Key>${key}</Key></Contents>`)
    return reply.end(`<IsTruncated>${more}</IsTruncated>${next}${contents.join('')}`)
  }

  const object = (request: IncomingMessage, reply: ServerResponse, key: string, query: URLSearchParams, body: Buffer) => {
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (query.has('uploadId') && !upload) return reply.writeHead(404).end('<Error><Code>NoSuchUpload</Code></Error>')
    if (request.method === 'POST' && query.has('uploads')) {
      uploads.set(String(++count), { key, parts: new Map() })
      return reply.end(`<UploadId>${count}</UploadId>`)
    }
    if (request.method === 'PUT' && upload) {
      upload.parts.set(Number(query.get('partNumber')), body)
      return reply.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end()
    }
    if (request.method === 'POST' && upload) {
      const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, number]) => Number(number))
      objects.set(key, Buffer.concat(numbers.map((number) => upload.parts.get(number)!)))
      uploads.delete(query.get('uploadId')!)
      return reply.end('<CompleteMultipartUploadResult/>')
    }
    if (request.method === 'DELETE') {
      if (upload) uploads.delete(query.get('uploadId')!)
      else objects.delete(key)
      return reply.writeHead(204).end()
    }
    if (request.method === 'PUT') {
      objects.set(key, body)
      return reply.end()
    }
    return give(request, reply, objects.get(key))
  }

  const give = (request: IncomingMessage, reply: ServerResponse, bytes: Buffer | undefined) => {
    if (!bytes) return reply.writeHead(404).end(request.method === 'HEAD' ? '' : '<Error><Code>NoSuchKey</Code></Error>')
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = start === undefined ? bytes : bytes.subarray(Number(start), Number(end) + 1)
    reply.writeHead(start === undefined ? 200 : 206, { 'content-length': part.length })
    return request.method === 'HEAD' ? reply.end() : reply.end(part)
  }

  const server: Server = createServer((request, reply) => void answer(request, reply))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const size = (all: Iterable<Buffer>) => [...all].reduce((sum, one) => sum + one.length, 0)
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kept: () => size(objects.values()) + [...uploads.values()].reduce((sum, { parts }) => sum + size(parts.values()), 0),
    uploads: () => uploads.size,
    fail: (method, status, times) => void failing.push({ method, status, times }),
    close: () => void server.close().closeAllConnections(),
  }
}
