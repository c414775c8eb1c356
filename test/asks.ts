import { appendFileSync } from 'node:fs'
import type { Endpoint } from '../src/kit/http/endpoint.ts'
import { kinds, type ServiceName } from '../src/main/services.ts'

/** Services whose endpoints declare every rule they ask. */
const declaring: ServiceName[] = ['identity', 'image']

/**
 * Sees to it that handlers ask no API rule which their endpoint does not declare (rules that only are parts of others are free). Where ALTOSTACK_TEST_ASKED
 * names a file, `tell` adds a line there for each rule that was asked: `npm run surface -- --asked` reads it.
 */
export function watchAsks() {
  const names = (name: ServiceName) => kinds.find((kind) => kind.name === name)?.policies ?? []
  const rules = new Map(
    declaring.map((name) => [name, new Set(names(name).flatMap((rule) => (rule.operations?.length ? [rule.name] : [])))]),
  )
  const asked = new Set<string>()
  return {
    note(service: ServiceName, endpoint: Endpoint, rule: string): void {
      if (!rules.get(service)?.has(rule)) return
      const { method, path, policy, visible, alsoAsks } = endpoint
      if (![policy, visible, ...alsoAsks].includes(rule))
        throw new Error(`${service} ${method} ${path} asks ${rule}, which is not in its alsoAsks`)
      asked.add(`${service} ${method} ${path} ${rule}\n`)
    },
    tell(): void {
      const file = process.env['ALTOSTACK_TEST_ASKED']
      if (file !== undefined) appendFileSync(file, [...asked].join(''))
    },
  }
}
