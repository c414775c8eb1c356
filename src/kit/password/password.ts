import { hash, verify } from '@node-rs/argon2'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { openTurnstile } from '../turnstile.ts'

/** Hashes of passwords: argon2id (RFC 9106), on libuv's threads. Those of bcrypt, which came from another cloud, are still known. */
export type Passwords = {
  /** Throws unavailable when too many are waiting already. */
  hash(password: string): Promise<string>
  /** False for a wrong password. No hash (nobody of that name): false as well, after the same work. */
  matches(password: string, hash: string | undefined): Promise<boolean>
  /** Whether the hash should be made anew, now that its password is known. */
  isOutdated(hash: string): boolean
}

const isBcrypt = (hash: string): boolean => /^\$2[aby]\$/.test(hash)

/** bcrypt looks at no more than 72 bytes; who made the hash cut longer passwords off there. */
const verifyAny = (known: string, password: string): Promise<boolean> =>
  isBcrypt(known) ? verifyBcrypt(Buffer.from(password).subarray(0, 72), known) : verify(known, password)

/** 19 MiB and two passes: OWASP's first recommendation, about 30 ms. `weak` costs next to nothing: for tests only. */
const costs = {
  strong: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
  weak: { memoryCost: 8, timeCost: 1, parallelism: 1 },
}

/** At most `parallel` hashes at a time, so that logins leave threads to files and other logins their memory; at most `waiting` in the queue. */
export function openPasswords(strength: 'strong' | 'weak', parallel = 2, waiting = 500): Passwords {
  const options = costs[strength]
  const inTurn = openTurnstile(parallel, waiting, 'Too many logins are waiting. Try again later.')
  let decoy: Promise<string> | undefined
  return {
    hash: (password) => inTurn(() => hash(password, options)),
    async matches(password, known) {
      decoy ??= hash('nobody has this password', options)
      const fake = await decoy
      const right = await inTurn(() => verifyAny(known || fake, password).catch(() => false))
      return right && !!known
    },
    isOutdated: isBcrypt,
  }
}
