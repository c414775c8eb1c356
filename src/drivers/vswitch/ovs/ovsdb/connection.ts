import { createConnection, type Socket } from 'node:net'
import { jsonSplitter } from './framing.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export type Connection = {
  /** Asks and waits for the answer. Throws what the server calls an error, and when the connection ends or nothing comes for 10 s. */
  request(method: string, params: Json[]): Promise<Json>
  readonly closed: boolean
  close(): void
}

export type ConnectionOptions = {
  path: string
  /** The server tells something unasked, e.g. `update` of a monitor. */
  notified(method: string, params: Json): void
  /** The connection ended, whoever ended it. */
  ended(): void
}

type Message = { id?: Json; method?: string; params?: Json; result?: Json; error?: Json }
type Waiting = { resolve(result: Json): void; reject(error: Error): void; timer: NodeJS.Timeout }

const answerMs = 10_000

/** A JSON-RPC 1.0 connection to an OVSDB server over its unix socket (RFC 7047). */
export async function connectOvsdb({ path, notified, ended }: ConnectionOptions): Promise<Connection> {
  const socket = await dial(path)
  const waiting = new Map<number, Waiting>()
  const split = jsonSplitter()
  let next = 1
  let closed = false

  const send = (message: Message) => void socket.write(JSON.stringify(message))
  const settle = (id: number, message: Message) => {
    const one = waiting.get(id)
    if (!one) return
    waiting.delete(id)
    clearTimeout(one.timer)
    if (message.error === null || message.error === undefined) one.resolve(message.result ?? null)
    else one.reject(new Error(`OVSDB: ${JSON.stringify(message.error)}`))
  }
  const receive = (message: Message) => {
    // The server drops who does not echo.
    if (message.method === 'echo') send({ id: message.id ?? null, result: message.params ?? [], error: null })
    else if (message.method !== undefined) notified(message.method, message.params ?? null)
    else settle(Number(message.id), message)
  }
  const end = (error?: Error) => {
    if (closed) return
    closed = true
    socket.destroy()
    for (const id of [...waiting.keys()]) settle(id, { error: error?.message ?? 'the connection ended' })
    ended()
  }

  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    try {
      for (const text of split(chunk)) receive(JSON.parse(text) as Message)
    } catch (error) {
      end(error as Error)
    }
  })
  socket.on('error', end)
  socket.on('close', () => end())

  return {
    request(method, params) {
      if (closed) return Promise.reject(new Error('OVSDB: the connection ended'))
      return new Promise((resolve, reject) => {
        const id = next++
        const timer = setTimeout(() => settle(id, { error: `no answer to ${method}` }), answerMs)
        waiting.set(id, { resolve, reject, timer })
        send({ id, method, params })
      })
    },
    get closed() {
      return closed
    },
    close: () => end(),
  }
}

const dial = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
