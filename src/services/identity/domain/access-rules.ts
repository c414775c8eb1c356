import type { Clock } from '../../../kit/clock.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { AccessRule } from '../../../kit/policy/caller.ts'
import type { IdentityTx } from '../tables.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { couldNotFind, type Reader } from './names.ts'
import type { Store } from './store.ts'

/** A user's own; its application credentials share them. */
export type OwnedRule = AccessRule & { id: string; userId: string }

/** One of the user's rules by its id, or as it should be. */
export type AskedRule = { id: string } | AccessRule

export const ruleListing = listing<string>({
  filters: { service: { column: 'service' }, path: { column: 'path' }, method: { column: 'method' } },
  sorts: { id: 'id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type AccessRules = {
  find(id: string): Promise<OwnedRule | undefined>
  list(userId: string, ask: PageAsk<string>): Promise<Page<OwnedRule>>
  /** Throws forbidden while an application credential has it. */
  remove(id: string): Promise<void>
}

type Row = AccessRule & { id: string; user_id: string }

const ruleOf = ({ id, user_id, service, path, method }: Row): OwnedRule => ({ id, userId: user_id, service, path, method })

export const openAccessRules = (store: Store): AccessRules => ({
  async find(id) {
    const row = await store.read.selectFrom('identity_access_rule').selectAll().where('id', '=', id).executeTakeFirst()
    return row && ruleOf(row)
  },
  async list(userId, ask) {
    const query = store.read.selectFrom('identity_access_rule').selectAll().where('user_id', '=', userId)
    return mapPage(await page(query, ruleListing, ask), ruleOf)
  },
  remove: (id) =>
    store.write(async (tx) => {
      const used = await tx
        .selectFrom('identity_application_credential_rule')
        .select('rule_id')
        .where('rule_id', '=', id)
        .limit(1)
        .executeTakeFirst()
      if (used)
        throw new Problem('forbidden', `The access rule ${id} is in use by an application credential and cannot be deleted.`)
      const removed = await tx.deleteFrom('identity_access_rule').where('id', '=', id).executeTakeFirst()
      if (removed.numDeletedRows === 0n) throw couldNotFind('Access Rule', id)
    }),
})

/** Ids of the rules, made where there is none like it. A rule of somebody else's does not exist. */
export async function ensureRules(tx: IdentityTx, userId: string, asked: AskedRule[], clock: Clock): Promise<string[]> {
  const ids = new Set<string>()
  for (const rule of asked)
    ids.add('id' in rule ? await ownRuleId(tx, userId, rule.id) : await ensureRule(tx, userId, rule, clock))
  return [...ids]
}

async function ownRuleId(tx: IdentityTx, userId: string, id: string): Promise<string> {
  const query = tx.selectFrom('identity_access_rule').select('id').where('id', '=', id).where('user_id', '=', userId)
  if (!(await query.executeTakeFirst())) throw couldNotFind('Access Rule', id)
  return id
}

async function ensureRule(tx: IdentityTx, userId: string, { service, path, method }: AccessRule, clock: Clock): Promise<string> {
  const row = { id: hexId(), user_id: userId, service, path, method, created_at: clock.now() }
  await tx
    .insertInto('identity_access_rule')
    .values(row)
    .onConflict((conflict) => conflict.columns(['user_id', 'service', 'path', 'method']).doNothing())
    .execute()
  const query = tx.selectFrom('identity_access_rule').select('id').where('user_id', '=', userId)
  const found = query.where('service', '=', service).where('path', '=', path).where('method', '=', method)
  return (await found.executeTakeFirstOrThrow()).id
}

/** Rules by application credential. */
export async function rulesOf(read: Reader, credentialIds: string[]): Promise<Map<string, OwnedRule[]>> {
  const rules = new Map<string, OwnedRule[]>()
  if (credentialIds.length === 0) return rules
  const rows = await read
    .selectFrom('identity_application_credential_rule as given')
    .innerJoin('identity_access_rule as rule', 'rule.id', 'given.rule_id')
    .selectAll('rule')
    .select('given.credential_id')
    .where('given.credential_id', 'in', credentialIds)
    .orderBy('rule.created_at')
    .execute()
  for (const row of rows) rules.set(row.credential_id, [...(rules.get(row.credential_id) ?? []), ruleOf(row)])
  return rules
}
