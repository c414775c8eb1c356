import type { Readable } from 'node:stream'
import type { Static, TSchema } from 'typebox'
import type { Problem } from '../errors.ts'
import type { Caller } from '../policy/caller.ts'

/** What a policy rule may compare, as rows have it: `project_id`, `user_id`, and whatever the service's rules name. */
export type Target = Record<string, unknown>

/** All that a handler gets. Handlers speak the newest version; bodies and queries were checked against the asked version's schema. */
export type Ask<Body = unknown, Subject = unknown> = {
  params: Record<string, string>
  query: Query
  body: Body
  /** Minor number of the negotiated microversion: 79 is 2.79. 0 where the service has none. */
  version: number
  caller: Caller
  /** What `subject` loaded. */
  subject: Subject
  headers: Record<string, string | undefined>
  /** The raw body of an endpoint with `body: 'stream'`. */
  stream: Readable
  /** `http://host:port` as the client addressed us, for links. */
  origin: string
  /** Path and query as asked. */
  url: string
  requestId: string
  /** Asks another rule of the same service about the same target, or one given. */
  can(rule: string, target?: Target): boolean
}

/** Query parameters; a repeated one has several values. */
export type Query = Record<string, string[]>

export class Reply {
  readonly status: number | undefined
  readonly headers: Record<string, string>
  /** JSON, or a stream or text with a content-type header. */
  readonly body: unknown

  constructor({ status, headers = {}, body }: { status?: number; headers?: Record<string, string>; body?: unknown }) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}

export const reply = (parts: { status?: number; headers?: Record<string, string>; body?: unknown }): Reply => new Reply(parts)

type BodySchema = TSchema | 'stream' | 'none'

type BodyOf<B> = B extends TSchema ? Static<B> : unknown

export type EndpointDefinition<B extends BodySchema, Subject> = {
  /** `POST /servers/{server_id}/action#os-start`: what follows `#` is the one key of the body that selects this endpoint. */
  on: string
  /** The rule that must allow it; `public`: no token is needed; `token`: any valid token will do. */
  policy: string
  /** Tokens with access rules are good for it whatever the rules say. */
  isBeyondAccessRules?: boolean
  /** First and last microversion that has it, as `2.26`. */
  since?: string
  until?: string
  /** Default 200, 204 when the handler gives nothing. */
  status?: number
  /** Schema of the body, of each version when it differs. Default: no body is read. */
  body?: B | ((version: number) => TSchema)
  /** Schema of the query (values are arrays of text). Default: anything goes and is ignored. */
  query?: TSchema | ((version: number) => TSchema)
  /**
   * Loads what the path names. Undefined: 404. What the caller may not see by the rule `visible` is a 404 as well,
   * and only then does `policy` decide between the answer and 403.
   */
  subject?: (ask: Omit<Ask, 'subject' | 'body'> & { body: unknown }) => Promise<Subject | undefined>
  /** The rule that says who may know that the subject exists. Default: whoever `policy` allows gets 403 otherwise. */
  visible?: string
  /** Every other API rule that the handler asks by `can`, so that it is known who asks what; tests fail when one is missing here. */
  alsoAsks?: readonly string[]
  /** What the rules compare. Default: the subject's `projectId` and `userId`, or the caller's own when there is no subject. */
  target?: (ask: Omit<Ask, 'subject' | 'body'> & { body: unknown; subject: Subject }) => Target | Promise<Target>
  /** The 404, or its message. Default: `{noun} {id} could not be found.` as the dialect says it. */
  missing?: (params: Record<string, string>) => string | Problem
  handle: (ask: Ask<BodyOf<B>, Subject>) => Promise<unknown>
  /** A sentence for the API reference. */
  summary?: string
}

/** An endpoint as the kit keeps it: routes, policies, schemas and docs all come from these values. */
export type Endpoint = {
  method: string
  path: string
  variant: string | undefined
  policy: string
  isBeyondAccessRules: boolean
  since: number
  until: number
  status: number | undefined
  body: BodySchema | ((version: number) => TSchema)
  query: TSchema | ((version: number) => TSchema) | undefined
  subject: ((ask: Ask) => Promise<unknown>) | undefined
  visible: string | undefined
  alsoAsks: readonly string[]
  target: ((ask: Ask) => Target | Promise<Target>) | undefined
  missing: ((params: Record<string, string>) => string | Problem) | undefined
  handle: (ask: Ask) => Promise<unknown>
  summary: string
}

/** The number after the dot of a microversion: versions of one service differ in nothing else. */
export const minor = (version: string): number => Number(version.split('.')[1])

export function endpoint<const B extends BodySchema = 'none', Subject = undefined>(
  definition: EndpointDefinition<B, Subject>,
): Endpoint {
  const matched = /^(GET|POST|PUT|PATCH|DELETE|HEAD) (\/[^#]*)(?:#(.+))?$/.exec(definition.on)
  if (!matched) throw new Error(`an endpoint cannot be on "${definition.on}"`)
  const [, method = '', path = '', variant] = matched
  return {
    method,
    path,
    variant,
    policy: definition.policy,
    isBeyondAccessRules: definition.isBeyondAccessRules ?? false,
    since: definition.since === undefined ? 0 : minor(definition.since),
    until: definition.until === undefined ? Number.POSITIVE_INFINITY : minor(definition.until),
    status: definition.status,
    body: definition.body ?? 'none',
    query: definition.query,
    subject: definition.subject as Endpoint['subject'],
    visible: definition.visible,
    alsoAsks: definition.alsoAsks ?? [],
    target: definition.target as Endpoint['target'],
    missing: definition.missing,
    handle: definition.handle as unknown as Endpoint['handle'],
    summary: definition.summary ?? '',
  }
}
