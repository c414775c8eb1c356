import { type MetadataSource, userData } from './openstack.ts'

export const ec2Versions = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
]

/** Names to values, directories to more of them. `label`: how a directory is listed instead of by its name. */
export type Tree = { [name: string]: string | Tree }

/** An EC2 id of ours: the prefix and eight hexadecimal digits. */
const ec2Id = (prefix: string, number: number) => `${prefix}-${number.toString(16).padStart(8, '0')}`

/** The metadata that EC2 guests of this version know. Dates compare as text; `1.0` is older than all. */
export function ec2Data({ server, ports }: MetadataSource, version: string): Tree {
  const since = (from: string) => version !== '1.0' && version >= from
  const fixed = ports.flatMap((port) => port.fixedIps).find((one) => one.version === 4)?.ip ?? ''
  const floating = ports.flatMap((port) => port.floatingIps)[0]?.ip ?? ''
  const groups = [...new Set(ports.flatMap((port) => port.securityGroups.map((group) => group.name)))]
  return {
    'ami-id': `ami-${server.image.id.slice(0, 8)}`,
    'ami-launch-index': String(server.launchIndex),
    'ami-manifest-path': 'FIXME',
    'instance-id': ec2Id('i', server.number),
    hostname: server.hostname,
    'local-ipv4': fixed,
    'reservation-id': server.reservationId,
    'security-groups': groups.join('\n'),
    ...(server.key ? { 'public-keys': { '0': { 'openssh-key': server.key.publicKey } } } : {}),
    ...(since('2007-01-19')
      ? { 'local-hostname': server.hostname, 'public-hostname': server.hostname, 'public-ipv4': floating }
      : {}),
    ...(since('2007-08-29') ? { 'instance-type': server.flavor.name } : {}),
    ...(since('2007-12-15') ? { 'block-device-mapping': { ami: 'vda', root: '/dev/vda' } } : {}),
    ...(since('2008-02-01') ? { placement: { 'availability-zone': server.zone } } : {}),
    ...(since('2008-09-01') ? { 'instance-action': 'none' } : {}),
  }
}

/** What a path below the version answers; undefined: there is no such path. */
export function ec2Item(source: MetadataSource, version: string, path: string[]): string | Buffer | undefined {
  const [section, ...rest] = path
  const user = userData(source.server)
  if (section === undefined) return user === undefined ? 'meta-data/' : 'meta-data/\nuser-data'
  if (section === 'user-data' && rest.length === 0) return user
  if (section !== 'meta-data') return undefined
  let at: string | Tree = ec2Data(source, version)
  for (const name of rest) {
    if (typeof at === 'string' || !Object.hasOwn(at, name)) return undefined
    at = at[name]!
  }
  if (typeof at === 'string') return at
  return list(at, rest.at(-1) === 'public-keys' ? source.server.keyName : null)
}

/** Directories end in a slash; a key is listed as its number and name. */
const list = (tree: Tree, keyName: string | null): string =>
  Object.keys(tree)
    .sort()
    .map((name) => (keyName !== null ? `${name}=${keyName}` : typeof tree[name] === 'string' ? name : `${name}/`))
    .join('\n')
