import type { Endpoint } from '../../src/kit/http/endpoint.ts'
import { urlsOf } from '../../src/kit/http/routes.ts'

export type SurfaceRow = { service: string; method: string; path: string; flags: string[] }

export const parseSurface = (text: string): SurfaceRow[] =>
  text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [service = '', , method = '', path = '', , , , , flag = ''] = line.split('\t')
      return { service, method, path, flags: flag.split(';').filter((one) => one !== '') }
    })

export type PolicyFact = { service: string; rule: string; operations: string }

export const parsePolicies = (text: string): PolicyFact[] =>
  text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [service = '', rule = '', , , , , operations = ''] = line.split('\t')
      return { service, rule, operations }
    })

/** Rows nobody has to build: gone, always an error, or another project's. HEAD of GET comes by itself. */
const uncounted =
  /^(legacy|legacy-removed|retired-project|separate-project|removed-|fixed-|not-implemented|until-|redirect|head-of-get|variant)/

export const isCore = (row: SurfaceRow): boolean => !row.flags.some((flag) => uncounted.test(flag))

/** One spelling for `/servers/{server_id}` and `/servers/:id`; an action stays apart by what follows `#`. */
const normal = (path: string): string => path.replace(/\{[^}]+\}|:\w+(\([^)]*\))?/g, '{}').replace(/\/+$/, '') || '/'

/** Everything a service answers, as `METHOD /path#variant` with anonymous parameters. */
export function answered(endpoints: Endpoint[], bases: string[]): Set<string> {
  const all = new Set<string>()
  for (const { method, path, variant } of endpoints) {
    for (const url of [...urlsOf(path, bases), path]) {
      all.add(`${method} ${normal(url)}`)
      if (variant !== undefined) all.add(`${method} ${normal(url)}#${variant}`)
    }
  }
  return all
}

export const isDone = (row: SurfaceRow, known: Set<string>): boolean => {
  const [path = '', variant] = row.path.split('#')
  // HEAD comes with every GET.
  const method = row.method === 'HEAD' && !known.has(`HEAD ${normal(path)}`) ? 'GET' : row.method
  const plain = `${method} ${normal(path)}`
  return variant === undefined ? known.has(plain) : known.has(`${plain}#${variant}`)
}
