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

/** Whether a host shows the key it showed before, to root's ssh or to us; a host never seen is taken at its word, once. */
export async function isKnownHost(
  place: Place,
  address: string,
  { type, data }: HostKey,
  { remember, note }: { remember: boolean; note: (text: string) => void },
): Promise<boolean> {
  const texts = await Promise.all([readText(join(place.home, '.ssh/known_hosts')), readText(place.knownHosts)])
  const keys = texts.flatMap((text) => keysIn(text, address, type))
  if (keys.length > 0 && !keys.includes(data)) {
    note(
      `${address} shows another host key than before: if it was installed anew, remove its line from ${place.knownHosts} and ~/.ssh/known_hosts`,
    )
    return false
  }
  if (keys.length === 0 && remember) {
    await mkdir(dirname(place.knownHosts), { recursive: true })
    await appendFile(place.knownHosts, `${address} ${type} ${data}\n`, { mode: 0o644 })
  }
  return true
}
