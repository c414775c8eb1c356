import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { Problem } from '../../../../kit/errors.ts'
import { ifMissing } from '../files.ts'
import type { Place } from '../place.ts'
import { numbersOf } from '../start.ts'
import { keyName, wordBytes } from './word.ts'

/** libvirt's ports for guests on their way: firewalls that let those through let ours through. */
const firstPort = 49_152
const portCount = 64

/** Two ports nobody has now. QEMU does not tell which one it took, so it is told. */
export async function freePorts(address: string): Promise<[number, number]> {
  const found: number[] = []
  const begin = Math.floor(Math.random() * portCount)
  for (let n = 0; n < portCount && found.length < 2; n++) {
    const port = firstPort + ((begin + n) % portCount)
    if (await isFree(address, port)) found.push(port)
  }
  const [one, two] = found
  if (one === undefined || two === undefined)
    throw new Problem('unavailable', 'As many guests as can at once are on their way to this host.')
  return [one, two]
}

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })

/** What QEMU's user reads of a move: the key, and, at the destination, the word that is not said yet. */
export async function writeMoveFiles(
  { moveDir, moveKey, moveWord }: Place,
  key: string,
  owner: string | undefined,
): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(key)) throw new Problem('invalid', 'The key of the move is not 32 bytes in hexadecimal digits.')
  await rm(moveDir, { recursive: true, force: true })
  await mkdir(moveDir, { mode: 0o711 })
  await writeFile(moveKey, `${keyName}:${key}\n`, { mode: 0o400 })
  await writeFile(moveWord, Buffer.alloc(wordBytes), { mode: 0o600 })
  if (owner === undefined) return
  for (const path of [moveKey, moveWord]) await chown(path, ...numbersOf(owner))
}

export const dropMoveFiles = ({ moveDir }: Place): Promise<void> => rm(moveDir, { recursive: true, force: true })

/** The source has left. */
export const isWordSaid = async ({ moveWord }: Place): Promise<boolean> => (await readFile(moveWord).catch(ifMissing))?.[0] === 1
