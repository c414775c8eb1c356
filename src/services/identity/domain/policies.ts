import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables } from '../tables.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { couldNotFind, type Extra, existing, merge, type Reader } from './names.ts'
import type { Store } from './store.ts'

/** A text that services may fetch as their rules. Kept and shown; this cloud's own rules are elsewhere. */
export type PolicyText = { id: string; type: string; blob: string; extra: Extra }

export const policyListing = listing<string>({
  filters: { type: { column: 'type' } },
  sorts: { id: 'id', type: 'type' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Policies = {
  find(id: string): Promise<PolicyText | undefined>
  list(ask: PageAsk<string>): Promise<Page<PolicyText>>
  create(policy: Omit<PolicyText, 'id'>): Promise<PolicyText>
  update(id: string, change: Partial<Omit<PolicyText, 'id'>>): Promise<PolicyText>
  remove(id: string): Promise<void>
}

const policyOf = (row: Selectable<IdentityTables['identity_policy']>): PolicyText => ({
  id: row.id,
  type: row.type,
  blob: row.blob,
  extra: fromJson(row.extra),
})

export async function findPolicy(read: Reader, id: string): Promise<PolicyText | undefined> {
  const row = await read.selectFrom('identity_policy').selectAll().where('id', '=', id).executeTakeFirst()
  return row && policyOf(row)
}

export const openPolicies = (store: Store, clock: Clock): Policies => ({
  find: (id) => findPolicy(store.read, id),
  list: async (ask) => mapPage(await page(store.read.selectFrom('identity_policy').selectAll(), policyListing, ask), policyOf),
  create: (policy) =>
    store.write(async (tx) => {
      const row = { ...policy, id: hexId(), extra: toJson(policy.extra), created_at: clock.now() }
      await tx.insertInto('identity_policy').values(row).execute()
      return policyOf(row)
    }),
  update: (id, change) =>
    store.write(async (tx) => {
      const old = existing(await findPolicy(tx, id), 'policy', id)
      const next = { ...old, ...change, extra: merge(old.extra, change.extra ?? {}) }
      const { type, blob, extra } = next
      await tx
        .updateTable('identity_policy')
        .set({ type, blob, extra: toJson(extra) })
        .where('id', '=', id)
        .execute()
      return next
    }),
  remove: (id) =>
    store.write(async (tx) => {
      const removed = await tx.deleteFrom('identity_policy').where('id', '=', id).executeTakeFirst()
      if (removed.numDeletedRows === 0n) throw couldNotFind('policy', id)
      await tx.deleteFrom('identity_policy_association').where('policy_id', '=', id).execute()
    }),
})
