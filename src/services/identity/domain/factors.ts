import { type Clock, day, second } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import { findSecret } from './application-credentials.ts'
import type { Credentials as Secrets } from './credentials.ts'
import type { Directories } from './ldap/directories.ts'
import type { ByIdOrNameInDomain, Login, LoginScope } from './login.ts'
import { couldNotFind } from './names.ts'
import { isInactive, isLocked, type PasswordRules } from './password-rules.ts'
import type { Via } from './payload.ts'
import { expecting, forbiddenAction, refused } from './refusals.ts'
import type { Sessions } from './sessions.ts'
import type { Store } from './store.ts'
import { tokenLifeMicros } from './token-life.ts'
import { isTotpCode } from './totp.ts'
import { type Credentials, findCredentials } from './user-credentials.ts'

/** What one method of logging in proved. */
export type Proof = { user: Credentials; methods: string[]; chain?: string | undefined; expiresAt: number; via?: Via }

export type Factors = {
  /** Throws unauthenticated, with the same words after the same work, for whatever is wrong with who asks. */
  prove(method: string, ask: Login): Promise<Proof>
  /** Who has this password. `late`: it may have expired. */
  checkPassword(user: ByIdOrNameInDomain, password: string, late?: 'late'): Promise<Credentials>
}

export type FactorParts = {
  store: Store
  sessions: Sessions
  passwords: Passwords
  secrets: Secrets
  rules: PasswordRules
  directories: Directories
  clock: Clock
}

