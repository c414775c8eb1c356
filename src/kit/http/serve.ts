import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { withContext } from '../context.ts'
import { isProblem, Problem } from '../errors.ts'
import { requestId as newRequestId } from '../ids.ts'
import type { Log } from '../log.ts'
import { permitsRequest } from '../policy/access-rules.ts'
import type { Caller } from '../policy/caller.ts'
import type { Policy } from '../policy/policy.ts'
import { readJson, refuseUnstorable } from './body.ts'
import { type Dialect, noToken } from './dialect.ts'
import { type Ask, type Endpoint, type Query, Reply, type Target } from './endpoint.ts'
import { answerFailures } from './failures.ts'
import { matches, ownProject, type Route, routesOf, urlsOf } from './routes.ts'
import { describeIssue, openValidators } from './validate.ts'
import { commonHeaders, negotiate } from './version.ts'

export type ServeOptions = {
  /** For logs: compute, image, … */
  name: string
  /** Type in the catalog, by which access rules name it. Default: the name. */
  type?: string
  dialect: Dialect
  endpoints: Endpoint[]
  policy: Policy
  /** Gives the caller a token stands for; undefined: the token is not valid. */
  authenticate(token: string): Promise<Caller | undefined>
  log: Log
  /** Address in the WWW-Authenticate header of a 401. */
  identityUrl(): string
  /** Told of every rule a handler asks, before it is answered. */
  asked?: ((endpoint: Endpoint, rule: string) => void) | undefined
}

const nobody: Caller = {
  userId: '',
  userName: '',
  userDomainId: '',
  projectId: undefined,
  projectName: undefined,
  projectDomainId: undefined,
  domainId: undefined,
  system: false,
  roles: [],
  methods: [],
  delegation: undefined,
  auditIds: [],
  expiresAt: 0,
}

