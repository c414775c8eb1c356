import { type IncomingMessage, type RequestOptions, request } from 'node:http'

/** How a server proves who it is: nothing asked, or by these authorities (PEM), else by those of the system. */
export type Trust = { insecure: boolean; authorities: string | undefined }

export type Reply = { status: number; header(name: string): string; text: string }

export type Sent = {
  url: string
  method: string
  headers: Record<string, string>
  body?: string
  /** 0: as long as it takes. */
  timeoutMs: number
  trust: Trust
}

/**
 * One request over a connection that is kept. Node's fetch would do, but costs a client that lives for three requests half of all its time. Throws an
 * Error that names the address when nobody answers there.
 */
export async function send(sent: Sent): Promise<Reply> {
  const { url, method, headers, body, timeoutMs, trust } = sent
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
  }
  if (timeoutMs > 0) options.signal = AbortSignal.timeout(timeoutMs)
  const open = await opener(url, trust)
  try {
    const reply = await new Promise<IncomingMessage>((resolve, reject) =>
      open(url, options, resolve).on('error', reject).end(body),
    )
    const parts: Buffer[] = []
    for await (const part of reply) parts.push(part as Buffer)
    return {
      status: reply.statusCode ?? 0,
      header: (name) => String(reply.headers[name] ?? ''),
      text: Buffer.concat(parts).toString(),
    }
  } catch (error) {
    throw new Error(`Unable to establish connection to ${url}: ${reason(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

/** A refused connection has no message of its own when several addresses were tried. */
const reason = (error: NodeJS.ErrnoException) =>
  error.name === 'TimeoutError' ? 'it took too long' : error.message || String(error.code)

type Open = (url: string, options: RequestOptions, answered: (reply: IncomingMessage) => void) => ReturnType<typeof request>

async function opener(url: string, { insecure, authorities }: Trust): Promise<Open> {
  if (!url.startsWith('https:')) return request
  // TLS is loaded only where it is spoken.
  const https = await import('node:https')
  const trust = { rejectUnauthorized: !insecure, ...(authorities !== undefined && { ca: authorities }) }
  return (to, options, answered) => https.request(to, { ...options, ...trust }, answered)
}
