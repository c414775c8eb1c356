import type { FastifyReply, FastifyRequest } from 'fastify'
import { explainError, isProblem, Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Dialect, noToken, statusOf } from './dialect.ts'
import { commonHeaders } from './version.ts'

export type FailuresOptions = { name: string; dialect: Dialect; log: Log; identityUrl(): string }

/** Answers a request that failed. `version`: the negotiated one, or the lowest. */
export type AnswerFailure = (
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  asked: { version: number; requestId: string },
) => FastifyReply

/** Whatever was thrown, as users of this service know it: a Problem as its dialect says it, anything else as a bug that gives nothing away. */
export function answerFailures({ name, dialect, log, identityUrl }: FailuresOptions): AnswerFailure {
  /** Nobody is left to hear it. */
  const hangUp = (): Problem => {
    log.info({ service: name }, 'the client went away before its body was whole')
    return new Problem('invalid', 'The body is not whole.')
  }

  const unexpected = (error: unknown): Problem => {
    log.error({ service: name, error: explainError(error), stack: error instanceof Error ? error.stack : undefined }, 'a bug')
    return new Problem('internal', 'Unexpected API Error. Please report it with the request id of this answer.')
  }

  /** What the answer keeps back is for whoever runs this cloud. */
  const noted = (problem: Problem): Problem => {
    if (problem.kind === 'unavailable' && problem.cause !== undefined)
      log.warn({ service: name, error: explainError(problem) }, 'something needed does not work')
    return problem
  }

  const problemOf = (request: FastifyRequest, error: unknown): Problem => {
    if (isProblem(error)) return noted(error)
    return isHangUp(request, error) ? hangUp() : unexpected(error)
  }

  return (request, reply, error, { version, requestId }) => {
    const problem = problemOf(request, error)
    const status = statusOf(dialect, problem)
    reply.headers(commonHeaders(dialect, { version, requestId })).code(status)
    // Who sends a body we did not read must not have it taken for the next request.
    if (!request.raw.complete && status >= 400) reply.header('connection', 'close')
    if (problem.kind === 'unauthenticated') {
      reply.header('www-authenticate', `Keystone uri="${identityUrl()}"`)
      if (name !== 'identity') return reply.header('content-type', 'application/json').send(JSON.stringify(noToken))
    }
    const { body, contentType, headers } = dialect.error({
      status,
      message: problem.message,
      problem,
      requestId,
      version,
      accept: request.headers.accept ?? '',
      method: request.method,
      path: request.url.split('?')[0]!,
    })
    reply.headers(headers ?? {}).header('content-type', contentType ?? 'application/json')
    return reply.send(contentType === undefined || contentType === 'application/json' ? JSON.stringify(body) : body)
  }
}

/** The client closed the connection while its body was read: Node ends the body with this very error. */
const isHangUp = ({ raw }: FastifyRequest, error: unknown): boolean =>
  raw.errored === error && (error as NodeJS.ErrnoException | null)?.code === 'ECONNRESET'
