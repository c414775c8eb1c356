import { day, second } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import type { IdentityTx } from '../tables.ts'
import type { Extra, Reader } from './names.ts'
import type { Credentials } from './user-credentials.ts'

/** What an operator asks of passwords. Nothing, by default. */
export type PasswordRules = {
  /** So many wrong passwords lock the account. */
  lockoutFailureAttempts?: number
  /** Default 1800. */
  lockoutDurationSeconds?: number
  passwordExpiresDays?: number
  /** A new password must not be one of so many last ones. */
  uniqueLastPasswordCount?: number
  /** A chosen password must be used for so long. */
  minimumPasswordAgeDays?: number
  /** In JavaScript's syntax; must match from the start. */
  passwordRegex?: string
  /** The same in words, for who chose one that does not match. */
  passwordRegexDescription?: string
  /** A password that somebody else set is good for nothing but choosing another. */
  changePasswordUponFirstUse?: boolean
  /** Who did not log in for so long is disabled. */
  disableUserAccountDaysInactive?: number
}

const isSet = (options: Extra, name: string): boolean => options[name] === true

export function isLocked(rules: PasswordRules, { failedCount, failedAt, options }: Credentials, now: number): boolean {
  const { lockoutFailureAttempts: attempts, lockoutDurationSeconds: seconds = 1800 } = rules
  if (attempts === undefined || failedCount < attempts || isSet(options, 'ignore_lockout_failure_attempts')) return false
  return failedAt + seconds * second > now
}

type Activity = { lastActiveAt: number; options: Extra }

export function isInactive(rules: PasswordRules, { lastActiveAt, options }: Activity, now: number): boolean {
  const { disableUserAccountDaysInactive: days } = rules
  if (days === undefined || lastActiveAt === 0 || isSet(options, 'ignore_user_inactivity')) return false
  return lastActiveAt + days * day <= now
}

/** When a password that is set now ends: 0 for never. */
export function endOfPassword(rules: PasswordRules, options: Extra, by: 'user' | 'administrator', now: number): number {
  const { passwordExpiresDays: days, changePasswordUponFirstUse: change } = rules
  if (by === 'administrator' && change && !isSet(options, 'ignore_change_password_upon_first_use')) return now
  return days === undefined || isSet(options, 'ignore_password_expiry') ? 0 : now + days * day
}

/** Throws invalid or forbidden. */
export function assertGoodPassword(rules: PasswordRules, password: string): void {
  if (password.length > 4096)
    throw new Problem(
      'forbidden',
      'The password length must be less than or equal to 4096. The server could not comply with the request because the password is invalid.',
    )
  const { passwordRegex: regex, passwordRegexDescription: description } = rules
  if (regex !== undefined && !new RegExp(`^(?:${regex})`).test(password))
    throw new Problem('invalid', `The password does not match the requirements: ${description ?? ''}.`)
}

export function assertOldEnough(rules: PasswordRules, user: Credentials, now: number): void {
  const { minimumPasswordAgeDays: days = 0 } = rules
  const left = user.passwordCreatedAt + days * day - now
  if (days === 0 || !user.passwordSelfService || left <= 0) return
  throw new Problem(
    'invalid',
    `You cannot change your password at this time due to the minimum password age. Once you change your password, it must be used for ${days} day(s) before it can be changed. Please try again in ${Math.floor(left / day)} day(s) or contact your administrator to reset your password.`,
  )
}

export async function assertUnused(
  { rules, passwords, read }: { rules: PasswordRules; passwords: Passwords; read: Reader },
  userId: string,
  password: string,
): Promise<void> {
  const { uniqueLastPasswordCount: count = 0 } = rules
  if (count === 0) return
  const rows = await read
    .selectFrom('identity_password_history')
    .select('password_hash')
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .limit(count)
    .execute()
  for (const row of rows)
    if (await passwords.matches(password, row.password_hash))
      throw new Problem(
        'invalid',
        `The new password cannot be identical to a previous password. The total number which includes the new password must be unique is ${count}.`,
      )
}

/** Keeps as many as the rule asks for, none without a rule. */
export async function rememberPassword(
  tx: IdentityTx,
  { uniqueLastPasswordCount: count = 0 }: PasswordRules,
  { userId, passwordHash, at }: { userId: string; passwordHash: string; at: number },
): Promise<void> {
  if (count > 0)
    await tx
      .insertInto('identity_password_history')
      .values({ user_id: userId, created_at: at, password_hash: passwordHash })
      .execute()
  const kept = await tx
    .selectFrom('identity_password_history')
    .select('created_at')
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .limit(count)
    .execute()
  await tx
    .deleteFrom('identity_password_history')
    .where('user_id', '=', userId)
    .where('created_at', '<', kept.at(-1)?.created_at ?? at + 1)
    .execute()
}
