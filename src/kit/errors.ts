/**
 * What a caller may hear about. Kinds exist only where some program must tell them apart;
 * which status code a kind becomes is known to dialects alone.
 */
export type ProblemKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'not-acceptable'
  | 'conflict'
  | 'over-quota'
  | 'no-capacity'
  | 'precondition-failed'
  | 'too-large'
  | 'unavailable'
  | 'internal'

export type ProblemOptions = {
  /** For the log, never for the user. */
  cause?: unknown
  /** A service's own stable name of the fault, e.g. Neutron's exception name or Placement's error code. */
  code?: string
  /** Facts a dialect may show beside the message. */
  detail?: Record<string, unknown>
}

/** An error whose message is written for the user. Anything else that is thrown is a bug and becomes a 500. */
export class Problem extends Error {
  readonly kind: ProblemKind
  readonly code: string | undefined
  readonly detail: Record<string, unknown>

  constructor(kind: ProblemKind, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.kind = kind
    this.code = options.code
    this.detail = options.detail ?? {}
  }
}

export const isProblem = (error: unknown, kind?: ProblemKind): error is Problem =>
  error instanceof Problem && (kind === undefined || error.kind === kind)

/** The chain of messages from an error to its root, for logs and histories. */
export const explainError = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${explainError(error.cause)}`
}
