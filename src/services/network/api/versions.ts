import { endpoint } from '../../../kit/http/endpoint.ts'

/** What hangs below `/v2.0`, in its two spellings. */
const collections: [string, string][] = [
  ['network', 'networks'],
  ['subnet', 'subnets'],
  ['port', 'ports'],
  ['router', 'routers'],
  ['floatingip', 'floatingips'],
  ['security_group', 'security-groups'],
  ['security_group_rule', 'security-group-rules'],
  ['quota', 'quotas'],
  ['agent', 'agents'],
  ['extension', 'extensions'],
  ['availability_zone', 'availability_zones'],
]

const link = (href: string) => [{ rel: 'self', href }]

export const versionEndpoints = () => [
  endpoint({
    on: 'GET //',
    policy: 'public',
    handle: async ({ origin }) => ({ versions: [{ id: 'v2.0', status: 'CURRENT', links: link(`${origin}/v2.0/`) }] }),
  }),
  endpoint({
    on: 'GET //v2.0/',
    policy: 'public',
    handle: async ({ origin }) => ({
      resources: collections.map(([name, path]) => ({
        name,
        collection: path.replaceAll('-', '_'),
        links: link(`${origin}/v2.0/${path}`),
      })),
    }),
  }),
]
