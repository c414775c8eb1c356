import { hkdfSync, randomBytes } from 'node:crypto'
import type { NetworkPort } from '../../../network/contract.ts'
import type { Server } from '../server.ts'
import { networkData } from './network-data.ts'

/** Each version added something (the metadata guide, "OpenStack format metadata"). */
export const openstackVersions = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
]
export const newestVersion = openstackVersions.at(-1)!

export type MetadataFile = { contentType: string; body: string | Buffer }

/** `fixed`: the same each time it is asked for, as a drive wants it; else fresh entropy. */
export type MetadataSource = { server: Server; ports: NetworkPort[]; entropy: 'fixed' | 'fresh' }

const json = (value: unknown): MetadataFile => ({ contentType: 'application/json', body: JSON.stringify(value) })
export const text = (body: string | Buffer): MetadataFile => ({ contentType: 'text/plain; charset=UTF-8', body })

export const userData = ({ userData: data }: Server): Buffer | undefined =>
  data === null ? undefined : Buffer.from(data, 'base64')

function seed({ server, entropy }: MetadataSource): string {
  const bytes = entropy === 'fresh' ? randomBytes(512) : Buffer.from(hkdfSync('sha256', server.seed, '', 'random_seed', 512))
  return bytes.toString('base64')
}

function metaData(source: MetadataSource, version: string): Record<string, unknown> {
  const { server, ports } = source
  const { key } = server
  return {
    uuid: server.id,
    ...(Object.keys(server.metadata).length > 0 ? { meta: server.metadata } : {}),
    ...(key
      ? {
          public_keys: { [key.name]: key.publicKey },
          keys: [{ name: key.name, type: key.type, data: key.publicKey }],
        }
      : {}),
    hostname: server.hostname,
    name: server.name,
    launch_index: server.launchIndex,
    availability_zone: server.zone,
    ...(version >= '2013-04-04' ? { random_seed: seed(source) } : {}),
    ...(version >= '2015-10-15' ? { project_id: server.projectId } : {}),
    ...(version >= '2016-06-30' ? { devices: devices(ports) } : {}),
    ...(version >= '2020-10-14' ? { dedicated_cpus: [] } : {}),
  }
}

/** Devices that the user gave a tag. */
const devices = (ports: NetworkPort[]) =>
  ports
    .filter((port) => port.tag !== undefined)
    .map((port) => ({ type: 'nic', mac: port.mac, bus: 'none', address: 'none', tags: [port.tag] }))

/** Names of the files of a version, in the order in which they are listed. */
export function openstackFiles(server: Server, version: string): string[] {
  return [
    'meta_data.json',
    ...(server.userData === null ? [] : ['user_data']),
    ...(version >= '2013-04-04' ? ['password'] : []),
    ...(version >= '2013-10-17' ? ['vendor_data.json'] : []),
    ...(version >= '2015-10-15' ? ['network_data.json'] : []),
    ...(version >= '2016-10-06' ? ['vendor_data2.json'] : []),
  ]
}

/** One file; undefined: this version has none of the name. */
export function openstackFile(source: MetadataSource, version: string, name: string): MetadataFile | undefined {
  if (!openstackFiles(source.server, version).includes(name)) return undefined
  switch (name) {
    case 'meta_data.json':
      return json(metaData(source, version))
    case 'user_data':
      return text(userData(source.server)!)
    case 'password':
      return text('')
    case 'network_data.json':
      return json(networkData(source.ports))
    default:
      return json({})
  }
}
