import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { placementDialect } from './dialect.ts'
import { fresh } from './wire.ts'

/** Links are empty on purpose: the service does not know under which address it is reached. */
export function rootEndpoints(): Endpoint[] {
  const { major, min, max } = placementDialect.versions!
  const versions = [
    {
      id: `v${major}.${min}`,
      max_version: `${major}.${max}`,
      min_version: `${major}.${min}`,
      status: 'CURRENT',
      links: [{ rel: 'self', href: '' }],
    },
  ]
  return [
    endpoint({
      on: 'GET //',
      policy: 'public',
      summary: 'List API versions',
      handle: async (ask) => fresh(ask, undefined, { body: { versions } }),
    }),
  ]
}