export function openFactors({ store, sessions, passwords, secrets, rules, directories, clock }: FactorParts): Factors {
  const fresh = (user: Credentials, method: string): Proof => ({
    user,
    methods: [method],
    expiresAt: clock.now() + tokenLifeMicros,
  })
  const find = (named: ByIdOrNameInDomain): Promise<Credentials | undefined> => {
    if (named.id === undefined && named.domain === undefined) throw expecting('domain', 'user')
    return findCredentials(store.read, named)
  }
  /** Who is in a directory may have been disabled, or have come back, since. */
  const confirmed = async (user: Credentials | undefined): Promise<Credentials | undefined> => {
    if (!user?.isElsewhere) return user
    await directories.confirm([user.id])
    return findCredentials(store.read, { id: user.id })
  }
  /** A wrong answer counts where wrong answers lock; a right one starts the count again. */
  const settle = async (found: Credentials | undefined, right: boolean): Promise<Credentials> => {
    const now = clock.now()
    // Others may have guessed while this one was hashed.
    const counts = found && rules.lockoutFailureAttempts !== undefined
    const user = counts ? await findCredentials(store.read, { id: found.id }) : found
    const locked = user !== undefined && isLocked(rules, user, now)
    if (user && !right && !locked) await countFailure(user, now)
    if (!user || !right || locked || !user.enabled || isInactive(rules, user, now)) throw refused()
    await noteLogin(user, now)
    return user
  }
  const countFailure = async ({ id }: Credentials, now: number) => {
    const { lockoutFailureAttempts: attempts, lockoutDurationSeconds: seconds = 1800 } = rules
    if (attempts === undefined) return
    // Counted where it stands, for many may guess at once. A lock that has run out starts the count again.
    const runOut = now - seconds * second
    await store.note((tx) =>
      tx
        .updateTable('identity_user')
        .set((eb) => ({
          failed_count: eb
            .case()
            .when(eb.and([eb('failed_count', '>=', attempts), eb('failed_at', '<=', runOut)]))
            .then(1)
            .else(eb('failed_count', '+', 1))
            .end(),
          failed_at: now,
        }))
        .where('id', '=', id)
        .execute(),
    )
  }
  const noteLogin = async ({ id, failedCount, lastActiveAt }: Credentials, now: number) => {
    const counts = rules.disableUserAccountDaysInactive !== undefined && now - lastActiveAt >= day
    if (failedCount === 0 && !counts) return
    await store.note((tx) =>
      tx.updateTable('identity_user').set({ failed_count: 0, last_active_at: now }).where('id', '=', id).execute(),
    )
  }

  const renewHash = async ({ id, passwordHash }: Credentials, password: string) => {
    const renewed = await passwords.hash(password)
    await store.note((tx) =>
      tx
        .updateTable('identity_user')
        .set({ password_hash: renewed })
        .where('id', '=', id)
        .where('password_hash', '=', passwordHash)
        .execute(),
    )
    return renewed
  }

  const checkPassword: Factors['checkPassword'] = async (named, password, late) => {
    if (named.id === undefined && named.domain === undefined) throw expecting('domain', 'user')
    const elsewhere = await directories.login(named, password)
    if (elsewhere && !elsewhere.user) throw refused()
    if (elsewhere?.user) return elsewhere.user
    const found = await find(named)
    const user = await settle(found, await passwords.matches(password, found?.passwordHash))
    const { passwordExpiresAt: end } = user
    if (!late && end !== undefined && end <= clock.now())
      throw new Problem('unauthenticated', `The password is expired and needs to be changed for user: ${user.id}.`)
    return passwords.isOutdated(user.passwordHash) ? { ...user, passwordHash: await renewHash(user, password) } : user
  }

  const byToken = async (token: string, scope: LoginScope | undefined): Promise<Proof> => {
    const session = await sessions.find(token)
    const user = session && (await findCredentials(store.read, { id: session.user.id }))
    if (!session || !user) throw couldNotFind('token', token.slice(0, 500))
    assertRescopable(session, scope)
    const { methods, auditIds, expiresAt } = session.payload
    return { user, methods: ['token', ...methods], chain: auditIds.at(-1), expiresAt }
  }

  const byTotp = async ({ user: named, passcode }: NonNullable<Login['totp']>): Promise<Proof> => {
    const user = await confirmed(await find(named))
    const seconds = Math.floor(clock.now() / 1e6)
    const known = user ? await secrets.blobsOf(user.id, 'totp') : []
    return fresh(
      await settle(
        user,
        known.some((secret) => isTotpCode(secret, passcode, seconds)),
      ),
      'totp',
    )
  }

  const byApplicationCredential = async (ask: NonNullable<Login['applicationCredential']>): Promise<Proof> => {
    const { id, name } = ask
    if (id === undefined && name === undefined) throw expecting('name or ID', 'application credential')
    if (id === undefined && !ask.user) throw expecting('user', 'application credential')
    const owner = id === undefined ? await find(ask.user!) : undefined
    const found = await findSecret(store.read, id === undefined ? { userId: owner?.id ?? '', name: name! } : { id })
    const right = await passwords.matches(ask.secret, found?.secretHash)
    const user = found && (await confirmed(await findCredentials(store.read, { id: found.userId })))
    const now = clock.now()
    if (!found || !right || !user?.enabled || isInactive(rules, user, now)) throw refused()
    if (found.expiresAt !== undefined && found.expiresAt <= now) throw refused()
    const proof = fresh(user, 'application_credential')
    const expiresAt = Math.min(proof.expiresAt, found.expiresAt ?? proof.expiresAt)
    return { ...proof, expiresAt, via: { kind: 'application_credential', id: found.id } }
  }

  return {
    checkPassword,
    async prove(method, ask) {
      const { password, token, totp, applicationCredential } = ask
      if (method === 'token' && token) return byToken(token.id, ask.scope)
      if (method === 'password' && password) return fresh(await checkPassword(password.user, password.password), 'password')
      if (method === 'totp' && totp) return byTotp(totp)
      if (method === 'application_credential' && applicationCredential) return byApplicationCredential(applicationCredential)
      if (['token', 'password', 'totp', 'application_credential'].includes(method)) throw expecting(method, 'identity')
      throw new Problem('unauthenticated', 'Attempted to authenticate with an unsupported method.')
    },
  }
}

/** What was delegated is not handed on, and power over the system is not turned into power over one part of it. */
function assertRescopable({ caller }: { caller: { delegation: unknown; system: boolean } }, scope: LoginScope | undefined): void {
  if (caller.delegation === 'trust')
    throw forbiddenAction('Using trust-scoped token to create another token. Create a new trust-scoped token instead.')
  if (caller.delegation !== undefined) throw forbiddenAction('Using a delegated token to create another token is not allowed.')
  if (caller.system && scope && ('project' in scope || 'domain' in scope))
    throw forbiddenAction('Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.')
}
