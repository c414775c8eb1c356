import type { Endpoint } from './endpoint.ts'

/** Endpoints of one method and path: they differ by microversion or by the key of their body. */
export type Route = { method: string; path: string; endpoints: Endpoint[] }

/** Name of the path parameter of bases like `/v2.1/{own_project}`: ids only, so that it never takes the place of a collection's name. */
export const ownProject = 'own_project'

export function routesOf(endpoints: Endpoint[]): Route[] {
  const byKey = new Map<string, Route>()
  for (const one of endpoints) {
    const key = `${one.method} ${one.path}`
    const route = byKey.get(key) ?? { method: one.method, path: one.path, endpoints: [] }
    route.endpoints.push(one)
    byKey.set(key, route)
  }
  return [...byKey.values()]
}

/** The router's patterns for a path below each base. `//` at the start of a path: it is complete. */
export function urlsOf(path: string, bases: string[]): string[] {
  const whole = path.startsWith('//') ? [path.slice(1)] : bases.map((base) => `${base}${path}`)
  return whole.map((url) =>
    url.replace(/\{([^}]+)\}/g, (_, name) => (name === ownProject ? `:${name}(^[0-9a-f-]{32,36}$)` : `:${name}`)),
  )
}

/** Whether a router's pattern fits a path, asked only when no route did: it makes a 405 out of a 404. */
export const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/:\w+(\([^)]*\))?/g, '[^/]+')}/?$`).test(path)
