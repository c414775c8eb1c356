import { createWriteStream } from 'node:fs'
import { chown, rename } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { drop } from './files.ts'
import type { Place } from './place.ts'
import type { Monitor } from './qmp/commands.ts'

/** Under this number QEMU is given saved memory, open for reading. */
export const incomingFd = 3

/**
 * Saves a guest's memory and stops it; from the moment the file has its final name, the guest is suspended. QEMU sends it to us, because
 * it runs as a user who can open no file here, and may start no program that would write for it. When we die, it goes on paused.
 */
export async function saveMemory(monitor: Monitor, place: Place, owner: number | undefined): Promise<void> {
  // An earlier attempt that died between sending and keeping left disks that only `cont` takes up again.
  if ((await monitor.runState()) === 'postmigrate') await monitor.cont()
  await monitor.stop()
  await monitor.migrateFast()
  const memory = await receiver(place, owner)
  try {
    // By its working directory QEMU reaches the socket, whatever folders above it are closed to its user.
    await monitor.migrate(`unix:${basename(place.memorySocket)}`)
    await Promise.all([memory.received, moved(monitor)])
  } finally {
    await memory.close()
  }
  await rename(place.memoryPart, place.memory)
}

type Receiver = { received: Promise<void>; close(): Promise<void> }

/** Takes what one QEMU sends. */
async function receiver({ memorySocket, memoryPart }: Place, owner: number | undefined): Promise<Receiver> {
  await drop(memorySocket)
  let socket: Socket | undefined
  const server = createServer()
  const received = new Promise<Socket>((resolve) => server.once('connection', resolve)).then((arrived) => {
    socket = arrived
    return pipeline(arrived, createWriteStream(memoryPart, { mode: 0o600, flush: true }))
  })
  // Whoever waits hears it; nobody waits when the migration could not even begin.
  received.catch(() => {})
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(memorySocket, resolve))
  if (owner !== undefined) await chown(memorySocket, owner, owner)
  return {
    received,
    async close() {
      server.close()
      socket?.destroy()
      await drop(memorySocket)
    },
  }
}

/** Waits until a QEMU that was started with saved memory has read it. */
export const memoryLoaded = (monitor: Monitor): Promise<void> => moved(monitor)

/** MigrationStatus of QEMU's qapi/migration.json, those before an end. */
const underWay = new Set(['setup', 'active', 'device', 'pre-switchover', 'wait-unplug'])
/** Bounds a guest of many GiB on a slow disk. */
const patienceMs = 15 * 60_000

async function moved(monitor: Monitor): Promise<void> {
  const until = performance.now() + patienceMs
  while (performance.now() < until) {
    const { status, error } = await monitor.migration()
    if (status === 'completed') return
    if (status !== undefined && !underWay.has(status)) throw new Error(`memory did not move: ${error ?? status}`)
    await delay(10)
  }
  throw new Error('memory took too long to move')
}
