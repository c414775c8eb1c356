import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import WebSocket from 'ws'
import { context, withContext } from '../context.ts'
import { explainError, Problem, type ProblemKind } from '../errors.ts'
import { requestId } from '../ids.ts'
import type { Log } from '../log.ts'

export type LinkClientOptions = {
  /** `https://controller:8781` */
  url: string
  /** PEM of the controller's own certificate: no other is believed, whatever name it has. */
  certificate?: string
  key: string
  /** Name of this host; empty for an operator's tool. */
  host: string
  log: Log
}

export type LinkClient = {
  /** Throws the Problem the controller threw, or unavailable when it is not reached. */
  call(name: string, ask?: unknown): Promise<unknown>
  stream(name: string, id: string): Promise<AsyncIterable<Uint8Array>>
  /** What a host without a key may call. */
  join(name: string, ask: unknown): Promise<unknown>
  /** Holds the connection for hints and questions, and opens it again when it is lost, until closed. */
  listen(hear: { hint(text: string): void; ask(question: unknown): Promise<unknown>; connected(): void }): void
  close(): void
}

export function openLinkClient({ url, certificate, key, host, log }: LinkClientOptions): LinkClient {
  const headers = () => ({
    authorization: `Bearer ${key}`,
    'x-host': host,
    'x-openstack-request-id': context().requestId ?? requestId(),
  })
  // The certificate is known itself, so its name says nothing more.
  const tls = certificate === undefined ? {} : { ca: certificate, checkServerIdentity: () => undefined }
  const isTls = url.startsWith('https:')
  const agent = isTls
    ? new HttpsAgent({ keepAlive: true, timeout: 60_000, ...tls })
    : new HttpAgent({ keepAlive: true, timeout: 60_000 })
  let socket: WebSocket | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const send = (path: string, body: string | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST'
      const start = isTls ? httpsRequest : httpRequest
      start(`${url}${path}`, { method, agent, headers: { ...headers(), 'content-type': 'application/json' } })
        .once('response', resolve)
        .once('error', reject)
        .end(body)
    })

  const request = async (path: string, body?: string): Promise<IncomingMessage> => {
    const answer = await send(path, body).catch((error) => {
      throw new Problem('unavailable', 'No controller answers.', { cause: error })
    })
    const status = answer.statusCode ?? 500
    if (status < 300) return answer
    const { kind = 'internal', message = '' } = (await readJson(answer).catch(() => ({}))) as {
      kind?: ProblemKind
      message?: string
    }
    throw new Problem(kind, message || `The controller answered ${status}.`)
  }
  const post = async (path: string, ask: unknown) =>
    ((await readJson(await request(path, JSON.stringify(ask ?? null)))) as { value?: unknown }).value

  const listen: LinkClient['listen'] = (hear) => {
    if (closed) return
    const opened = new WebSocket(`${url.replace(/^http/, 'ws')}/hints`, { headers: headers(), ...tls })
    socket = opened
    // A connection that says nothing for so long is dead, whatever TCP believes: the server pings each 15 s.
    let alive = setTimeout(() => opened.terminate(), 45_000)
    const beat = () => {
      clearTimeout(alive)
      alive = setTimeout(() => opened.terminate(), 45_000)
    }
    opened.on('open', hear.connected)
    opened.on('ping', beat)
    opened.on('message', (data) => {
      beat()
      void hearOne(JSON.parse(String(data)))
    })
    opened.on('error', (error) => log.debug({ error: explainError(error) }, 'link'))
    opened.on('close', () => {
      clearTimeout(alive)
      if (!closed) timer = setTimeout(() => listen(hear), 500 + Math.random() * 500)
    })
    const hearOne = async (said: { hint?: string; ask?: string; question?: unknown }) => {
      if (said.hint !== undefined) return hear.hint(said.hint)
      if (said.ask === undefined) return
      const reply = await withContext({ requestId: requestId() }, () => hear.ask(said.question)).then(
        (value) => ({ answer: said.ask, value }),
        (error) => ({
          answer: said.ask,
          error: error instanceof Problem ? error.message : 'The host failed; its log says more.',
        }),
      )
      opened.send(JSON.stringify(reply))
    }
  }

  return {
    call: (name, ask) => post(`/call/${encodeURIComponent(name)}`, ask),
    join: (name, ask) => post(`/join/${encodeURIComponent(name)}`, ask),
    stream: (name, id) => request(`/stream/${encodeURIComponent(name)}/${encodeURIComponent(id)}`),
    listen,
    close() {
      closed = true
      clearTimeout(timer)
      socket?.terminate()
      agent.destroy()
    },
  }
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}
