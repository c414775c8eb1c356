import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { parseTime } from '../../../kit/clock.ts'

/** A request as it was signed with EC2 keys: AWS signatures of version 0, 1, 2 and 4 (docs.aws.amazon.com, "Signing AWS API requests"). */
export type SignedRequest = {
  access: string
  signature: string
  verb: string
  host: string
  path: string
  params: Record<string, string>
  headers: Record<string, string>
  /** SHA-256 of the body in hex; version 4 only. */
  bodyHash: string
}

/** What a signature covers, and when it says it was made (microseconds); undefined when it cannot be told. */
export type Signing = { expected: string; at: number | undefined }

/** Undefined: no version that is known, or parts are missing. */
export function signingOf(request: SignedRequest, secret: string): Signing | undefined {
  const { params } = request
  const version = params['SignatureVersion']
  const at = timeOf(params['Timestamp'])
  if (version === '0') return { expected: mac('sha1', secret, `${params['Action'] ?? ''}${params['Timestamp'] ?? ''}`), at }
  if (version === '1') return { expected: mac('sha1', secret, joined(params)), at }
  if (version === '2') return { expected: mac('sha256', secret, versionTwo(request)), at }
  return version === undefined ? versionFour(request, secret) : undefined
}

export const isSame = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const mac = (hash: 'sha1' | 'sha256', key: string, text: string): string => createHmac(hash, key).update(text).digest('base64')

const joined = (params: Record<string, string>): string =>
  Object.keys(params)
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .map((name) => `${name}${params[name]}`)
    .join('')

function versionTwo({ verb, host, path, params }: SignedRequest): string {
  return `${verb}\n${host}\n${path}\n${canonicalQuery({ ...params, SignatureMethod: 'HmacSHA256' })}`
}

const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)

const canonicalQuery = (params: Record<string, string>): string =>
  Object.keys(params)
    .sort()
    .map((name) => `${escaped(name)}=${escaped(params[name]!)}`)
    .join('&')

/** Key of version 4: the secret, then date, region and service, each signed with what came before. */
export function versionFourKey(secret: string, [date, region, service]: [string, string, string]): Buffer {
  const sign = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  return sign(sign(sign(sign(`AWS4${secret}`, date), region), service), 'aws4_request')
}

function versionFour(request: SignedRequest, secret: string): Signing | undefined {
  const headers = lowered(request.headers)
  const parts = partsOf(headers['authorization'], request.params)
  if (!parts) return undefined
  const [, date = '', region = '', service = ''] = parts.credential.split('/')
  const stamp = headers['x-amz-date'] ?? request.params['X-Amz-Date'] ?? ''
  if (date === '' || !stamp.startsWith(date)) return undefined
  const scope = parts.credential.split('/').slice(1).join('/')
  const canonical = canonicalRequest(request, headers, parts.signedHeaders)
  const text = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const expected = createHmac('sha256', versionFourKey(secret, [date, region, service]))
    .update(text)
    .digest('hex')
  return { expected, at: timeOf(stamp) }
}

function canonicalRequest(request: SignedRequest, headers: Record<string, string>, signedHeaders: string): string {
  const { verb, path, params, bodyHash } = request
  const names = signedHeaders.split(';').filter((name) => name in headers)
  const lines = names.map((name) => `${name}:${name === 'host' ? hostFor(headers) : headers[name]}`)
  const query = verb.toUpperCase() === 'POST' ? '' : canonicalQuery(params)
  return [verb.toUpperCase(), path, query, `${lines.join('\n')}\n`, signedHeaders, bodyHash].join('\n')
}

/** Early versions of Boto sign the host without its port. */
const hostFor = (headers: Record<string, string>): string =>
  /^Boto\/2\.[0-9]\.[0-2]/.test(headers['user-agent'] ?? '') ? headers['host']!.split(':')[0]! : headers['host']!

const lowered = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase().trim(), value.trim()]))

/** From the Authorization header, or from the parameters of a signed URL. */
function partsOf(authorization: string | undefined, params: Record<string, string>) {
  if (authorization?.startsWith('AWS4-HMAC-SHA256')) {
    const part = (name: string) => new RegExp(`${name}=([^,\\s]*)`).exec(authorization)?.[1] ?? ''
    return { credential: part('Credential'), signedHeaders: part('SignedHeaders') }
  }
  if (params['X-Amz-Algorithm'] !== 'AWS4-HMAC-SHA256') return undefined
  return { credential: params['X-Amz-Credential'] ?? '', signedHeaders: params['X-Amz-SignedHeaders'] ?? '' }
}

/** ISO 8601, or without its marks: `20260101T000000Z`. */
function timeOf(text: string | undefined): number | undefined {
  const compact = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '')
  if (!compact) return text === undefined ? undefined : parseTime(text)
  const [, year, month, day, hour, minute, second] = compact
  return parseTime(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
