import { assertNoTransaction, effect } from '../context.ts'

type Calls = { [name: string]: (ask: never) => Promise<unknown> }

/**
 * What one service lets others ask of it. Calls take and give plain JSON, may be repeated with the same result,
 * and never join the caller's transaction.
 */
export function connect<Contract extends object>(name: string, calls: Contract): Contract {
  return wrap(name, calls, (value) => value)
}

/** The same with everything cloned on its way in and out: tests find out who shares an object by accident. */
export function loopback<Contract extends object>(name: string, calls: Contract): Contract {
  return wrap(name, calls, (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value))))
}

function wrap<Contract extends object>(name: string, calls: Contract, pass: (value: unknown) => unknown): Contract {
  const wrapped: Record<string, unknown> = {}
  for (const [call, run] of Object.entries(calls as unknown as Calls)) {
    wrapped[call] = async (ask: unknown) => {
      assertNoTransaction(`${name}.${call}`)
      const answer = pass(await run(pass(ask) as never))
      effect(`${name}.${call}`)
      return answer
    }
  }
  return wrapped as Contract
}
