import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { explainError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { ControllerLink, MetadataReply } from '../document.ts'

export const metadataIp = '169.254.169.254'

/** Where requests arrived. */
export type MetadataPlace = { networkId: string | undefined; routerId: string | undefined }

export type MetadataDoor = {
  /** Takes a guest's connection that arrived in this place. */
  receive(place: MetadataPlace): (socket: Socket) => void
  close(): void
}

/** A guest may keep so many connections open; a hostile one gets no more of our memory. */
const connectionsPerGuest = 16
const lifeMs = 60_000

const unavailable: MetadataReply = {
  status: 503,
  contentType: 'text/plain; charset=UTF-8',
  body: 'The metadata service does not answer.',
}

/** `::ffff:10.0.0.3` is what a socket of both families calls 10.0.0.3. */
const plain = (ip: string) => ip.replace(/^::ffff:/, '')

/**
 * Hands guests' requests to a controller. Who asks is told by the namespace and the address the connection came from, both of which
 * anti-spoofing vouches for; of the request itself only method and path are passed on, so that no header a guest sends can be believed.
 */
export function openMetadataDoor({ link, log }: { link: Pick<ControllerLink, 'metadata'>; log: Log }): MetadataDoor {
  const places = new WeakMap<Socket, MetadataPlace>()
  const open = new Map<string, number>()

  const ask = async (request: IncomingMessage): Promise<MetadataReply> => {
    const place = places.get(request.socket)
    const ip = plain(request.socket.remoteAddress ?? '')
    if (!place) return unavailable
    try {
      return await link.metadata({ ...place, ip, method: request.method ?? 'GET', path: request.url ?? '/' })
    } catch (error) {
      log.warn({ ...place, ip, error: explainError(error) }, 'metadata not answered')
      return unavailable
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    const { status, contentType, body, encoding = 'utf8' } = await ask(request)
    const bytes = Buffer.from(body, encoding)
    response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }

  // It never listens itself, so its own time limits do not work: a connection's whole life is limited instead.
  const server = createServer({ maxHeaderSize: 8192 }, (request, response) => void answer(request, response))
  const sockets = new Set<Socket>()

  const count = (from: string, by: number) => {
    const now = (open.get(from) ?? 0) + by
    if (now > 0) open.set(from, now)
    else open.delete(from)
  }

  return {
    receive: (place) => (socket) => {
      const from = `${place.networkId ?? place.routerId} ${plain(socket.remoteAddress ?? '')}`
      if ((open.get(from) ?? 0) >= connectionsPerGuest) return void socket.destroy()
      const end = setTimeout(() => socket.destroy(), lifeMs)
      count(from, 1)
      sockets.add(socket)
      socket.once('close', () => {
        clearTimeout(end)
        count(from, -1)
        sockets.delete(socket)
      })
      places.set(socket, place)
      server.emit('connection', socket)
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