/** One service's HTTP face: match the route, negotiate the version, authenticate, load the subject, enforce policy, validate, handle. */
export function serve(options: ServeOptions): FastifyInstance {
  const { dialect, log, policy } = options
  const validators = openValidators()
  const lowest = dialect.versions?.min ?? 0
  const fail = answerFailures(options)
  const failUnrouted = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    fail(request, reply, error, { version: lowest, requestId: newRequestId() })
  const app = fastify({
    logger: false,
    exposeHeadRoutes: true,
    bodyLimit: 1 << 20,
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: dialect.isSlashStrict !== true },
    // What the router cannot read (an escape that is none, an id longer than any) names nothing we have.
    frameworkErrors: (_, request, reply) => void failUnrouted(noRoute(), request, reply),
  })
  // Bodies are read by us: JSON with a limit after authentication, streams not at all.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload))

  const answer = async (route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const requestId = newRequestId()
    const global = request.headers['x-openstack-request-id']
    return withContext({ requestId }, async () => {
      const started = performance.now()
      let version = lowest
      try {
        const headers = request.headers as Record<string, string | undefined>
        version = negotiate(dialect, headers)
        const ask = await prepare(route, request, version, requestId)
        return send(reply, await ask.endpoint.handle(ask), ask.endpoint, version, requestId)
      } catch (error) {
        return fail(request, reply, error, { version, requestId })
      } finally {
        const ms = Math.round((performance.now() - started) * 10) / 10
        log.debug(
          { service: options.name, method: request.method, url: request.url, status: reply.statusCode, ms, global },
          'answered',
        )
      }
    })
  }

  const prepare = async (route: Route, request: FastifyRequest, version: number, requestId: string) => {
    const headers = request.headers as Record<string, string | undefined>
    const first = route.endpoints[0]!
    const caller = first.policy === 'public' ? nobody : await identify(headers, request, first)
    const body = first.body === 'stream' || first.body === 'none' ? undefined : await readJson(request.raw, headers)
    const endpoint = choose(route, version, body)
    const ask: Ask & { endpoint: Endpoint } = {
      endpoint,
      params: request.params as Record<string, string>,
      query: queryOf(request.query as Record<string, string | string[]>),
      body,
      version,
      caller,
      subject: undefined,
      headers,
      stream: request.raw,
      origin: `${request.protocol}://${request.host}`,
      url: request.url,
      requestId,
      can(rule, target) {
        options.asked?.(endpoint, rule)
        return policy.allows(rule, caller, target ?? current)
      },
    }
    // Characters come decoded; only these escapes can have made one that is none.
    if (/%00|%ED%[AB]/i.test(request.url)) refuseUnstorable([ask.params, ask.query])
    refuseOtherProject(ask.params[ownProject], caller)
    let current: Target = { project_id: caller.projectId, user_id: caller.userId }
    await loadSubject(ask)
    current = await targetOf(ask)
    enforce(ask, current)
    checkSchema(endpoint.query, ask.query, version, 'query')
    if (typeof endpoint.body !== 'string') checkSchema(endpoint.body, body, version, 'body')
    return ask
  }

  const identify = async (
    headers: Record<string, string | undefined>,
    { method, url }: FastifyRequest,
    { isBeyondAccessRules }: Endpoint,
  ): Promise<Caller> => {
    const token = headers['x-auth-token']
    const caller = token ? await options.authenticate(token) : undefined
    const path = url.split('?')[0]!
    const asked = { service: options.type ?? options.name, method, path }
    const isPermitted = !caller?.accessRules || isBeyondAccessRules || permitsRequest(caller.accessRules, asked)
    if (!caller || !isPermitted) throw new Problem('unauthenticated', noToken.error.message)
    return caller
  }

  const choose = (route: Route, version: number, body: unknown): Endpoint => {
    const fitting = route.endpoints.filter((one) => version >= one.since && version <= one.until)
    if (fitting.length === 0) throw new Problem('not-found', 'The resource could not be found.')
    const plain = fitting.find((one) => one.variant === undefined)
    if (plain) return plain
    const keys = typeof body === 'object' && body !== null ? Object.keys(body) : []
    const chosen = fitting.find((one) => keys.includes(one.variant!))
    if (!chosen || keys.length !== 1) {
      throw new Problem(
        'invalid',
        keys.length > 1 ? `Too many properties: ${keys.join(', ')}.` : `There is no such action: ${keys[0] ?? 'None'}`,
      )
    }
    return chosen
  }

  const loadSubject = async (ask: Ask & { endpoint: Endpoint }) => {
    const { endpoint } = ask
    if (!endpoint.subject) return
    ask.subject = await endpoint.subject(ask)
    if (ask.subject === undefined) throw missing(endpoint, ask.params)
  }

  const targetOf = async (ask: Ask & { endpoint: Endpoint }): Promise<Target> => {
    const { endpoint, caller } = ask
    if (endpoint.target) return endpoint.target(ask)
    if (endpoint.subject === undefined)
      return { project_id: caller.projectId, tenant_id: caller.projectId, user_id: caller.userId }
    const owned = ask.subject as { projectId?: string; userId?: string }
    return { project_id: owned.projectId, tenant_id: owned.projectId, user_id: owned.userId }
  }

  const enforce = ({ endpoint, caller, params }: Ask & { endpoint: Endpoint }, target: Target) => {
    if (endpoint.policy === 'public' || endpoint.policy === 'token') return
    if (policy.allows(endpoint.policy, caller, target)) return
    if (endpoint.visible !== undefined && !policy.allows(endpoint.visible, caller, target)) throw missing(endpoint, params)
    throw new Problem('forbidden', `Policy doesn't allow ${endpoint.policy} to be performed.`, {
      code: 'PolicyNotAuthorized',
      detail: { rule: endpoint.policy },
    })
  }

  const checkSchema = (schema: Endpoint['query'], value: unknown, version: number, where: 'body' | 'query') => {
    const issue = schema && validators.check(schema, value, where, version)
    if (issue) throw new Problem('invalid', (dialect.invalid ?? describeIssue)(issue))
  }

  const send = (reply: FastifyReply, result: unknown, endpoint: Endpoint, version: number, requestId: string): unknown => {
    const made = result instanceof Reply ? result : undefined
    const body = made ? made.body : result
    reply.code(made?.status ?? endpoint.status ?? (body === undefined ? 204 : 200))
    reply.headers({ ...commonHeaders(dialect, { version, requestId }), ...made?.headers })
    if (body === undefined) return reply.send()
    if (reply.getHeader('content-type') !== undefined) return reply.send(body)
    return reply.header('content-type', 'application/json').send(JSON.stringify(body))
  }

  const routes = routesOf(options.endpoints)
  for (const route of routes) {
    for (const url of urlsOf(route.path, dialect.bases)) {
      const method = route.method as 'GET'
      app.route({
        method,
        url,
        handler: (request, reply) => answer(route, request, reply),
        exposeHeadRoute: method === 'GET' && !routes.some((one) => one.method === 'HEAD' && one.path === route.path),
      })
    }
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = routes
      .filter((route) => urlsOf(route.path, dialect.bases).some((url) => matches(url, path)))
      .map((route) => route.method)
    if (allowed.length === 0) return failUnrouted(noRoute(), request, reply)
    reply.header('allow', [...new Set(allowed)].join(', '))
    const problem = new Problem('invalid', 'The method is not allowed for this resource.', { code: 'no-method' })
    return failUnrouted(problem, request, reply)
  })
  app.setErrorHandler(failUnrouted)
  return app
}

const noRoute = () => new Problem('not-found', 'The resource could not be found.', { code: 'no-route' })

const missing = (endpoint: Endpoint, params: Record<string, string>): Problem => {
  const id = Object.values(params).at(-1) ?? ''
  const said = endpoint.missing?.(params) ?? `Resource ${id} could not be found.`
  return isProblem(said) ? said : new Problem('not-found', said)
}

/** A project in the URL must be the token's own: it selects nothing, it only must not contradict. */
function refuseOtherProject(inUrl: string | undefined, { projectId }: Caller): void {
  if (inUrl === undefined || projectId === undefined || projectId === inUrl) return
  throw new Problem(
    'invalid',
    `Malformed request URL: URL's project_id '${inUrl}' doesn't match Context's project_id '${projectId}'`,
  )
}

function queryOf(raw: Record<string, string | string[]>): Query {
  const query: Query = {}
  for (const [name, value] of Object.entries(raw)) query[name] = Array.isArray(value) ? value : [value]
  return query
}
