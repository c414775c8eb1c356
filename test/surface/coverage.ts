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

export type PolicyFact = { service: string; rule: string; check: string; operations: string }

export const parsePolicies = (text: string): PolicyFact[] =>
  text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [service = '', rule = '', check = '', , , , operations = ''] = line.split('\t')
      return { service, rule, check: check === '(empty: any)' ? '' : check, operations }
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

const reasons: [RegExp, string][] = [
  [/OS-FEDERATION/, 'federation with outside providers: a later issue'],
  [/OS-OAUTH1/, 'OAuth1: out of scope'],
  [/OS-OAUTH2/, 'OAuth2: out of scope'],
  [/OS-PKI/, 'PKI tokens are retired'],
]

/** Why a path is not to be answered; undefined: it is. */
export const pathLeft = (path: string): string | undefined => reasons.find(([part]) => part.test(path))?.[1]

const unasked: Record<string, string> = {
  'identity:list_projects_for_user': 'Keystone asks it at /OS-FEDERATION/projects; /auth/projects has identity:get_auth_projects',
  'identity:list_domains_for_user': 'Keystone asks it at /OS-FEDERATION/domains; /auth/domains has identity:get_auth_domains',
  set_image_location: 'PATCH of locations is refused to everybody, as Glance does by default; POST has add_image_location',
  modify_task: 'nobody changes a task: Glance has DELETE in its table and not in its API',
}

/** Why nobody asks a rule; undefined: somebody must. */
export const ruleLeft = ({ rule, operations }: PolicyFact): string | undefined => unasked[rule] ?? pathLeft(operations)

/** Every API rule the endpoints ask, whether before the handler or in it. */
export const askedRules = (endpoints: Endpoint[]): Set<string> =>
  new Set(
    endpoints.flatMap(({ policy, visible, alsoAsks }) => [policy, ...(visible === undefined ? [] : [visible]), ...alsoAsks]),
  )
