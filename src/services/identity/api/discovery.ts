import { type Ask, type Endpoint, endpoint, type Reply, reply } from '../../../kit/http/endpoint.ts'
import { jsonHome } from './json-home.ts'

/** 3.14 is the last version the API ever counted. */
const versionOf = (origin: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${origin}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

/** The versions there are, at the root and at `/v3`; or, for who prefers it, all resources as JSON home (draft-nottingham-json-home). */
export function discoveryEndpoints(others: () => Endpoint[]): Endpoint[] {
  const home = (ask: Pick<Ask, 'headers'>, prefix: string): Reply | undefined =>
    prefersHome(ask.headers['accept'] ?? '')
      ? reply({
          headers: { 'content-type': 'application/json-home' },
          body: Buffer.from(JSON.stringify(jsonHome(others(), prefix))),
        })
      : undefined
  const root = async (ask: Ask) =>
    home(ask, '/v3') ??
    reply({
      status: 300,
      headers: { Location: `${ask.origin}/v3/` },
      body: { versions: { values: [versionOf(ask.origin)] } },
    })
  const v3 = async (ask: Ask) => home(ask, '') ?? { version: versionOf(ask.origin) }
  return [
    endpoint({ on: 'GET //', policy: 'public', summary: 'List the versions of the API', handle: root }),
    endpoint({ on: 'GET //v3', policy: 'public', summary: 'Show the version', handle: v3 }),
  ]
}

/** Whether a client would rather have JSON home than JSON; a tie is JSON. */
function prefersHome(accept: string): boolean {
  const weight = (type: string) => {
    const range = accept.split(',').find((part) => part.split(';')[0]!.trim().toLowerCase() === type)
    if (range === undefined) return 0
    return Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1)
  }
  const json = Math.max(weight('application/json'), weight('application/*'), weight('*/*'))
  return weight('application/json-home') > json
}
