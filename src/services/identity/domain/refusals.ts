import { Problem } from '../../../kit/errors.ts'

/** The same words for whatever is wrong with who asks. */
export const refused = (cause?: unknown): Problem =>
  new Problem('unauthenticated', 'The request you have made requires authentication.', { cause })

export const expecting = (attribute: string, target: string): Problem =>
  new Problem(
    'invalid',
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  )

export const forbiddenAction = (action: string): Problem =>
  new Problem('forbidden', `You are not authorized to perform the requested action: ${action}`)
