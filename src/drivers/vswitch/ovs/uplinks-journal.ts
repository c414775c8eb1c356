import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Holding } from './uplinks-holding.ts'
import type { Proof } from './uplinks-proof.ts'

/**
 * A card that we put into a bridge. `moving`: whether what it had works from the bridge is not known yet; `moved`: it does; `returning`: it goes back to the card.
 */
export type Entry = {
  nic: string
  bridge: string
  step: 'moving' | 'moved' | 'returning'
  /** What the bridge's own device has of the card's. */
  holding: Holding
  proofs: Proof[]
  mac: string
  mtu: number
  /** Of the host: what an earlier start of it had moved is gone, and the distribution has addressed the card anew. */
  boot: string
  /** It was not in the bridge before. */
  joined: boolean
  /** Nobody asked for it: tunnels need it. */
  isUnderlay?: boolean
}

/** What was moved, by card: on disk before anything is moved, so that whoever comes after a kill ends it or takes it back. */
export type Journal = {
  all(): Promise<Entry[]>
  put(entry: Entry): Promise<void>
  drop(nic: string): Promise<void>
}

/** Another one after each start of the host. */
export const readBoot = async (): Promise<string> => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

export const journalFile = (stateDir: string): string => join(stateDir, 'uplinks.json')

export function openJournal(stateDir: string): Journal {
  const file = journalFile(stateDir)
  const all = async (): Promise<Entry[]> => {
    const text = await readFile(file, 'utf8').catch(() => '[]')
    return JSON.parse(text) as Entry[]
  }
  const write = async (entries: Entry[]) => {
    await mkdir(dirname(file), { recursive: true })
    const handle = await open(`${file}.new`, 'w', 0o644)
    await handle.writeFile(`${JSON.stringify(entries)}\n`)
    // A host that loses power in the middle must find it.
    await handle.sync()
    await handle.close()
    await rename(`${file}.new`, file)
  }
  const without = async (nic: string) => (await all()).filter((entry) => entry.nic !== nic)
  return {
    all,
    put: async (entry) => write([...(await without(entry.nic)), entry]),
    drop: async (nic) => write(await without(nic)),
  }
}
