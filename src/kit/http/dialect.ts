import type { Problem, ProblemKind } from '../errors.ts'

/** What is odd about a whole service: how it says versions, errors and addresses. */
export type Dialect = {
  /** Where the API's paths hang: `['/v2.1', '/v2.1/{own_project}']`. A path that starts with `//` is complete and hangs nowhere. */
  bases: string[]
  /** True: a path with a slash at its end names nothing. Default: the same as without. */
  isSlashStrict?: boolean
  /** Microversions; undefined: the service has none. */
  versions?: {
    /** Name in `OpenStack-API-Version: compute 2.79`. */
    type: string
    major: number
    min: number
    max: number
    /** An older header of the same meaning that carries the bare number. */
    legacyHeader?: string
  }
  /** Where a kind has another status code than usual. */
  status?: Partial<Record<ProblemKind, number>>
  /** Where one problem (by its `code`) has another status than its kind; undefined: as the kind says. */
  statusOf?: (problem: Problem) => number | undefined
  /** The body of an error. `contentType` other than JSON: `body` is text. */
  error(failure: Failure): { body: unknown; contentType?: string; headers?: Record<string, string> }
  /** Headers of every answer of the service. */
  headers?: (ask: { requestId: string; version: number }) => Record<string, string>
  /** Turns what the schema said into the sentence users of this service know. */
  invalid?: (issue: SchemaIssue) => string
}

export type Failure = {
  status: number
  message: string
  problem: Problem
  requestId: string
  /** The negotiated microversion's minor number; the lowest where none was negotiated. */
  version: number
  accept: string
  method: string
  path: string
}

export type SchemaIssue = {
  /** `server/name`, or empty for the body itself. */
  at: string
  keyword: string
  message: string
  params: Record<string, unknown>
  value: unknown
  where: 'body' | 'query'
}

const usualStatus: Record<ProblemKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'not-acceptable': 406,
  conflict: 409,
  'over-quota': 403,
  'no-capacity': 409,
  'precondition-failed': 412,
  'too-large': 413,
  unavailable: 503,
  internal: 500,
}

/** 405 is no kind: only the router can find that a path knows other methods. */
export const statusOf = (dialect: Dialect, problem: Problem): number => {
  if (problem.code === 'no-method') return 405
  return dialect.statusOf?.(problem) ?? dialect.status?.[problem.kind] ?? usualStatus[problem.kind]
}

export const reasonPhrase: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

/** The body of a 401 where a token is missing or bad: the same for all services, since one middleware gives it. */
export const noToken = {
  error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
}
