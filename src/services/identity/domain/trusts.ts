import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, toBit } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { effectiveRoleIds } from './effective-roles.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { couldNotFind, existing, type Reader } from './names.ts'
import { findProject } from './project-tree.ts'
import { assertRedelegation, maxRedelegations } from './redelegation.ts'
import { removeTrusts } from './removal.ts'
import type { Store } from './store.ts'

/** The trustor lets the trustee act with some of its roles on a project; with `impersonation` under the trustor's name. */
export type Trust = {
  id: string
  trustorId: string
  trusteeId: string
  /** Empty: none, and then there is no token to be had. */
  projectId: string
  impersonation: boolean
  expiresAt: number | undefined
  remainingUses: number | undefined
  /** The trust it was made with; empty: none. */
  parentId: string
  /** How often it may be handed on. */
  redelegationCount: number
  roleIds: string[]
}

export type NewTrust = Omit<Trust, 'id' | 'parentId' | 'redelegationCount'> & {
  allowRedelegation: boolean
  redelegationCount: number | undefined
}

export const trustListing = listing<string>({
  filters: { trustor_user_id: { column: 'trustor_id' }, trustee_user_id: { column: 'trustee_id' } },
  sorts: { id: 'id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Trusts = {
  /** Undefined also when it has expired or has no uses left. */
  find(id: string): Promise<Trust | undefined>
  list(ask: PageAsk<string>): Promise<Page<Trust>>
  /** `with`: the trust of the token that asks, when it was delegated itself. */
  create(trust: NewTrust, withTrustId: string | undefined): Promise<Trust>
  /** With those that were made with it. */
  remove(id: string): Promise<void>
  /** One use less; false when none was left. */
  use(id: string): Promise<boolean>
}

export function openTrusts(store: Store, clock: Clock): Trusts {
  const isUsable = ({ expiresAt, remainingUses }: Trust) =>
    remainingUses !== 0 && (expiresAt === undefined || expiresAt > clock.now())
  const usable = async (read: Reader, id: string) => {
    const found = await findTrust(read, id)
    return found && isUsable(found) ? found : undefined
  }
  return {
    find: (id) => usable(store.read, id),
    async list(ask) {
      const query = store.read
        .selectFrom('identity_trust')
        .selectAll()
        .where('remaining_uses', '!=', 0)
        .where((eb) => eb.or([eb('expires_at', '=', 0), eb('expires_at', '>', clock.now())]))
      return mapPage(await page(query, trustListing, ask), (row) => trustOf(row, []))
    },
    create: (ask, withTrustId) =>
      store.write(async (tx) => {
        const { allowRedelegation, ...asked } = ask
        assertUses(ask)
        const parent = withTrustId === undefined ? undefined : existing(await usable(tx, withTrustId), 'trust', withTrustId)
        const chain = parent ? [parent, ...(await pedigree(tx, parent))] : []
        await assertPeopleAndRoles(tx, ask, chain.at(-1)?.trustorId ?? ask.trustorId)
        const wanted = { ...asked, id: hexId(), parentId: parent?.id ?? '' }
        const trust: Trust = {
          ...wanted,
          redelegationCount: allowRedelegation ? redelegations(ask.redelegationCount, parent) : 0,
          expiresAt: wanted.expiresAt ?? parent?.expiresAt,
        }
        for (const one of chain) assertRedelegation(one, trust)
        await insertTrust(tx, trust, clock)
        return trust
      }),
    remove: (id) =>
      store.write(async (tx) => {
        if (!(await usable(tx, id))) throw couldNotFind('trust', id)
        await removeTrusts(tx, [id])
      }),
    async use(id) {
      const trust = await usable(store.read, id)
      if (!trust || trust.remainingUses === undefined) return trust !== undefined
      const used = await store.write((tx) =>
        tx
          .updateTable('identity_trust')
          .set((eb) => ({ remaining_uses: eb('remaining_uses', '-', 1) }))
          .where('id', '=', id)
          .where('remaining_uses', '>', 0)
          .executeTakeFirst(),
      )
      return used.numUpdatedRows > 0n
    },
  }
}

const trustOf = (row: Selectable<IdentityTables['identity_trust']>, roleIds: string[]): Trust => ({
  id: row.id,
  trustorId: row.trustor_id,
  trusteeId: row.trustee_id,
  projectId: row.project_id,
  impersonation: fromBit(row.impersonation),
  expiresAt: row.expires_at || undefined,
  remainingUses: row.remaining_uses < 0 ? undefined : row.remaining_uses,
  parentId: row.parent_id,
  redelegationCount: row.redelegation_count,
  roleIds,
})

/** Whatever its uses and its end: tokens made of the last use live on. */
export async function findTrust(read: Reader, id: string): Promise<Trust | undefined> {
  const row = await read.selectFrom('identity_trust').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) return undefined
  const roles = await read
    .selectFrom('identity_trust_role')
    .select('role_id')
    .where('trust_id', '=', id)
    .orderBy('role_id')
    .execute()
  return trustOf(
    row,
    roles.map((role) => role.role_id),
  )
}

/** The trusts it was made with, nearest first; the last one's trustor is whose roles are delegated. */
export async function pedigree(read: Reader, trust: Trust): Promise<Trust[]> {
  const found: Trust[] = []
  for (let id = trust.parentId; id !== ''; ) {
    const parent = existing(await findTrust(read, id), 'trust', id)
    found.push(parent)
    id = parent.parentId
  }
  return found
}

function assertUses({ allowRedelegation, redelegationCount, remainingUses }: NewTrust): void {
  if (!allowRedelegation || redelegationCount === 0) return
  if (redelegationCount !== undefined && redelegationCount > maxRedelegations)
    throw new Problem(
      'forbidden',
      `Requested redelegation depth of ${redelegationCount} is greater than allowed ${maxRedelegations}`,
    )
  if (remainingUses !== undefined) throw new Problem('invalid', 'remaining_uses must not be set if redelegation is allowed')
}

function redelegations(asked: number | undefined, parent: Trust | undefined): number {
  const left = parent ? parent.redelegationCount - 1 : maxRedelegations
  if (parent && asked !== undefined && asked !== 0 && asked !== left)
    throw new Problem(
      'forbidden',
      'Modifying "redelegation_count" upon redelegation is forbidden. Omitting this parameter is advised.',
    )
  return asked ?? left
}

/** Nobody delegates a role that the first trustor does not have there itself. */
async function assertPeopleAndRoles(tx: IdentityTx, ask: NewTrust, trustorId: string): Promise<void> {
  const trustee = await tx.selectFrom('identity_user').select('id').where('id', '=', ask.trusteeId).executeTakeFirst()
  existing(trustee, 'user', ask.trusteeId)
  if (ask.projectId === '') {
    if (ask.roleIds.length > 0) throw couldNotFind('role', ask.roleIds[0]!)
    return
  }
  const project = existing(await findProject(tx, ask.projectId), 'project', ask.projectId)
  const held = await effectiveRoleIds({ read: tx }, trustorId, { kind: 'project', id: project.id, project })
  for (const id of ask.roleIds) if (!held.includes(id)) throw couldNotFind('role', id)
}

async function insertTrust(tx: IdentityTx, trust: Trust, clock: Clock): Promise<void> {
  const row = {
    id: trust.id,
    trustor_id: trust.trustorId,
    trustee_id: trust.trusteeId,
    project_id: trust.projectId,
    impersonation: toBit(trust.impersonation),
    expires_at: trust.expiresAt ?? 0,
    remaining_uses: trust.remainingUses ?? -1,
    parent_id: trust.parentId,
    redelegation_count: trust.redelegationCount,
    created_at: clock.now(),
  }
  await tx.insertInto('identity_trust').values(row).execute()
  for (const role_id of new Set(trust.roleIds))
    await tx.insertInto('identity_trust_role').values({ trust_id: trust.id, role_id }).execute()
}
