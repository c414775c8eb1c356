import type { Clock } from '../../../kit/clock.ts'
import type { AccessRule, Caller } from '../../../kit/policy/caller.ts'
import type { ApplicationCredential } from './application-credentials.ts'
import { type Delegation, delegatedRoleIds, delegationOf, kindOf } from './delegation.ts'
import { effectiveRoleIds, impliedRoles, nameRoles, type RoleName, type RoleScope, withImplied } from './effective-roles.ts'
import { openFernet, sealFernet } from './fernet.ts'
import type { Keys } from './keys.ts'
import { type Directories, trustedMicros } from './ldap/directories.ts'
import { type Payload, packPayload, unpackPayload } from './payload.ts'
import { findProject, type Project } from './project-tree.ts'
import { isRevoked } from './revocations.ts'
import type { Store } from './store.ts'

export type Named = { id: string; name: string }

/** What a token stands for at this moment. */
export type Session = {
  payload: Payload
  caller: Caller
  user: Named & { domain: Named; passwordExpiresAt: number | undefined }
  project: (Named & { domain: Named; isDomain: boolean }) | undefined
  domain: Named | undefined
  roles: RoleName[]
  delegation: Delegation
  /** Until then nobody must look whether its users are still in their directories. */
  trustedUntil: number
}

export type Sessions = {
  /** A new token; undefined when it would not be valid: no role on the scope, something disabled. */
  issue(payload: Payload): Promise<{ token: string; session: Session } | undefined>
  /** Undefined: unknown, expired (longer than `graceMicros` ago), revoked, or its user, project or roles are gone. */
  find(token: string, graceMicros?: number): Promise<Session | undefined>
}

const remembered = 5000

export type SessionParts = { store: Store; keys: Keys; directories: Directories; clock: Clock }

export function openSessions(parts: SessionParts): Sessions {
  const { store, keys, clock } = parts
  let generation = -1
  const known = new Map<string, Session>()
  const remember = (token: string, at: number, session: Session) => {
    if (at !== generation) return
    if (known.size >= remembered) known.delete(known.keys().next().value!)
    known.set(token, session)
  }
  const load = async (token: string): Promise<Session | undefined> => {
    const opened = openFernet(await keys.all(), token)
    return opened && sessionOf(parts, unpackPayload(opened.content))
  }
  return {
    async issue(payload) {
      const [key] = await keys.all()
      const session = await sessionOf(parts, payload)
      return session && { token: sealFernet(key!, packPayload(payload), Math.floor(payload.issuedAt / 1e6)), session }
    },
    async find(token, graceMicros = 0) {
      const now = await store.generation()
      if (now !== generation) {
        known.clear()
        generation = now
      }
      const last = known.get(token)
      const session = last && last.trustedUntil > clock.now() ? last : await load(token)
      if (!session) return undefined
      remember(token, now, session)
      // A token of a future that was lost, with the database restored from a backup, could not be revoked any more.
      if (session.payload.generation > now) return undefined
      return session.payload.expiresAt + graceMicros > clock.now() ? session : undefined
    },
  }
}

async function sessionOf(parts: SessionParts, payload: Payload): Promise<Session | undefined> {
  const { store } = parts
  const delegation = await delegationOf(store.read, payload)
  if (!delegation) return undefined
  const users = await enabledUsers(parts, delegation.userIds)
  const user = users?.find((one) => one.id === delegation.actorId)
  if (!users || !user) return undefined
  const place = await placeOf(store, payload)
  if (!place) return undefined
  const roles = await rolesOf(store, delegation, place.scope)
  if (place.scope.kind !== 'unscoped' && roles.length === 0) return undefined
  const { project, domain } = place
  const domainIds = [...users.map((one) => one.domain.id), project?.domain.id, domain?.id].filter((id) => id !== undefined)
  const { auditIds, generation } = payload
  const { userIds } = delegation
  if (await isRevoked(store, { auditIds, userIds, projectId: project?.id ?? '', domainIds, generation })) return undefined
  const trustedUntil = Math.min(...users.map((one) => one.trustedUntil))
  const session = { payload, user, project, domain, roles, delegation, trustedUntil }
  return { ...session, caller: callerOf(session) }
}

