import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Problem } from '../../../kit/errors.ts'
import { authorization, escaped, queryText, sha256 } from './sigv4.ts'

export type S3Settings = {
  /** `https://host:port`; buckets are named in the path. */
  endpoint: string
  bucket: string
  accessKey: string
  secretKey: string
  /** Default us-east-1. */
  region?: string
  /** Before every key, e.g. `images/`. Default: none. */
  prefix?: string
  /** How much of a blob is in memory at once, and the least S3 takes as a part of several: default 16 MiB, at least 5 MiB on real servers. */
  partBytes?: number
  /** Milliseconds since 1970; for signatures. */
  now?: () => number
}

export type S3Ask = {
  method: string
  key?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array
}
export type S3Answer = { status: number; headers: IncomingMessage['headers']; stream: IncomingMessage }

export type S3Client = {
  /** Whatever the server says, its body not read yet. Throws unavailable when it cannot be reached. */
  send(ask: S3Ask): Promise<S3Answer>
  /** The body of an answer in the two hundreds. Throws not-found, or unavailable for anything else. Tried three times where the server is at fault. */
  text(ask: S3Ask): Promise<{ body: string; headers: S3Answer['headers'] }>
}

const none = new Uint8Array()

/** Talks to the operator's own S3 server (not to addresses of users: those go through the guarded door). */
export function openS3(settings: S3Settings): S3Client {
  const { endpoint, bucket, accessKey, secretKey, region = 'us-east-1', now = Date.now } = settings
  const base = new URL(endpoint)
  const secure = base.protocol === 'https:'
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const request = secure ? httpsRequest : httpRequest

  const send = ({ method, key = '', query = {}, headers = {}, body = none }: S3Ask): Promise<S3Answer> => {
    const path = `${base.pathname.replace(/\/$/, '')}/${escaped(bucket)}/${key.split('/').map(escaped).join('/')}`
    const at = `${new Date(now()).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    const bodyHash = sha256(body)
    const signed = { ...headers, host: base.host, 'x-amz-date': at, 'x-amz-content-sha256': bodyHash }
    const credentials = { accessKey, secretKey, region, service: 's3' }
    const all = {
      ...signed,
      'content-length': String(body.length),
      authorization: authorization({ method, path, query, headers: signed, bodyHash }, credentials, at),
    }
    const question = queryText(query)
    return new Promise((resolve, reject) => {
      const options = { method, path: question === '' ? path : `${path}?${question}`, headers: all, agent, timeout: 60_000 }
      const asking = request(base, options)
      asking.on('response', (stream) => resolve({ status: stream.statusCode ?? 0, headers: stream.headers, stream }))
      asking.on('timeout', () => asking.destroy(new Error('it said nothing for a minute')))
      asking.on('error', (cause) => reject(new Problem('unavailable', 'The store of images does not answer.', { cause })))
      asking.end(body)
    })
  }

  const once = async (ask: S3Ask) => {
    const { status, headers, stream } = await send(ask)
    const chunks: Uint8Array[] = []
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
    return { status, headers, body: Buffer.concat(chunks).toString() }
  }

  return {
    send,
    async text(ask) {
      for (let attempt = 1; ; attempt++) {
        const answer = await once(ask).catch((error) => {
          if (attempt >= 3) throw error
        })
        if (answer && answer.status < 300) return answer
        if (answer && answer.status < 500) throw refusal(answer)
        if (attempt >= 3) throw refusal(answer ?? { status: 0, body: '' })
      }
    },
  }
}

/** What went wrong, from S3's XML; nothing of it is for users but that it did. */
export function refusal({ status, body }: { status: number; body: string }): Problem {
  const code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? ''
  const cause = new Error(`S3 answered ${status} ${code}`)
  if (status === 404) return new Problem('not-found', 'The bytes are not there.', { cause })
  if (code === 'QuotaExceeded' || status === 507)
    return new Problem('unavailable', 'There is no room for these bytes.', { cause, code: 'storage-full' })
  return new Problem('unavailable', 'The store of images cannot take or give these bytes now.', { cause })
}
