import { appendFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readText } from '../files.ts'
import type { Place } from '../place.ts'

export type HostKey = { type: string; data: string }

/** Lines of known_hosts(5) that are not hashed: of a host, the keys of a type. */
const keysIn = (text: string | undefined, address: string, type: string): string[] =>
  (text ?? '').split('\n').flatMap((line) => {
    const [names = '', kind, data] = line.split(' ')
    return kind === type && data !== undefined && names.split(',').includes(address) ? [data] : []
  })

/** Whether a host shows the key it showed before, to root's ssh or to us; `new`: it was never seen, and is taken at its word once. */
export async function lookUpKey(place: Place, address: string, { type, data }: HostKey): Promise<'known' | 'new' | 'other'> {
  const texts = await Promise.all([readText(join(place.home, '.ssh/known_hosts')), readText(place.knownHosts)])
  const keys = texts.flatMap((text) => keysIn(text, address, type))
  return keys.length === 0 ? 'new' : keys.includes(data) ? 'known' : 'other'
}

export async function rememberKey(place: Place, address: string, { type, data }: HostKey): Promise<void> {
  await mkdir(dirname(place.knownHosts), { recursive: true })
  await appendFile(place.knownHosts, `${address} ${type} ${data}\n`, { mode: 0o644 })
}