async function rolesOf(store: Store, delegation: Delegation, scope: RoleScope): Promise<RoleName[]> {
  const held = await effectiveRoleIds(store, delegation.ownerId, scope)
  if (held.length === 0 || !(delegation.trust || delegation.credential)) return nameRoles(store, held)
  const implied = await impliedRoles(store)
  return nameRoles(
    store,
    delegatedRoleIds(delegation, held, (ids) => withImplied(ids, implied)),
  )
}

type SessionUser = Session['user'] & { trustedUntil: number }

/** Undefined when one of them is gone, or is disabled, or its domain is. */
async function enabledUsers({ store, directories, clock }: SessionParts, ids: string[]): Promise<SessionUser[] | undefined> {
  const load = () =>
    store.read
      .selectFrom('identity_user as user')
      .innerJoin('identity_project as domain', 'domain.id', 'user.domain_id')
      .select(['user.id', 'user.name', 'user.domain_id', 'user.enabled', 'user.local_id', 'user.seen_at'])
      .select(['user.password_expires_at', 'domain.name as domain_name', 'domain.enabled as domain_enabled'])
      .where('user.id', 'in', ids)
      .execute()
  let rows = await load()
  const stale = rows.filter((row) => row.local_id !== '' && row.seen_at + trustedMicros <= clock.now())
  if (stale.length > 0) {
    await directories.confirm(stale.map((row) => row.id))
    rows = await load()
  }
  if (rows.length !== ids.length || rows.some((row) => !row.enabled || !row.domain_enabled)) return undefined
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    domain: { id: row.domain_id, name: row.domain_name },
    passwordExpiresAt: row.password_expires_at || undefined,
    trustedUntil: row.local_id === '' ? Number.POSITIVE_INFINITY : row.seen_at + trustedMicros,
  }))
}

type Place = Pick<Session, 'project' | 'domain'> & { scope: RoleScope }

/** The scope as it is now; undefined when it is gone or disabled. */
async function placeOf(store: Store, { scope }: Payload): Promise<Place | undefined> {
  if (scope.kind === 'unscoped' || scope.kind === 'system') return { scope, project: undefined, domain: undefined }
  const found = await findProject(store.read, scope.id)
  if (!found?.enabled) return undefined
  if (scope.kind === 'domain') return found.isDomain ? { scope, project: undefined, domain: nameOf(found) } : undefined
  const domain = found.isDomain ? found : await findProject(store.read, found.domainId)
  if (!domain?.enabled) return undefined
  return {
    scope: { ...scope, project: found },
    project: { ...nameOf(found), domain: nameOf(domain), isDomain: found.isDomain },
    domain: undefined,
  }
}

const nameOf = ({ id, name }: Project): Named => ({ id, name })

const callerOf = ({ payload, user, project, domain, roles, delegation }: Omit<Session, 'caller' | 'trustedUntil'>): Caller => ({
  userId: user.id,
  userName: user.name,
  userDomainId: user.domain.id,
  projectId: project?.id,
  projectName: project?.name,
  projectDomainId: project?.domain.id,
  domainId: domain?.id,
  system: payload.scope.kind === 'system',
  roles: roles.map((role) => role.name),
  methods: payload.methods,
  delegation: kindOf(delegation, payload.methods),
  delegationId: payload.via?.id,
  accessRules: delegation.credential && rulesFor(delegation.credential),
  auditIds: payload.auditIds,
  expiresAt: payload.expiresAt,
})

const rulesFor = ({ rules }: ApplicationCredential): AccessRule[] | undefined =>
  rules.length === 0 ? undefined : rules.map(({ service, method, path }) => ({ service, method, path }))
