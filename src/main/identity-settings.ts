import { type Static, Type } from 'typebox'
import type { CloudOptions } from './cloud.ts'

const number = Type.Optional(Type.Integer({ minimum: 1 }))
const exact = { additionalProperties: false } as const

/** Section `identity` of the configuration file. Nothing of it must be there. */
export const identityConfig = Type.Object(
  {
    /** Keystone's [security_compliance]. Default: no rules. */
    passwordRules: Type.Optional(
      Type.Object(
        {
          lockoutFailureAttempts: number,
          lockoutDurationSeconds: number,
          passwordExpiresDays: number,
          uniqueLastPasswordCount: Type.Optional(Type.Integer({ minimum: 0 })),
          minimumPasswordAgeDays: Type.Optional(Type.Integer({ minimum: 0 })),
          passwordRegex: Type.Optional(Type.String()),
          passwordRegexDescription: Type.Optional(Type.String()),
          changePasswordUponFirstUse: Type.Optional(Type.Boolean()),
          disableUserAccountDaysInactive: number,
        },
        exact,
      ),
    ),
    /** How limits of domains and projects go together. Default: flat. */
    limitModel: Type.Optional(Type.Unsafe<'flat' | 'strict_two_level'>({ enum: ['flat', 'strict_two_level'] })),
  },
  exact,
)

export type IdentityConfig = Static<typeof identityConfig>

/** Throws an error on an expression for passwords that cannot be read: found at the start, not when somebody changes a password. */
export function identitySettings(
  config: IdentityConfig,
  credentialKeys: string[] | undefined,
): NonNullable<CloudOptions['identity']> {
  const { passwordRules, limitModel } = config
  if (passwordRules?.passwordRegex !== undefined) new RegExp(passwordRules.passwordRegex)
  return {
    ...(passwordRules && { passwordRules }),
    ...(limitModel && { limitModel }),
    ...(credentialKeys && { credentialKeys }),
  }
}
