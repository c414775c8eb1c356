import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { maxVersion, minVersion } from './dialect.ts'

const entry = (origin: string) => ({
  id: 'v2.1',
  status: 'CURRENT',
  version: `2.${maxVersion}`,
  min_version: `2.${minVersion}`,
  updated: '2013-07-23T11:33:21Z',
  links: [{ rel: 'self', href: `${origin}/v2.1/` }],
})

const whole = (origin: string) => ({
  version: {
    ...entry(origin),
    links: [...entry(origin).links, { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
  },
})

export function versionEndpoints(): Endpoint[] {
  return [
    endpoint({ on: 'GET //', policy: 'public', handle: async ({ origin }) => ({ versions: [entry(origin)] }) }),
    endpoint({ on: 'GET //v2.1/', policy: 'public', handle: async ({ origin }) => whole(origin) }),
    endpoint({
      on: 'GET /versions/{id}',
      policy: 'token',
      async handle({ params, origin }) {
        if (params['id'] !== 'v2.1') throw new Problem('not-found', 'The resource could not be found.')
        return whole(origin)
      },
    }),
  ]
}

/** Nothing is optional any more; old clients ask all the same. Names of what is here, as they were when it was optional. */
const aliases: Record<string, string> = {
  'os-availability-zone': 'AvailabilityZone',
  'os-aggregates': 'Aggregates',
  'os-attach-interfaces': 'AttachInterfaces',
  'os-config-drive': 'ConfigDrive',
  'os-console-output': 'ConsoleOutput',
  'os-extended-availability-zone': 'ExtendedAvailabilityZone',
  'os-extended-server-attributes': 'ExtendedServerAttributes',
  'os-extended-status': 'ExtendedStatus',
  'os-flavor-access': 'FlavorAccess',
  'os-flavor-extra-specs': 'FlavorExtraSpecs',
  'os-flavor-manage': 'FlavorManage',
  'os-hypervisors': 'Hypervisors',
  'os-instance-actions': 'InstanceActions',
  'os-keypairs': 'Keypairs',
  'os-lock-server': 'LockServer',
  'os-pause-server': 'PauseServer',
  'os-quota-class-sets': 'QuotaClassSets',
  'os-quota-sets': 'QuotaSets',
  'os-scheduler-hints': 'SchedulerHints',
  'os-server-groups': 'ServerGroups',
  'os-server-usage': 'ServerUsage',
  'os-services': 'Services',
  'os-simple-tenant-usage': 'SimpleTenantUsage',
  'os-suspend-server': 'SuspendServer',
  'os-user-data': 'UserData',
}

const extension = (alias: string) => ({
  alias,
  name: aliases[alias]!,
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  description: '',
  updated: '2014-12-03T00:00:00Z',
  links: [],
})

export function extensionEndpoints(): Endpoint[] {
  return [
    endpoint({
      on: 'GET /extensions',
      policy: 'os_compute_api:extensions',
      handle: async () => ({ extensions: Object.keys(aliases).map(extension) }),
    }),
    endpoint({
      on: 'GET /extensions/{alias}',
      policy: 'os_compute_api:extensions',
      async handle({ params }) {
        if (!Object.hasOwn(aliases, params['alias']!)) throw new Problem('not-found', 'The resource could not be found.')
        return { extension: extension(params['alias']!) }
      },
    }),
  ]
}
