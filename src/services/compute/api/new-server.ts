import { randomInt } from 'node:crypto'
import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import type { NicAsk } from '../../network/contract.ts'
import type { NewServer } from '../domain/create-server.ts'
import { Bool, Description, Fqdn, Ip, isTrue, loose, Metadata, Name, Positive, Tag, Uuid } from './types.ts'

const array = (items: TSchema, more: object = {}) => Type.Unsafe({ type: 'array', items, ...more })
const oneOf = (...of: TSchema[]) => Type.Unsafe({ anyOf: of })
const Null = Type.Null()
const Hostname = Type.String({ minLength: 2, maxLength: 63, pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9\\-]*[a-zA-Z0-9]+$' })
const LongHostname = Type.String({ minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9]([a-zA-Z0-9\\-.]*[a-zA-Z0-9])?$' })
/** From 2.94 on a host name may have a domain. */
export const hostnameFor = (version: number) => (version >= 94 ? LongHostname : Hostname)

function networksFor(version: number): TSchema {
  const list = array(
    loose({
      fixed_ip: Ip,
      port: oneOf(Uuid, Null),
      uuid: version >= 37 ? Uuid : Type.String(),
      // Came with 2.32, was lost with 2.37 and is back since 2.42.
      ...((version >= 32 && version < 37) || version >= 42 ? { tag: Tag } : {}),
    }),
  )
  return version >= 37 ? oneOf(list, Type.Unsafe({ type: 'string', enum: ['none', 'auto'] })) : list
}

const anyText = Type.String({ maxLength: 255 })
const legacyMapping = {
  virtual_name: anyText,
  volume_id: Uuid,
  snapshot_id: Uuid,
  volume_size: Positive,
  device_name: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._\\-/]*$' }),
  delete_on_termination: Bool,
  no_device: Type.Unsafe({}),
  connection_info: Type.String(),
}
const mappingFor = (version: number) =>
  loose({
    ...legacyMapping,
    source_type: Type.Unsafe({ type: 'string', enum: ['volume', 'image', 'snapshot', 'blank'] }),
    uuid: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._\\-]*$' }),
    image_id: Uuid,
    destination_type: Type.Unsafe({ type: 'string', enum: ['local', 'volume'] }),
    guest_format: anyText,
    device_type: anyText,
    disk_bus: anyText,
    boot_index: Type.Unsafe({ type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$' }),
    ...(version === 32 || version >= 42 ? { tag: Tag } : {}),
    ...(version >= 67 ? { volume_type: Type.Unsafe({ type: ['string', 'null'], maxLength: 255 }) } : {}),
  })

const hints = Type.Unsafe({
  type: 'object',
  properties: {
    group: Uuid,
    different_host: oneOf(Uuid, array(Uuid, { maxItems: 100 })),
    same_host: oneOf(Uuid, array(Uuid, { maxItems: 100 })),
  },
  additionalProperties: true,
})

export function newServerBody(version: number): TSchema {
  const server = loose(
    {
      name: Name,
      imageRef: oneOf(Uuid, Type.String({ maxLength: 0 })),
      flavorRef: Type.Unsafe({ type: ['string', 'integer'], minLength: 1 }),
      adminPass: Type.String(),
      metadata: Metadata,
      networks: networksFor(version),
      'OS-DCF:diskConfig': Type.Unsafe({ type: 'string', enum: ['AUTO', 'MANUAL'] }),
      accessIPv4: Type.String({ format: 'ipv4' }),
      accessIPv6: Type.String({ format: 'ipv6' }),
      availability_zone: Name,
      block_device_mapping: array(loose(legacyMapping)),
      block_device_mapping_v2: array(mappingFor(version)),
      config_drive: Bool,
      key_name: Name,
      min_count: Positive,
      max_count: Positive,
      return_reservation_id: Bool,
      security_groups: array(loose({ name: Name })),
      user_data: Type.String({ format: 'base64', maxLength: 65_535 }),
      ...(version >= 19 ? { description: Description } : {}),
      ...(version >= 52 ? { tags: array(Tag, { maxItems: 50 }) } : {}),
      ...(version < 57 ? { personality: Type.Unsafe({ type: 'array' }) } : {}),
      ...(version >= 63 ? { trusted_image_certificates: oneOf(array(Type.String(), { minItems: 1, maxItems: 50 }), Null) } : {}),
      ...(version >= 74 ? { host: Fqdn, hypervisor_hostname: Fqdn } : {}),
      ...(version >= 90 ? { hostname: hostnameFor(version) } : {}),
    },
    version >= 37 ? ['name', 'flavorRef', 'networks'] : ['name', 'flavorRef'],
  )
  return Type.Unsafe({
    type: 'object',
    properties: { server, 'os:scheduler_hints': hints, 'OS-SCH-HNT:scheduler_hints': hints },
    required: ['server'],
    additionalProperties: false,
  })
}

type Wire = Record<string, unknown>
type WireNetwork = { fixed_ip?: string; port?: string | null; uuid?: string; tag?: string }

const bad = (message: string) => new Problem('invalid', message)

/** Twelve characters without those that look alike. */
export const newPassword = (): string => {
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'
  return Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('')
}

function nicsOf(networks: WireNetwork[]): NicAsk[] {
  return networks.map(({ fixed_ip, port, uuid, tag }) => {
    if (!port && uuid === undefined) throw bad("Bad networks format: 'uuid' or 'port' is required")
    if (port && fixed_ip !== undefined)
      throw bad(`Specified Fixed IP '${fixed_ip}' cannot be used with port '${port}': the two cannot be specified together.`)
    return {
      ...(port ? { port } : { network: uuid! }),
      ...(fixed_ip === undefined ? {} : { fixedIp: fixed_ip }),
      ...(tag === undefined ? {} : { tag }),
    }
  })
}

/** The image of a server whose mappings say no more than that it boots from a local copy of it. Throws invalid for volumes. */
function imageOf(server: Wire): string {
  const mappings = (server['block_device_mapping_v2'] ?? []) as Wire[]
  const legacy = (server['block_device_mapping'] ?? []) as Wire[]
  if (mappings.length > 0 && legacy.length > 0)
    throw bad('Using different block_device_mapping syntaxes is not allowed in the same request.')
  const asked = server['imageRef'] as string | undefined
  const [only, ...more] = mappings
  const isPlain =
    only === undefined ||
    (more.length === 0 &&
      only['source_type'] === 'image' &&
      (only['destination_type'] ?? 'local') === 'local' &&
      Number(only['boot_index'] ?? -1) === 0 &&
      (asked === undefined || asked === '' || asked === only['uuid']))
  if (legacy.length > 0 || !isPlain)
    throw bad('Block Device Mapping is Invalid: this cloud has no volumes; a server boots from a local copy of one image.')
  const image = (asked || only?.['uuid']) as string | undefined
  if (image === undefined || image === '') throw bad(asked === '' ? 'Invalid imageRef provided.' : 'Missing imageRef attribute')
  return image
}

/** `zone:host:node`, as admins force a host. */
export function zoneAsked(text: string | undefined): { zone: string; host: string; node: string } {
  const parts = (text ?? '').split(':')
  if (parts.length > 3) throw bad(`Unable to parse availability_zone: ${text}`)
  const [zone = '', host = '', node = ''] = parts
  return { zone, host, node }
}

/** A request for servers in the words of the domain, whatever its version. Throws invalid for what no schema can tell. */
export function newServer(body: Wire, version: number): NewServer {
  const server = body['server'] as Wire
  const text = (name: string) => server[name] as string | undefined
  const networks = server['networks'] as WireNetwork[] | 'none' | 'auto' | undefined
  const nics = Array.isArray(networks) ? nicsOf(networks) : []
  const minCount = Number(server['min_count'] ?? 1)
  const maxCount = Number(server['max_count'] ?? minCount)
  if (minCount > maxCount) throw bad('min_count must be <= max_count')
  refuseSharing(nics, maxCount, text('hostname'))
  if (((server['personality'] ?? []) as unknown[]).length > 0)
    throw new Problem('invalid', 'Personality files are not injected here: use user data or a config drive.')
  if (server['trusted_image_certificates'])
    throw bad('Image signatures are not verified here: trusted_image_certificates cannot be given.')
  const asked = (body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {}) as Wire
  const groups = ((server['security_groups'] ?? []) as { name?: string }[]).flatMap((group) => group.name ?? [])
  const { zone, host } = zoneAsked(text('availability_zone'))
  return {
    name: text('name')!.trim(),
    hostname: text('hostname'),
    description: version >= 19 ? (text('description') ?? null) : text('name')!.trim(),
    flavorId: String(server['flavorRef']).split('/').at(-1)!,
    imageId: imageOf(server),
    keyName: text('key_name'),
    userData: text('user_data') ?? null,
    configDrive: isTrue(server['config_drive'] ?? false),
    accessIpV4: text('accessIPv4') ?? '',
    accessIpV6: text('accessIPv6') ?? '',
    diskConfig: text('OS-DCF:diskConfig') ?? 'MANUAL',
    metadata: (server['metadata'] ?? {}) as Record<string, string>,
    tags: (server['tags'] ?? []) as string[],
    zone,
    forcedHost: host || text('host') || text('hypervisor_hostname') || '',
    groupId: (asked['group'] as string | undefined) ?? '',
    // What no filter here reads is dropped: hints of the inside must not come from outside.
    hints: {},
    nics,
    auto: networks !== 'none' && nics.length === 0,
    securityGroups: [...new Set(groups)],
    minCount,
    maxCount,
  }
}

function refuseSharing(nics: NicAsk[], count: number, hostname: string | undefined): void {
  if (count < 2) return
  if (nics.some((nic) => nic.fixedIp !== undefined))
    throw bad('Invalid input received: max_count cannot be greater than 1 if an fixed_ip is specified.')
  if (nics.some((nic) => nic.port !== undefined))
    throw bad(
      'Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.',
    )
  if (hostname !== undefined) throw bad('Unable to allocate a single hostname to multiple instances')
}
