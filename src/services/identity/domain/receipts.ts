import { createHash } from 'node:crypto'
import { type Clock, minute } from '../../../kit/clock.ts'
import { openFernet, sealFernet } from './fernet.ts'
import type { Keys } from './keys.ts'
import { pack, unpack } from './msgpack.ts'
import { packId, packMethods, unpackId, unpackMethods } from './payload.ts'
import type { Store } from './store.ts'

/** Says which methods of logging in somebody has passed already, when rules ask for more. Never stored; no token. */
export type Receipt = { userId: string; methods: string[]; issuedAt: number; expiresAt: number; generation: number }

export type Receipts = {
  seal(receipt: Omit<Receipt, 'issuedAt' | 'expiresAt'>): Promise<Receipt & { text: string }>
  /** Undefined: not one of ours, or too old. */
  open(text: string): Promise<Receipt | undefined>
}

const lifeMicros = 5 * minute

export function openReceipts(keys: Keys, clock: Clock): Receipts {
  // Keys of their own, so that no receipt is ever taken for a token, nor a token for a receipt.
  const own = async () => (await keys.all()).map((key) => createHash('sha256').update('receipt').update(key).digest())
  return {
    async seal({ userId, methods, generation }) {
      const issuedAt = clock.now()
      const expiresAt = issuedAt + lifeMicros
      const content = pack([packId(userId), packMethods(methods), issuedAt, expiresAt, generation])
      const text = sealFernet((await own())[0]!, content, Math.floor(issuedAt / 1e6))
      return { userId, methods, generation, issuedAt, expiresAt, text }
    },
    async open(text) {
      const opened = openFernet(await own(), text)
      if (!opened) return undefined
      const [user, bits, issuedAt, expiresAt, generation] = unpack(opened.content) as [
        Parameters<typeof unpackId>[0],
        number,
        number,
        number,
        number,
      ]
      if (expiresAt <= clock.now()) return undefined
      return { userId: unpackId(user), methods: unpackMethods(bits), issuedAt, expiresAt, generation }
    },
  }
}

/** What voided the tokens of a login that began then voids its receipt. */
export async function isVoid({ read }: Store, { userId, generation }: Receipt): Promise<boolean> {
  const found = await read
    .selectFrom('identity_revocation')
    .select('id')
    .where('generation', '>', generation)
    .where('user_id', '=', userId)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}
