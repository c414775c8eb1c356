import { type Db, forTables } from '../../../kit/db/open.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'

export type Store = {
  read: Db<IdentityTables>['read']
  /** The only way to write: it moves the generation, so that nobody trusts what he remembers. Writers queue up. */
  write<R>(run: (tx: IdentityTx) => Promise<R>): Promise<R>
  /** Writes what nobody remembers: counts and times of logins. */
  note(run: (tx: IdentityTx) => Promise<unknown>): Promise<void>
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
    async note(run) {
      await db.transaction(run)
    },
    generation: shared(async () => {
      const { rows } = await db.read.executeQuery(generation)
      return rows[0]!.number
    }),
  }
}

/** Callers that come while one look is under way share the next one: each gets an answer that was looked up after it asked. */
function shared<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined
  const start = (): Promise<T> => {
    next = undefined
    const mine = look().finally(() => {
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }
  return () => {
    if (!running) return start()
    next ??= running.then(start, start)
    return next
  }
}
