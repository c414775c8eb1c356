import type { Endpoint } from '../../../kit/http/endpoint.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import { forbiddenAction } from '../domain/refusals.ts'

type Kind = NonNullable<Caller['delegation']>

/**
 * Endpoints that make, show or take away what one can log in with: a token that was delegated gets nothing there, whatever its roles, or it could
 * become more than was delegated. Asked before the rule and before the body is looked at. `except`: kinds that may, all the same.
 */
export const undelegated = (endpoints: Endpoint[], action: string, except: Kind[] = []): Endpoint[] =>
  endpoints.map((one) => {
    const { target } = one
    if (!target) throw new Error(`${one.method} ${one.path} says nothing of its target`)
    return {
      ...one,
      target(ask) {
        const { delegation } = ask.caller
        if (delegation !== undefined && !except.includes(delegation)) throw forbiddenAction(action)
        return target(ask)
      },
    }
  })
