import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../kit/clock.ts'
import type { Migration } from '../kit/db/migrate.ts'
import type { Db } from '../kit/db/open.ts'
import { Problem } from '../kit/errors.ts'

type Tables = { main_host_key: { host: string; key_digest: string; token_digest: string; token_until: number } }

export const enrolmentMigrations: Migration[] = [
  {
    name: 'main-0001-host-keys',
    statements: [
      'create table main_host_key (host text primary key, key_digest text not null, token_digest text not null, token_until bigint not null)',
    ],
  },
]

/** Which hosts may hold a link: each has a key of its own, which it gets once for a token. Only digests are kept. */
export type Enrolment = {
  /** A token that lets this host join once, within an hour. A key that it has stays good until then. */
  invite(host: string): Promise<string>
  /** The host's new key. Throws forbidden when the token is wrong, used or old. */
  join(host: string, token: string): Promise<string>
  isKey(host: string, key: string): Promise<boolean>
  forget(host: string): Promise<void>
}

const hourMicros = 3_600_000_000
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const draw = () => randomBytes(32).toString('base64url')

export function openEnrolment(database: Db<unknown>, clock: Clock): Enrolment {
  const db = database as Db<Tables>
  return {
    async invite(host) {
      const token = draw()
      const row = { token_digest: digest(token), token_until: clock.now() + hourMicros }
      await db.transaction((tx) =>
        tx
          .insertInto('main_host_key')
          .values({ host, key_digest: '', ...row })
          .onConflict((conflict) => conflict.column('host').doUpdateSet(row))
          .execute(),
      )
      return token
    },
    async join(host, token) {
      const key = draw()
      const changed = await db.transaction((tx) =>
        tx
          .updateTable('main_host_key')
          .set({ key_digest: digest(key), token_digest: '', token_until: 0 })
          .where('host', '=', host)
          .where('token_digest', '=', digest(token))
          .where('token_until', '>', clock.now())
          .executeTakeFirst(),
      )
      if (Number(changed.numUpdatedRows) !== 1) throw new Problem('forbidden', 'This token is wrong, used, or too old.')
      return key
    },
    async isKey(host, key) {
      const row = await db.read.selectFrom('main_host_key').select('key_digest').where('host', '=', host).executeTakeFirst()
      return row !== undefined && row.key_digest === digest(key)
    },
    forget: async (host) =>
      void (await db.transaction((tx) => tx.deleteFrom('main_host_key').where('host', '=', host).execute())),
  }
}
