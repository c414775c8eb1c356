import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import type { Factors } from './factors.ts'
import { type Directories, readOnly } from './ldap/directories.ts'
import { mapPage, noLimit, type Page, textFilters } from './lists.ts'
import { assertFreeName, type Extra, existing, merge, ours } from './names.ts'
import {
  assertGoodPassword,
  assertOldEnough,
  assertUnused,
  endOfPassword,
  isInactive,
  type PasswordRules,
  rememberPassword,
} from './password-rules.ts'
import { findDomain } from './project-tree.ts'
import { refused } from './refusals.ts'
import { removeApplicationCredentialsOf, removeUsers } from './removal.ts'
import { revoke } from './revocations.ts'
import type { Store } from './store.ts'

export type User = {
  id: string
  name: string
  domainId: string
  enabled: boolean
  /** Empty: none. */
  defaultProjectId: string
  passwordExpiresAt: number | undefined
  options: Extra
  extra: Extra
}

/** `password` null or undefined: none, so that nobody can log in with one. */
export type NewUser = Omit<User, 'id' | 'passwordExpiresAt'> & { password: string | null | undefined }
export type UserChange = Partial<Omit<NewUser, 'domainId'>>

export const userListing = listing<string>({
  filters: { ...textFilters('name', 'name'), domain_id: { column: 'domain_id' }, enabled: { column: 'enabled', op: 'bit' } },
  sorts: { id: 'id', name: 'name', domain_id: 'domain_id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

/** Users whose password ends before or after a time (microseconds). */
export type ExpiryFilter = { op: '=' | '!=' | '<' | '<=' | '>' | '>='; at: number }

export type Users = {
  find(id: string): Promise<User | undefined>
  list(ask: PageAsk<string>, filter?: { expiry?: ExpiryFilter | undefined; groupId?: string }): Promise<Page<User>>
  create(user: NewUser): Promise<User>
  update(id: string, change: UserChange): Promise<User>
  /** By the user itself, who knows the old one. Ends all its tokens. */
  changePassword(id: string, original: string, password: string): Promise<void>
  remove(id: string): Promise<void>
}

type Parts = {
  store: Store
  passwords: Passwords
  clock: Clock
  factors: Factors
  rules: PasswordRules
  directories: Directories
}

export const userOf = (row: Selectable<IdentityTables['identity_user']>): User => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id,
  enabled: fromBit(row.enabled),
  defaultProjectId: row.default_project_id,
  passwordExpiresAt: row.password_expires_at || undefined,
  options: fromJson(row.options),
  extra: fromJson(row.extra),
})

export function openUsers({ store, passwords, clock, factors, rules, directories }: Parts): Users {
  const shown = (row: Selectable<IdentityTables['identity_user']>): User => {
    const user = userOf(row)
    const idle = isInactive(rules, { lastActiveAt: row.last_active_at, options: user.options }, clock.now())
    return { ...user, enabled: user.enabled && !idle }
  }
  const findIn = async (read: Store['read'] | IdentityTx, id: string) => {
    const row = await read.selectFrom('identity_user').selectAll().where('id', '=', id).where('gone', '=', 0).executeTakeFirst()
    return row && shown(row)
  }
  const assertOurs = async (id: string) => {
    const row = await store.read.selectFrom('identity_user').select('local_id').where('id', '=', id).executeTakeFirst()
    if (row && row.local_id !== '') throw readOnly()
  }
  const hashOf = async (password: string | null | undefined) => {
    if (password === null || password === undefined) return ''
    assertGoodPassword(rules, password)
    return passwords.hash(password)
  }
  /** The columns of a password that is set now. */
  const secretOf = (passwordHash: string, options: Extra, by: 'user' | 'administrator') => {
    const now = clock.now()
    return {
      password_hash: passwordHash,
      password_expires_at: passwordHash === '' ? 0 : endOfPassword(rules, options, by, now),
      password_created_at: now,
      password_self_service: toBit(by === 'user'),
      failed_count: 0,
    }
  }
  const remember = (tx: IdentityTx, userId: string, { password_hash: passwordHash, password_created_at: at }: Secret) =>
    passwordHash === '' ? Promise.resolve() : rememberPassword(tx, rules, { userId, passwordHash, at })
  return {
    async find(id) {
      await directories.seeUser(id)
      return findIn(store.read, id)
    },
    async list(ask, { expiry, groupId } = {}) {
      await (groupId === undefined ? directories.seeUsers(ask) : directories.seeMembersOf(groupId))
      let query = store.read.selectFrom('identity_user').selectAll().where('gone', '=', 0)
      if (groupId !== undefined)
        query = query.where('id', 'in', (eb) =>
          eb.selectFrom('identity_member').select('user_id').where('group_id', '=', groupId),
        )
      if (expiry) query = query.where('password_expires_at', '>', 0).where('password_expires_at', expiry.op, expiry.at)
      return mapPage(await page(query, userListing, ask), shown)
    },
    async create(user) {
      await directories.assertWritable(user.domainId)
      const passwordHash = await hashOf(user.password)
      return store.write(async (tx) => {
        existing(await findDomain(tx, user.domainId), 'domain', user.domainId)
        const secret = secretOf(passwordHash, user.options, 'administrator')
        const now = clock.now()
        const row = { ...rowOf(user), ...secret, ...ours, id: hexId(), failed_at: 0, last_active_at: now, created_at: now }
        await assertFreeName(tx, 'identity_user', 'user', row)
        await assertDefaultProject(tx, user.defaultProjectId)
        await tx.insertInto('identity_user').values(row).execute()
        await remember(tx, row.id, secret)
        return shown(row)
      })
    },
    async update(id, change) {
      existing(await findIn(store.read, id), 'user', id)
      await assertOurs(id)
      const passwordHash = change.password === undefined ? undefined : await hashOf(change.password)
      return store.write(async (tx) => {
        const old = existing(await findIn(tx, id), 'user', id)
        const next = {
          ...old,
          ...change,
          options: merge(old.options, change.options ?? {}),
          extra: merge(old.extra, change.extra ?? {}),
        }
        await assertFreeName(tx, 'identity_user', 'user', { id, ...rowOf(next) })
        if (change.defaultProjectId !== undefined) await assertDefaultProject(tx, change.defaultProjectId)
        const secret = passwordHash === undefined ? undefined : secretOf(passwordHash, next.options, 'administrator')
        // To say that a user is enabled also unlocks it, and starts the days of idleness again.
        const fresh = change.enabled === true ? { failed_count: 0, last_active_at: clock.now() } : {}
        await tx
          .updateTable('identity_user')
          .set({ ...rowOf(next), ...secret, ...fresh })
          .where('id', '=', id)
          .execute()
        if (secret) await remember(tx, id, secret)
        const disabled = old.enabled && !next.enabled
        if (disabled) await removeApplicationCredentialsOf(tx, id)
        if (secret || disabled) await revoke(tx, { userId: id }, clock)
        return existing(await findIn(tx, id), 'user', id)
      })
    },
    async changePassword(id, original, password) {
      assertGoodPassword(rules, password)
      const user = await factors.checkPassword({ id }, original, 'late')
      await assertOurs(id)
      if (user.options['lock_password'] === true)
        throw new Problem(
          'invalid',
          'You cannot change your password at this time due to password policy disallowing password changes. Please contact your administrator to reset your password.',
        )
      assertOldEnough(rules, user, clock.now())
      await assertUnused({ rules, passwords, read: store.read }, id, password)
      const secret = secretOf(await passwords.hash(password), user.options, 'user')
      await store.write(async (tx) => {
        const changed = await tx
          .updateTable('identity_user')
          .set(secret)
          .where('id', '=', id)
          // Who changed it meanwhile has the better right.
          .where('password_hash', '=', user.passwordHash)
          .executeTakeFirst()
        if (changed.numUpdatedRows === 0n) throw refused()
        await remember(tx, id, secret)
        await revoke(tx, { userId: id }, clock)
      })
    },
    async remove(id) {
      await assertOurs(id)
      await store.write(async (tx) => {
        existing(await findIn(tx, id), 'user', id)
        await removeUsers(tx, [id], clock)
      })
    },
  }
}

type Secret = { password_hash: string; password_created_at: number }

const rowOf = (user: Pick<User, 'name' | 'domainId' | 'enabled' | 'defaultProjectId' | 'options' | 'extra'>) => ({
  name: user.name.trim(),
  domain_id: user.domainId,
  enabled: toBit(user.enabled),
  default_project_id: user.defaultProjectId,
  options: toJson(user.options),
  extra: toJson(user.extra),
})

/** A domain is no default project. One that does not exist is kept and ignored, as identity always did. */
async function assertDefaultProject(tx: IdentityTx, id: string): Promise<void> {
  if (id !== '' && (await findDomain(tx, id)))
    throw new Problem('invalid', "User's default project ID cannot be a domain ID: " + id)
}
