import { type Db, forTables } from '../../../kit/db/open.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'

export type Store = {
  read: Db<IdentityTables>['read']
  /** The only way to write: it moves the generation, so that nobody trusts what he remembers. Writers queue up. */
  write<R>(run: (tx: IdentityTx) => Promise<R>): Promise<R>
  /** Moves with every write. Cheap. */
  generation(): Promise<number>
}

export function openStore(database: Db<unknown>): Store {
  const db = forTables<IdentityTables>(database)
  const generation = db.read.selectFrom('identity_generation').select('number').where('id', '=', 1).compile()
  return {
    read: db.read,
    write: (run) =>
      db.transaction(async (tx) => {
        await tx
          .updateTable('identity_generation')
          .set((eb) => ({ number: eb('number', '+', 1) }))
          .where('id', '=', 1)
          .execute()
        return run(tx)
      }),
    async generation() {
      const { rows } = await db.read.executeQuery(generation)
      return rows[0]!.number
    },
  }
}
