import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import { newAuditId, type Payload, type PayloadScope } from './payload.ts'
import { findProject } from './project-tree.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Store } from './store.ts'
import { tokenLifeMicros } from './token-life.ts'
import { type Credentials, findCredentials } from './user-credentials.ts'

export type ByIdOrName = { id?: string | undefined; name?: string | undefined }
export type ByIdOrNameInDomain = ByIdOrName & { domain?: ByIdOrName | undefined }

/** What a login says. No scope: the user's default project, or none. */
export type Login = {
  methods: string[]
  password?: { user: ByIdOrNameInDomain; password: string } | undefined
  token?: { id: string } | undefined
  scope?: { project: ByIdOrNameInDomain } | { domain: ByIdOrName } | { system: true } | { unscoped: true } | undefined
}

export type Authentication = {
  /** A new token. Throws unauthenticated, with the same words after the same work, for whatever is wrong with who asks. */
  login(ask: Login): Promise<{ token: string; session: Session }>
  /** Who has this password. Throws unauthenticated. */
  checkPassword(user: ByIdOrNameInDomain, password: string): Promise<Credentials>
}

export type AuthenticationParts = { store: Store; sessions: Sessions; passwords: Passwords; clock: Clock }

export const refused = (cause?: unknown): Problem =>
  new Problem('unauthenticated', 'The request you have made requires authentication.', { cause })

export const expecting = (attribute: string, target: string): Problem =>
  new Problem(
    'invalid',
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  )

/** What the methods proved. */
type Proof = { user: Credentials; methods: string[]; chain: string | undefined; expiresAt: number }

export function openAuthentication({ store, sessions, passwords, clock }: AuthenticationParts): Authentication {
  const checkPassword: Authentication['checkPassword'] = async (named, password) => {
    if (named.id === undefined && named.domain === undefined) throw expecting('domain', 'user')
    const user = await findCredentials(store.read, named)
    const right = await passwords.matches(password, user?.passwordHash)
    if (!user || !right || !user.enabled) throw refused()
    if (user.passwordExpiresAt !== undefined && user.passwordExpiresAt <= clock.now()) throw refused()
    return user
  }

  const byToken = async (token: string): Promise<Proof> => {
    const session = await sessions.find(token)
    const user = session && (await findCredentials(store.read, { id: session.user.id }))
    if (!session || !user) throw refused()
    const { methods, auditIds, expiresAt } = session.payload
    return { user, methods: ['token', ...methods], chain: auditIds.at(-1), expiresAt }
  }

  const prove = async (ask: Login): Promise<Proof> => {
    const proofs: Proof[] = []
    for (const method of new Set(ask.methods)) {
      if (method === 'token' && ask.token) proofs.push(await byToken(ask.token.id))
      else if (method === 'password' && ask.password) {
        const user = await checkPassword(ask.password.user, ask.password.password)
        proofs.push({ user, methods: ['password'], chain: undefined, expiresAt: clock.now() + tokenLifeMicros })
      } else if (method === 'token' || method === 'password') throw expecting(method, 'identity')
      else throw new Problem('unauthenticated', 'Attempted to authenticate with an unsupported method.')
    }
    return together(proofs)
  }

  return {
    checkPassword,
    async login(ask) {
      // Before anything else is looked at: see revocations.ts.
      const generation = await store.generation()
      const proof = await prove(ask)
      const common = {
        userId: proof.user.id,
        methods: proof.methods,
        issuedAt: clock.now(),
        generation,
        // A token made of a token ends when that one does, and belongs to its chain.
        expiresAt: proof.expiresAt,
        auditIds: [newAuditId(), ...(proof.chain === undefined ? [] : [proof.chain])],
      } satisfies Omit<Payload, 'scope'>
      const scope = await scopeOf(store, ask, proof.user)
      const made = await sessions.issue({ ...common, scope })
      if (made) return made
      // A default project that cannot be used any more is no reason to lock somebody out.
      const fallback = ask.scope === undefined && scope.kind === 'project'
      const unscoped = fallback ? await sessions.issue({ ...common, scope: { kind: 'unscoped' } }) : undefined
      if (!unscoped) throw refused()
      return unscoped
    },
  }
}

/** Several methods must speak of one user; the earliest end holds. Rules of several factors must be met. */
function together(proofs: Proof[]): Proof {
  const [first] = proofs
  if (!first) throw expecting('methods', 'identity')
  if (proofs.some((proof) => proof.user.id !== first.user.id)) throw refused()
  const methods = [...new Set(proofs.flatMap((proof) => proof.methods))]
  if (!meetsFactors(first.user.options, methods)) throw refused()
  return {
    user: first.user,
    methods,
    chain: proofs.find((proof) => proof.chain !== undefined)?.chain,
    expiresAt: Math.min(...proofs.map((proof) => proof.expiresAt)),
  }
}

function meetsFactors(options: Record<string, unknown>, methods: string[]): boolean {
  const rules = options['multi_factor_auth_rules']
  if (options['multi_factor_auth_enabled'] !== true || !Array.isArray(rules) || rules.length === 0) return true
  return rules.some((rule) => Array.isArray(rule) && rule.every((method) => methods.includes(String(method))))
}

async function scopeOf({ read }: Store, { scope }: Login, user: Credentials): Promise<PayloadScope> {
  if (scope === undefined) {
    const id = user.defaultProjectId
    return id === '' || !(await findProject(read, id)) ? { kind: 'unscoped' } : { kind: 'project', id }
  }
  if ('unscoped' in scope) return { kind: 'unscoped' }
  if ('system' in scope) return { kind: 'system' }
  if ('domain' in scope) return { kind: 'domain', id: await domainIdOf(read, scope.domain) }
  const { id, name, domain } = scope.project
  if (id !== undefined) return { kind: 'project', id }
  if (domain === undefined) throw expecting('domain', 'project')
  const found = await read
    .selectFrom('identity_project')
    .select('id')
    .where('name', '=', name ?? '')
    .where('domain_id', '=', await domainIdOf(read, domain))
    .executeTakeFirst()
  if (!found) throw refused()
  return { kind: 'project', id: found.id }
}

async function domainIdOf(read: Store['read'], { id, name }: ByIdOrName): Promise<string> {
  if (id !== undefined) return id
  const found = await read
    .selectFrom('identity_project')
    .select('id')
    .where('name', '=', name ?? '')
    .where('is_domain', '=', 1)
    .executeTakeFirst()
  if (!found) throw refused()
  return found.id
}
