import { createHash, createHmac } from 'node:crypto'

export type Credentials = { accessKey: string; secretKey: string; region: string; service: string }

/** `path` and `query` as they go out; `headers` are all signed, `host` must be among them. */
export type Signable = {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  /** Hex digest of the body by SHA-256. */
  bodyHash: string
}

export const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: Uint8Array | string, data: string) => createHmac('sha256', key).update(data).digest()

/** RFC 3986: what is not unreserved is escaped. */
export const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

/** The query in the order in which it is signed. */
export const queryText = (query: Record<string, string>): string =>
  Object.entries(query)
    .map(([name, value]) => [escaped(name), escaped(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** The Authorization header of AWS Signature Version 4. `at`: as in `x-amz-date`, 20130524T000000Z. */
export function authorization(ask: Signable, { accessKey, secretKey, region, service }: Credentials, at: string): string {
  const headers = Object.entries(ask.headers)
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const signed = headers.map(([name]) => name).join(';')
  const canonical = [
    ask.method,
    ask.path,
    queryText(ask.query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signed,
    ask.bodyHash,
  ].join('\n')
  const day = at.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<Uint8Array | string>(hmac, `AWS4${secretKey}`)
  const signature = hmac(key, text).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
}
