import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, toBit } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { type AskedRule, ensureRules, type OwnedRule, rulesOf } from './access-rules.ts'
import { effectiveRoleIds } from './effective-roles.ts'
import { mapPage, noLimit, type Page } from './lists.ts'
import { couldNotFind, duplicate, existing, type Reader } from './names.ts'
import { findProject } from './project-tree.ts'
import { removeApplicationCredentials } from './removal.ts'
import { type Role, roleOf } from './roles.ts'
import type { Store } from './store.ts'

/** A secret with which programs act for a user, with some of its roles on one project. */
export type ApplicationCredential = {
  id: string
  name: string
  userId: string
  projectId: string
  description: string
  expiresAt: number | undefined
  /** Its tokens may make further application credentials. */
  unrestricted: boolean
  roles: Role[]
  /** Empty: good for any request. */
  rules: OwnedRule[]
}

export type NewApplicationCredential = Omit<ApplicationCredential, 'id' | 'roles' | 'rules'> & {
  secret: string
  roleIds: string[]
  rules: AskedRule[]
}

export const applicationCredentialListing = listing<string>({
  filters: { name: { column: 'name' } },
  sorts: { id: 'id', name: 'name' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type ApplicationCredentials = {
  find(id: string): Promise<ApplicationCredential | undefined>
  list(userId: string, ask: PageAsk<string>): Promise<Page<ApplicationCredential>>
  create(credential: NewApplicationCredential): Promise<ApplicationCredential>
  remove(id: string): Promise<void>
}

export function openApplicationCredentials(store: Store, passwords: Passwords, clock: Clock): ApplicationCredentials {
  return {
    find: (id) => findApplicationCredential(store.read, id),
    async list(userId, ask) {
      const query = store.read.selectFrom('identity_application_credential').selectAll().where('user_id', '=', userId)
      const found = await page(query, applicationCredentialListing, ask)
      const parts = await partsOf(
        store.read,
        found.rows.map((row) => row.id),
      )
      return mapPage(found, (row) => credentialOf(row, parts))
    },
    async create(ask) {
      const secretHash = await passwords.hash(ask.secret)
      return store.write(async (tx) => {
        await assertRoles(tx, ask)
        await assertFree(tx, ask)
        const id = hexId()
        await tx
          .insertInto('identity_application_credential')
          .values(rowOf(id, ask, secretHash, clock))
          .execute()
        for (const role_id of new Set(ask.roleIds))
          await tx.insertInto('identity_application_credential_role').values({ credential_id: id, role_id }).execute()
        for (const rule_id of await ensureRules(tx, ask.userId, ask.rules, clock))
          await tx.insertInto('identity_application_credential_rule').values({ credential_id: id, rule_id }).execute()
        return existing(await findApplicationCredential(tx, id), 'Application Credential', id)
      })
    },
    remove: (id) =>
      store.write(async (tx) => {
        if (!(await findApplicationCredential(tx, id))) throw couldNotFind('Application Credential', id)
        await removeApplicationCredentials(tx, [id])
      }),
  }
}

type Row = Selectable<IdentityTables['identity_application_credential']>
type Parts = { roles: Map<string, Role[]>; rules: Map<string, OwnedRule[]> }

const credentialOf = (row: Row, { roles, rules }: Parts): ApplicationCredential => ({
  id: row.id,
  name: row.name,
  userId: row.user_id,
  projectId: row.project_id,
  description: row.description,
  expiresAt: row.expires_at || undefined,
  unrestricted: fromBit(row.unrestricted),
  roles: roles.get(row.id) ?? [],
  rules: rules.get(row.id) ?? [],
})

export async function findApplicationCredential(read: Reader, id: string): Promise<ApplicationCredential | undefined> {
  const row = await read.selectFrom('identity_application_credential').selectAll().where('id', '=', id).executeTakeFirst()
  return row && credentialOf(row, await partsOf(read, [id]))
}

/** What logging in needs: the hash as well. */
export async function findSecret(
  read: Reader,
  named: { id: string } | { userId: string; name: string },
): Promise<{ id: string; userId: string; secretHash: string; expiresAt: number | undefined } | undefined> {
  const query = read.selectFrom('identity_application_credential').select(['id', 'user_id', 'secret_hash', 'expires_at'])
  const found =
    'id' in named ? query.where('id', '=', named.id) : query.where('user_id', '=', named.userId).where('name', '=', named.name)
  const row = await found.executeTakeFirst()
  return row && { id: row.id, userId: row.user_id, secretHash: row.secret_hash, expiresAt: row.expires_at || undefined }
}

async function partsOf(read: Reader, ids: string[]): Promise<Parts> {
  const roles = new Map<string, Role[]>()
  if (ids.length === 0) return { roles, rules: new Map() }
  const rows = await read
    .selectFrom('identity_application_credential_role as given')
    .innerJoin('identity_role as role', 'role.id', 'given.role_id')
    .selectAll('role')
    .select('given.credential_id')
    .where('given.credential_id', 'in', ids)
    .orderBy('role.name')
    .execute()
  for (const row of rows) roles.set(row.credential_id, [...(roles.get(row.credential_id) ?? []), roleOf(row)])
  return { roles, rules: await rulesOf(read, ids) }
}

async function assertRoles(tx: IdentityTx, { userId, projectId, roleIds }: NewApplicationCredential): Promise<void> {
  const project = existing(await findProject(tx, projectId), 'project', projectId)
  const held = await effectiveRoleIds({ read: tx }, userId, { kind: 'project', id: projectId, project })
  for (const id of roleIds)
    if (!held.includes(id))
      throw new Problem(
        'invalid',
        `Invalid application credential: Could not find role assignment with role: ${id}, user or group: ${userId}, project, domain, or system: ${projectId}.`,
      )
}

async function assertFree(tx: IdentityTx, { userId, name }: NewApplicationCredential): Promise<void> {
  if (await findSecret(tx, { userId, name })) throw duplicate('application_credential', `name ${name}`)
}

const rowOf = (id: string, ask: NewApplicationCredential, secretHash: string, clock: Clock): Row => ({
  id,
  name: ask.name.trim(),
  user_id: ask.userId,
  project_id: ask.projectId,
  description: ask.description,
  secret_hash: secretHash,
  expires_at: ask.expiresAt ?? 0,
  unrestricted: toBit(ask.unrestricted),
  created_at: clock.now(),
})
