import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import { withContext } from '../context.ts'
import { explainError, isProblem, Problem } from '../errors.ts'
import { requestId, uuid } from '../ids.ts'
import type { Log } from '../log.ts'

/** One call of a host, named in the path; the answer is JSON. */
export type LinkCall = (host: string, ask: never) => Promise<unknown>
export type LinkStream = (host: string, id: string) => Promise<AsyncIterable<Uint8Array>>

export type LinkServerOptions = {
  /** 0: any free one. */
  port: number
  bind: string
  /** Opens everything, in the name of any host: for the controller's own machine. */
  key: string
  /** PEM. Without it the link is not encrypted: for one machine only. */
  tls?: { certificate: string; privateKey: string }
  /** Whether this is the key of this host. */
  isHostKey?: (host: string, key: string) => Promise<boolean>
  /** What a host that has no key yet may call: `POST /join/NAME`. */
  joins?: Record<string, LinkCall>
  calls: Record<string, LinkCall>
  streams: Record<string, LinkStream>
  log: Log
}

export type LinkServer = {
  port: number
  /** Names of the hosts connected now. */
  hosts(): string[]
  /** A word to a host. Lost when it is not connected. */
  hint(host: string, text: string): void
  /** Ends the connection of a host; without a key it does not come back. */
  drop(host: string): void
  /** Throws unavailable when the host is not connected or does not answer in time. */
  ask(host: string, question: unknown, timeoutMs?: number): Promise<unknown>
  close(): Promise<void>
}

type Waiting = { resolve(value: unknown): void; reject(error: Error): void }

const maxBody = 8 << 20

/**
 * The controllers' side of the one connection a host holds: calls and streams over HTTP (`POST /call/NAME`, `GET /stream/NAME/ID`),
 * hints and questions over a WebSocket that the host opens (`/hints`).
 */
export async function openLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const { port, bind, tls, calls, streams, joins = {}, log } = options
  const sockets = new Map<string, WebSocket>()
  const waiting = new Map<string, Waiting>()

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const [, kind = '', name = '', id = ''] = (request.url ?? '').split('?')[0]!.split('/').map(decodeURIComponent)
    const join = kind === 'join' ? joins[name] : undefined
    if (join) return send(response, 200, { value: await join(named(request), (await readBody(request)) as never) })
    const host = await authenticated(request, options)
    if (host === undefined) return send(response, 401, { kind: 'forbidden', message: 'The key of this link is another one.' })
    const stream = kind === 'stream' ? streams[name] : undefined
    if (stream) {
      const bytes = await stream(host, id)
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      return pipeline(Readable.from(bytes, { objectMode: false }), response)
    }
    const call = kind === 'call' ? calls[name] : undefined
    if (!call) throw new Problem('not-found', `The link knows no ${kind} ${name}.`)
    const asked = await readBody(request)
    send(response, 200, { value: await call(host, asked as never) })
  }

  const listener: RequestListener = (request, response) => {
    const given = request.headers['x-openstack-request-id']
    void withContext({ requestId: typeof given === 'string' ? given : requestId() }, () => answer(request, response)).catch(
      (error) => {
        const problem = isProblem(error) ? error : new Problem('internal', 'The controller failed; its log says more.')
        if (!isProblem(error)) log.error({ url: request.url, error: explainError(error) }, 'link call failed')
        if (response.headersSent) response.destroy()
        else send(response, problem.kind === 'not-found' ? 404 : 500, { kind: problem.kind, message: problem.message })
      },
    )
  }
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.privateKey }, listener) : createServer(listener)

  // Longer than clients keep an idle connection: it is theirs to close, else a call may meet ours closing.
  server.keepAliveTimeout = 120_000
  const web = new WebSocketServer({ noServer: true, maxPayload: maxBody })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    void authenticated(request, options).then(
      (host) => {
        if (host === undefined) return socket.destroy()
        web.handleUpgrade(request, socket, head, (opened) => join(host, opened))
      },
      () => socket.destroy(),
    )
  })
  const join = (host: string, socket: WebSocket) => {
    sockets.get(host)?.terminate()
    sockets.set(host, socket)
    log.info({ host }, 'host connected')
    const beat = setInterval(() => socket.ping(), 15_000)
    socket.on('message', (data) => hear(String(data)))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(beat)
      if (sockets.get(host) !== socket) return
      sockets.delete(host)
      log.info({ host }, 'host disconnected')
    })
  }
  const hear = (text: string) => {
    const { answer: id, value, error } = JSON.parse(text) as { answer: string; value?: unknown; error?: string }
    const one = waiting.get(id)
    if (!one) return
    if (error === undefined) one.resolve(value)
    else one.reject(new Problem('unavailable', error))
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, bind, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    hosts: () => [...sockets.keys()],
    hint: (host, text) => sockets.get(host)?.send(JSON.stringify({ hint: text })),
    drop: (host) => sockets.get(host)?.terminate(),
    async ask(host, question, timeoutMs = 10_000) {
      const socket = sockets.get(host)
      if (!socket) throw new Problem('unavailable', `The host ${host} is not connected.`)
      const id = uuid()
      let timer: NodeJS.Timeout | undefined
      try {
        return await new Promise((resolve, reject) => {
          waiting.set(id, { resolve, reject })
          timer = setTimeout(() => reject(new Problem('unavailable', `The host ${host} did not answer.`)), timeoutMs)
          socket.send(JSON.stringify({ ask: id, question }))
        })
      } finally {
        clearTimeout(timer)
        waiting.delete(id)
      }
    },
    async close() {
      for (const socket of sockets.values()) socket.terminate()
      web.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const named = (request: IncomingMessage) => String(request.headers['x-host'] ?? '')

/** Name of the host (empty: an operator's tool); undefined when the key is wrong. */
async function authenticated(request: IncomingMessage, { key, isHostKey }: LinkServerOptions): Promise<string | undefined> {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const host = named(request)
  if (timingSafeEqual(digest(given), digest(key))) return host
  return host !== '' && given !== '' && (await isHostKey?.(host, given)) ? host : undefined
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new Problem('too-large', 'The message is too large.')
    chunks.push(chunk)
  }
  return size === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
