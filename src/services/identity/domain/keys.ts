import type { Clock } from '../../../kit/clock.ts'
import { type FernetKey, newFernetKey } from './fernet.ts'
import type { Store } from './store.ts'
import { expiredWindowMicros, tokenLifeMicros } from './token-life.ts'

export type Keys = {
  /** The signing key first. Made on first use. */
  all(): Promise<FernetKey[]>
  /** A new key signs from now on. The others still verify for as long as somebody may ask about what they signed, then they go. */
  rotate(): Promise<void>
}

export function openKeys(store: Store, clock: Clock): Keys {
  let known: { generation: number; keys: FernetKey[] } | undefined
  const load = async () => {
    const rows = await store.read.selectFrom('identity_key').select('secret').orderBy('number', 'desc').execute()
    return rows.map((row) => Buffer.from(row.secret, 'base64url'))
  }
  const first = () =>
    store.write(async (tx) => {
      const row = { number: 1, secret: newFernetKey().toString('base64url'), created_at: clock.now() }
      await tx
        .insertInto('identity_key')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  return {
    async all() {
      const generation = await store.generation()
      if (known?.generation === generation) return known.keys
      let keys = await load()
      if (keys.length === 0) {
        await first()
        keys = await load()
      }
      known = { generation, keys }
      return keys
    },
    rotate: () =>
      store.write(async (tx) => {
        const now = clock.now()
        const rows = await tx.selectFrom('identity_key').selectAll().orderBy('number', 'desc').execute()
        const number = (rows[0]?.number ?? 0) + 1
        await tx
          .insertInto('identity_key')
          .values({ number, secret: newFernetKey().toString('base64url'), created_at: now })
          .execute()
        // What came before this key has signed nothing since.
        const settled = rows.find((row) => row.created_at < now - tokenLifeMicros - expiredWindowMicros)
        await tx
          .deleteFrom('identity_key')
          .where('number', '<', settled?.number ?? 0)
          .execute()
      }),
  }
}
