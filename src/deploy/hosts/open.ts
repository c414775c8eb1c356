import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { explainError } from '../../kit/errors.ts'
import { exists, readText, write } from '../files.ts'
import type { Place } from '../place.ts'
import type { Asker } from '../questions.ts'
import { type HostKey, lookUpKey } from './known.ts'
import { lookAtHost, type Seen } from './look.ts'
import { openShell, quoted, type Shell } from './ssh.ts'

export type OpenHost = {
  address: string
  shell: Shell
  seen: Seen
  /** The key it showed, when it was never seen before. */
  newKey?: HostKey
  /** Whether a password opened it: no key of ours does yet. */
  usedPassword: boolean
}
export type Unreached = { address: string; why: string }

export type OpenNeeds = {
  place: Place
  /** Public key that is put on every host; empty: the first of root's, or a new one. */
  sshKey: string
  /** Undefined: nobody is there to be asked. */
  asker: Asker | undefined
}

const keyNames = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/** Opens all hosts at once and looks at them. Passwords are asked one after the other. */
export async function openHosts(
  addresses: readonly string[],
  needs: OpenNeeds,
): Promise<{ open: OpenHost[]; unreached: Unreached[] }> {
  const oneAtATime = queue()
  const found = await Promise.all(
    addresses.map((address) =>
      openOne(address, needs, oneAtATime).catch((error): Unreached => ({ address, why: explainError(error) })),
    ),
  )
  return {
    open: found.filter((one) => 'shell' in one),
    unreached: found.filter((one) => 'why' in one),
  }
}

type Queue = <Value>(run: () => Promise<Value>) => Promise<Value>

function queue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run, run)
    last = mine
    return mine
  }
}

async function openOne(address: string, needs: OpenNeeds, oneAtATime: Queue): Promise<OpenHost> {
  const { place, sshKey, asker } = needs
  const keyFiles = [
    ...(sshKey === '' ? [] : [sshKey.replace(/\.pub$/, '')]),
    ...keyNames.map((name) => join(place.home, '.ssh', name)),
  ]
  let newKey: HostKey | undefined
  let isOther = false
  const { shell, usedPassword } = await openShell({
    address,
    user: 'root',
    keyFiles: [...new Set(keyFiles)],
    async isKnown(key) {
      const found = await lookUpKey(place, address, key)
      if (found === 'new') newKey = key
      isOther = found === 'other'
      return !isOther
    },
    ...(asker && { password: () => oneAtATime(() => asker.secret(`root@${address}'s password: `)) }),
  }).catch((error) => {
    if (!isOther) throw error
    throw new Error(
      `${address}: it shows another host key than before; if it was installed anew, remove its line from ${place.knownHosts} and ~/.ssh/known_hosts`,
    )
  })
  return { address, shell, seen: await lookAtHost(shell, place), usedPassword, ...(newKey && { newKey }) }
}

/** Puts the public key that was asked for, else root's first or a new one, on hosts that only a password opened; one that was asked for, on all. */
export async function letKeyIn(hosts: readonly OpenHost[], place: Place, sshKey: string): Promise<void> {
  const closed = hosts.filter(({ usedPassword }) => usedPassword || sshKey !== '')
  if (closed.length === 0) return
  const key = sshKey === '' ? await ownKey(place) : (await readFile(sshKey, 'utf8')).trim()
  const file = '/root/.ssh/authorized_keys'
  const command = `umask 077; mkdir -p /root/.ssh; grep -qxF ${quoted(key)} ${file} 2>/dev/null || printf '%s\\n' ${quoted(key)} >>${file}`
  await Promise.all(closed.map(({ shell }) => shell.run(command)))
}

async function ownKey(place: Place): Promise<string> {
  const files = keyNames.map((name) => join(place.home, '.ssh', `${name}.pub`))
  for (const file of files) if (await exists(file)) return ((await readText(file)) ?? '').trim()
  // Not ed25519: of those that ssh2 1.17.0 makes, one in about eighty cannot be read, not even by itself.
  const made = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
  const file = join(place.home, '.ssh/id_ecdsa')
  await write({ path: file, text: made.private, mode: 0o600 })
  await write({ path: `${file}.pub`, text: `${made.public}\n`, mode: 0o644 })
  return made.public
}
