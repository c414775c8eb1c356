import { connect, type Socket } from 'node:net'

export type Answer = { status: number; body: string; headers: string }

export type Connection = {
  ask(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Answer>
  close(): void
}

/**
 * One kept-alive HTTP connection, one request at a time. Much cheaper than fetch: on a machine that is both client and server the client must not be what is measured.
 * Answers must carry a content-length (ours do).
 */
export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined
  let text = ''
  const take = () => {
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = text.slice(0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (text.length < end + 4 + length) return
    const body = text.slice(end + 4, end + 4 + length)
    text = text.slice(end + 4 + length)
    waiting?.resolve({ status: Number(head.slice(9, 12)), body, headers: head })
  }
  // latin1: one character a byte, so that content-length counts characters.
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    take()
  })
  socket.on('close', () => waiting?.reject(new Error('the connection was closed')))
  socket.on('error', () => {})
  return {
    ask: (method, path, headers = {}, body = '') =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        const lines = Object.entries({ host: hostname, ...headers, 'content-length': String(Buffer.byteLength(body)) })
        socket.write(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
      }),
    close: () => socket.destroy(),
  }
}

export type Figure = { count: number; seconds: number; perSecond: number; p50Ms: number; p95Ms: number }

/** Runs so many at once until `count` are done. */
export async function measure(
  count: number,
  connections: Connection[],
  run: (connection: Connection, n: number) => Promise<void>,
): Promise<Figure> {
  const times: number[] = []
  let next = 0
  const began = performance.now()
  const loop = async (connection: Connection) => {
    while (next < count) {
      const mine = next++
      const started = performance.now()
      await run(connection, mine)
      times.push(performance.now() - started)
    }
  }
  await Promise.all(connections.map(loop))
  const seconds = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  return { count, seconds, perSecond: count / seconds, p50Ms: at(0.5), p95Ms: at(0.95) }
}
