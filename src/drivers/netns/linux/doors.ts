import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export type Door = { ip: string; port: number }

export type Doors = {
  open(namespace: string, at: Door, connected: (socket: Socket) => void): Promise<void>
  shut(namespace: string): Promise<void>
  close(): Promise<void>
}

type Opened = { inode: number; at: Door; server: Server; connected: (socket: Socket) => void }

const startMs = 20_000
const program = fileURLToPath(new URL('./listen-inside.ts', import.meta.url))

/** Listening sockets inside namespaces, held by this process. */
export function openDoors(folder = '/run/netns'): Doors {
  const doors = new Map<string, Opened>()

  const shut = async (namespace: string) => {
    const door = doors.get(namespace)
    doors.delete(namespace)
    // An open socket keeps a deleted namespace alive.
    await new Promise<void>((resolve) => (door ? door.server.close(() => resolve()) : resolve()))
  }

  return {
    async open(namespace, at, connected) {
      const inode = (await stat(`${folder}/${namespace}`)).ino
      const old = doors.get(namespace)
      if (old && old.inode === inode && old.at.ip === at.ip && old.at.port === at.port) {
        old.connected = connected
        return
      }
      if (old) void shut(namespace)
      const server = await listenInside(namespace, at)
      const door: Opened = { inode, at, server, connected }
      server.on('connection', (socket) => door.connected(socket))
      doors.set(namespace, door)
    },
    shut: async (namespace) => void (await Promise.race([shut(namespace), nextTurn()])),
    async close() {
      for (const namespace of [...doors.keys()]) void shut(namespace)
    },
  }
}

/** The listening socket is closed at once; connections that are still open end by themselves. */
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Lives longer than a program of kit/exec is told about: it speaks by messages and hands over a socket. */
function listenInside(namespace: string, { ip, port }: Door): Promise<Server> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, program, ip, String(port)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-600)
    })
    const fail = (why: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`no listening socket in ${namespace}: ${why}`))
    }
    const timer = setTimeout(() => fail(`nothing for ${startMs} ms`), startMs)
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code) => fail(`ended with ${code}: ${said.trim()}`))
    child.on('message', (message: { error?: string }, handle) => {
      if (message.error !== undefined || !handle) return fail(message.error ?? 'no socket came')
      clearTimeout(timer)
      child.send('thanks', () => {})
      resolve(handle as Server)
    })
  })
}
