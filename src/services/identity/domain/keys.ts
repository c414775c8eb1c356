import type { Clock } from '../../../kit/clock.ts'
import { type FernetKey, newFernetKey } from './fernet.ts'
import type { Store } from './store.ts'

export type Keys = {
  /** The signing key first. Made on first use. */
  all(): Promise<FernetKey[]>
  /** A new key signs from now on; the last `keep` still verify. Keep at least as many as rotate within a token's life. */
  rotate(keep?: number): Promise<void>
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
    rotate: (keep = 3) =>
      store.write(async (tx) => {
        const rows = await tx.selectFrom('identity_key').select('number').orderBy('number', 'desc').execute()
        const number = (rows[0]?.number ?? 0) + 1
        await tx
          .insertInto('identity_key')
          .values({ number, secret: newFernetKey().toString('base64url'), created_at: clock.now() })
          .execute()
        await tx
          .deleteFrom('identity_key')
          .where('number', '<=', number - keep)
          .execute()
      }),
  }
}
