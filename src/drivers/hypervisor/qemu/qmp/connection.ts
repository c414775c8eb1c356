import { createConnection, type Socket } from 'node:net'
import { lineSplitter } from './framing.ts'

export type QmpEvent = { event: string; data: Record<string, unknown> }

export type QmpConnection = {
  /** Gives what `return` holds. Throws QmpError when QEMU refuses; another error when the connection ends or no answer comes in time. */
  execute(command: string, args?: Record<string, unknown>, timeoutMs?: number): Promise<unknown>
  readonly closed: boolean
  close(): void
}

export type QmpOptions = {
  path: string
  /** For the greeting and each answer. Default 3000. */
  timeoutMs?: number
  heard?(event: QmpEvent): void
  /** The connection ended, whoever ended it. */
  ended?(): void
}

/** QEMU understood and refused. `kind` is its error class, mostly `GenericError`. */
export class QmpError extends Error {
  readonly kind: string

  constructor(command: string, kind: string, description: string) {
    super(`${command}: ${description}`)
    this.name = 'QmpError'
    this.kind = kind
  }
}

/** For `catch`: that QEMU refuses is an answer, any other error is not. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof QmpError)) throw error
}

type Message = {
  QMP?: unknown
  id?: number
  return?: unknown
  error?: { class: string; desc: string }
  event?: string
  data?: Record<string, unknown>
}
type Waiting = { command: string; resolve(value: unknown): void; reject(error: Error): void; timer: NodeJS.Timeout }

/** A connection to QEMU's monitor (QEMU Machine Protocol), past its greeting. QEMU serves one client per socket. */
export async function connectQmp({ path, timeoutMs = 3000, heard, ended }: QmpOptions): Promise<QmpConnection> {
  const socket = await dial(path, timeoutMs)
  const waiting = new Map<number, Waiting>()
  const split = lineSplitter()
  let next = 1
  let closed = false

  const take = (id: number): Waiting | undefined => {
    const one = waiting.get(id)
    waiting.delete(id)
    clearTimeout(one?.timer)
    return one
  }
  const receive = (message: Message) => {
    if (message.event !== undefined) return heard?.({ event: message.event, data: message.data ?? {} })
    const one = message.id === undefined ? undefined : take(message.id)
    if (!one) return
    if (message.error) one.reject(new QmpError(one.command, message.error.class, message.error.desc))
    else one.resolve(message.return)
  }
  const end = (error?: Error) => {
    if (closed) return
    closed = true
    socket.destroy()
    for (const id of [...waiting.keys()]) take(id)?.reject(error ?? new Error('QMP: the connection ended'))
    ended?.()
  }
  const execute = (command: string, args?: Record<string, unknown>, limitMs = timeoutMs): Promise<unknown> => {
    if (closed) return Promise.reject(new Error('QMP: the connection ended'))
    return new Promise((resolve, reject) => {
      const id = next++
      const timer = setTimeout(() => take(id)?.reject(new Error(`QMP: no answer to ${command} in ${limitMs} ms`)), limitMs)
      waiting.set(id, { command, resolve, reject, timer })
      socket.write(`${JSON.stringify({ execute: command, id, ...(args && { arguments: args }) })}\n`)
    })
  }

  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    try {
      for (const line of split(chunk)) receive(JSON.parse(line) as Message)
    } catch (error) {
      end(error as Error)
    }
  })
  socket.on('error', end)
  socket.on('close', () => end())
  try {
    // QEMU greets first, but takes commands at once: what it does not answer shows as an answer that never comes.
    await execute('qmp_capabilities')
  } catch (error) {
    end()
    throw error
  }
  return {
    execute,
    get closed() {
      return closed
    },
    close: () => end(),
  }
}

const dial = (path: string, timeoutMs: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    const timer = setTimeout(() => socket.destroy(new Error(`QMP: ${path} does not answer`)), timeoutMs)
    const settle = () => clearTimeout(timer)
    socket.once('error', (error) => {
      settle()
      reject(error)
    })
    socket.once('connect', () => {
      settle()
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
