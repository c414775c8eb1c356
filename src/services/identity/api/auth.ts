import { type Static, Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, type Reply, reply } from '../../../kit/http/endpoint.ts'
import type { Authentication, Unfinished } from '../domain/authenticate.ts'
import type { Catalog } from '../domain/catalog.ts'
import type { Ec2 } from '../domain/ec2.ts'
import type { Login } from '../domain/login.ts'
import { expecting, refused } from '../domain/refusals.ts'
import { revoke } from '../domain/revocations.ts'
import type { Session, Sessions } from '../domain/sessions.ts'
import type { Store } from '../domain/store.ts'
import { expiredWindowMicros } from '../domain/token-life.ts'
import { receiptView } from './receipt-view.ts'
import { signedRequestEndpoints } from './signed-requests.ts'
import { tokenView } from './token-view.ts'
import { isTrue } from './wire.ts'

const IdOrName = Type.Object({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) })
const IdOrNameInDomain = Type.Object({ ...IdOrName.properties, domain: Type.Optional(IdOrName) })

const Auth = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Array(Type.String(), { maxItems: 20 }),
      password: Type.Optional(
        Type.Object({ user: Type.Object({ ...IdOrNameInDomain.properties, password: Type.String({ maxLength: 4096 }) }) }),
      ),
      token: Type.Optional(Type.Object({ id: Type.String() })),
      totp: Type.Optional(
        Type.Object({ user: Type.Object({ ...IdOrNameInDomain.properties, passcode: Type.String({ maxLength: 64 }) }) }),
      ),
      application_credential: Type.Optional(
        Type.Object({
          ...IdOrName.properties,
          user: Type.Optional(IdOrNameInDomain),
          secret: Type.String({ maxLength: 4096 }),
        }),
      ),
    }),
    scope: Type.Optional(
      Type.Union([
        Type.String(),
        Type.Object({
          project: Type.Optional(IdOrNameInDomain),
          domain: Type.Optional(IdOrName),
          system: Type.Optional(Type.Object({ all: Type.Boolean() })),
          unscoped: Type.Optional(Type.Unknown()),
          'OS-TRUST:trust': Type.Optional(Type.Object({ id: Type.String() })),
        }),
      ]),
    ),
  }),
})

type AuthBody = Static<typeof Auth>['auth']

export type AuthParts = {
  store: Store
  catalog: Catalog
  sessions: Sessions
  authentication: Authentication
  ec2: Ec2
  clock: Clock
}

