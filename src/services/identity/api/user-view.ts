import { isoMicros } from '../../../kit/clock.ts'
import type { Ask } from '../../../kit/http/endpoint.ts'
import type { User } from '../domain/users.ts'
import * as wire from './wire.ts'

export const userView =
  (ask: Pick<Ask, 'origin'>) =>
  (user: User): object => ({
    ...user.extra,
    id: user.id,
    name: user.name,
    domain_id: user.domainId,
    enabled: user.enabled,
    ...(user.defaultProjectId !== '' && { default_project_id: user.defaultProjectId }),
    options: user.options,
    password_expires_at: user.passwordExpiresAt === undefined ? null : isoMicros(user.passwordExpiresAt),
    links: { self: wire.linkTo(ask, `users/${user.id}`) },
  })

/** What rules compare of a user; nothing when there is none, so that only who may see all learns that. */
export const userTarget = (user: Pick<User, 'id' | 'domainId'> | undefined) =>
  user && { user: { id: user.id, domain_id: user.domainId } }
