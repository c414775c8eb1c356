import type { Clock } from '../../../kit/clock.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Quota } from '../../../kit/quota/quota.ts'
import type { ComputeTables, KeypairRow } from '../tables.ts'
import { next } from './counter.ts'
import { certificateFingerprint, sshFingerprint } from './keys.ts'

export type Keypair = {
  number: number
  userId: string
  name: string
  type: 'ssh' | 'x509'
  publicKey: string
  fingerprint: string
  createdAt: number
}

export type NewKeypair = { userId: string; projectId: string; name: string; type: 'ssh' | 'x509'; publicKey: string }

export type Keypairs = ReturnType<typeof openKeypairs>

export const keypairListing = listing<keyof KeypairRow>({
  filters: {},
  sorts: {},
  defaultSort: [['name', 'asc']],
  key: 'name',
})

const keypairOf = (row: KeypairRow): Keypair => ({
  number: row.number,
  userId: row.user_id,
  name: row.name,
  type: row.type as Keypair['type'],
  publicKey: row.public_key,
  fingerprint: row.fingerprint,
  createdAt: row.created_at,
})

export function openKeypairs(db: Db<ComputeTables>, clock: Clock, quota: Quota<ComputeTables>) {
  const ofUser = (userId: string) => db.read.selectFrom('compute_keypair').selectAll().where('user_id', '=', userId)
  return {
    async find(userId: string, name: string): Promise<Keypair | undefined> {
      const row = await ofUser(userId).where('name', '=', name).executeTakeFirst()
      return row && keypairOf(row)
    },
    async list(userId: string, ask: PageAsk<keyof KeypairRow>): Promise<{ keypairs: Keypair[]; more: boolean }> {
      const { rows, more } = await page(ofUser(userId), keypairListing, ask)
      return { keypairs: rows.map(keypairOf), more }
    },
    /** Counted for the user, within the limit of the project. */
    async create(ask: NewKeypair): Promise<Keypair> {
      const fingerprint = ask.type === 'x509' ? certificateFingerprint(ask.publicKey) : sshFingerprint(ask.publicKey)
      const limit = (await quota.limits(ask.projectId))['key_pairs'] ?? -1
      return db.transaction(async (tx) => {
        await quota.allow(tx, ask.projectId, {})
        const { count } = await tx
          .selectFrom('compute_keypair')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('user_id', '=', ask.userId)
          .executeTakeFirstOrThrow()
        if (limit >= 0 && count >= limit) throw new Problem('over-quota', 'Quota exceeded, too many key pairs.')
        const row: KeypairRow = {
          number: await next(tx, 'keypair'),
          user_id: ask.userId,
          name: ask.name,
          type: ask.type,
          public_key: ask.publicKey,
          fingerprint,
          created_at: clock.now(),
        }
        const made = await tx
          .insertInto('compute_keypair')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .returning('name')
          .executeTakeFirst()
        if (!made) throw new Problem('conflict', `Key pair '${ask.name}' already exists.`)
        return keypairOf(row)
      })
    },
    async remove(userId: string, name: string): Promise<boolean> {
      const gone = await db.transaction((tx) =>
        tx
          .deleteFrom('compute_keypair')
          .where('user_id', '=', userId)
          .where('name', '=', name)
          .returning('name')
          .executeTakeFirst(),
      )
      return gone !== undefined
    },
  }
}