export function authEndpoints({ store, catalog, sessions, authentication, ec2, clock }: AuthParts): Endpoint[] {
  // A session is forgotten when anything is written, so what was once said of it holds as long as it is found.
  const bodies = new WeakMap<Session, { full?: string; short?: string }>()
  const bodyOf = async ({ query }: Pick<Ask, 'query'>, session: Session): Promise<string> => {
    const kind = query['nocatalog'] === undefined && session.payload.scope.kind !== 'unscoped' ? 'full' : 'short'
    const known = bodies.get(session) ?? {}
    bodies.set(session, known)
    const who = { userId: session.delegation.trust?.trustorId ?? session.user.id, projectId: session.project?.id }
    known[kind] ??= JSON.stringify(tokenView(session, kind === 'full' ? await catalog.for(who) : undefined))
    return known[kind]
  }
  const answer = async (ask: Pick<Ask, 'query'>, token: string, session: Session, status: number): Promise<Reply> =>
    reply({
      status,
      headers: { 'X-Subject-Token': token, 'content-type': 'application/json' },
      body: await bodyOf(ask, session),
    })
  const subject = async ({ headers, query }: Pick<Ask, 'headers' | 'query'>): Promise<Subject> => {
    const token = headers['x-subject-token']
    if (!token) throw new Problem('not-found', 'No token in the request')
    const grace = isTrue(query['allow_expired']) ? expiredWindowMicros : 0
    const session = await sessions.find(token, grace)
    // Who does not know access rules must not take the token for one that may do anything.
    if (!session || (session.caller.accessRules && !knowsRules(headers)))
      throw new Problem('not-found', `Could not find token: ${token.slice(0, 500)}.`)
    return { token, session }
  }
  const target = ({ subject: { session } }: { subject: Subject }) => ({ target: { token: { user_id: session.user.id } } })
  const show = {
    subject,
    target,
    handle: (ask: Ask<unknown, Subject>) => answer(ask, ask.subject.token, ask.subject.session, 200),
  }
  return [
    endpoint({
      on: 'POST /auth/tokens',
      policy: 'public',
      body: Auth,
      summary: 'Authenticate and issue a token',
      async handle(ask) {
        const made = await authentication.login(loginOf(ask.body.auth, ask.headers['openstack-auth-receipt']))
        return 'receipt' in made ? receiptAnswer(made) : answer(ask, made.token, made.session, 201)
      },
    }),
    endpoint({
      on: 'GET /auth/tokens',
      policy: 'identity:validate_token',
      isBeyondAccessRules: true,
      summary: 'Validate and show a token',
      ...show,
    }),
    endpoint({ on: 'HEAD /auth/tokens', policy: 'identity:check_token', summary: 'Check a token', ...show }),
    endpoint({
      on: 'DELETE /auth/tokens',
      policy: 'identity:revoke_token',
      summary: 'Revoke a token, and those made of it when it was the first of its chain',
      subject,
      target,
      async handle({ subject: { session } }) {
        const [auditId, parent] = session.payload.auditIds
        await store.write(async (tx) => {
          await revoke(tx, { auditId: auditId! }, clock)
          if (parent === undefined) await revoke(tx, { auditChainId: auditId! }, clock)
        })
      },
    }),
    ...signedRequestEndpoints(ec2, async ({ token, session }, { withToken }) =>
      reply({
        headers: { ...(withToken && { 'X-Subject-Token': token }), 'content-type': 'application/json' },
        body: await bodyOf({ query: {} }, session),
      }),
    ),
  ]
}

const knowsRules = (headers: Ask['headers']): boolean => Number(headers['openstack-identity-access-rules'] ?? 0) >= 1

const receiptAnswer = (unfinished: Unfinished): Reply =>
  reply({
    status: 401,
    headers: { 'Openstack-Auth-Receipt': unfinished.receipt.text },
    body: receiptView(unfinished),
  })

type Subject = { token: string; session: Session }

/** From the wire to a login; what only looks like one is refused here. */
function loginOf({ identity, scope }: AuthBody, receipt: string | undefined): Login {
  const { password, token, totp, application_credential: applicationCredential, methods } = identity
  if (password && methods.includes('password')) assertNamed(password.user, 'password')
  if (totp && methods.includes('totp')) assertNamed(totp.user, 'totp')
  return {
    methods,
    password: password && { user: password.user, password: password.user.password },
    token,
    totp: totp && { user: totp.user, passcode: totp.user.passcode },
    applicationCredential,
    receipt,
    scope: scopeOf(scope),
  }
}

function assertNamed(named: { id?: string; name?: string; domain?: { id?: string; name?: string } }, method: string): void {
  if (named.id === undefined && named.name === undefined)
    throw new Problem('invalid', `Invalid input for field identity/${method}/user: id or name must be present.`)
  const { domain } = named
  if (domain && domain.id === undefined && domain.name === undefined)
    throw new Problem('invalid', `Invalid input for field identity/${method}/user/domain: id or name must be present.`)
}

function scopeOf(scope: AuthBody['scope']): Login['scope'] {
  if (scope === undefined) return undefined
  if (typeof scope === 'string') {
    if (scope === 'unscoped') return { unscoped: true }
    throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  }
  const { project, domain, system, unscoped, 'OS-TRUST:trust': trust } = scope
  const given = ['project', 'domain', 'system', 'unscoped', 'OS-TRUST:trust'].filter((name) => name in scope)
  if (given.length !== 1) throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  if (unscoped !== undefined) return { unscoped: true }
  if (system) {
    if (!system.all) throw expecting('all', 'system')
    return { system: true }
  }
  for (const [noun, named] of [
    ['project', project],
    ['domain', domain],
  ] as const)
    if (named && named.id === undefined && named.name === undefined) throw expecting('id or name', noun)
  if (project) return { project }
  if (domain) return { domain }
  if (trust) return { trust }
  throw refused()
}
