import { Problem } from '../../../kit/errors.ts'
import { changeable, type StoredImage, type Visibility } from '../domain/image.ts'
import type { Change } from '../domain/images.ts'

/** Wire names that are ours and not a user's property. */
export const readOnly = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'stores',
])
/** `os_glance…` is for the service's own notes. */
const isReserved = (name: string): boolean => ['location', 'deleted', 'deleted_at'].includes(name) || name.startsWith('os_glance')
export const diskFormats = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop']
export const containerFormats = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed']
const visibilities = ['public', 'community', 'shared', 'private']

/** Most custom properties and tags of one image (Glance's image_property_quota, image_tag_quota). */
const mostProperties = 128
const mostTags = 128

export const forbidden = (message: string) => new Problem('forbidden', message)
const invalid = (message: string) => new Problem('invalid', message)

/** An image's attributes by wire name, as a request builds and changes them. */
export type Draft = {
  row: Change['row']
  properties: Record<string, string>
  tags: string[]
}

export const draftOf = (image: StoredImage): Draft => ({
  row: changeable(image),
  properties: { ...image.properties },
  tags: [...image.tags],
})

export const newDraft = (projectId: string): Draft => ({
  row: {
    name: '',
    visibility: 'shared',
    owner_id: projectId,
    disk_format: '',
    container_format: '',
    min_disk_gb: 0,
    min_ram_mb: 0,
    protected: 0,
    hidden: 0,
  },
  properties: {},
  tags: [],
})

const text = (name: string, value: unknown, max = 255): string => {
  if (value === null) return ''
  if (typeof value !== 'string') throw invalid(`Invalid value for ${name}: ${JSON.stringify(value)} is not a string.`)
  if (value.length > max) throw invalid(`Invalid value for ${name}: it is longer than ${max} characters.`)
  // Four-byte characters are what Glance's database refuses.
  if (/[\u{10000}-\u{10ffff}]/u.test(value)) throw invalid(`Invalid value for ${name}: it holds a character of four bytes.`)
  return value
}
const oneOf = (name: string, value: unknown, allowed: string[]): string => {
  if (value === null) return ''
  if (typeof value !== 'string' || !allowed.includes(value))
    throw invalid(`Invalid value '${String(value)}' for '${name}': it must be one of ${allowed.join(', ')}.`)
  return value
}
const whole = (name: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 2147483647)
    throw invalid(`Invalid value for ${name}: ${JSON.stringify(value)} is not an integer from 0 to 2147483647.`)
  return value
}
const bool = (name: string, value: unknown): number => {
  if (typeof value !== 'boolean') throw invalid(`Invalid value for ${name}: ${JSON.stringify(value)} is not a boolean.`)
  return value ? 1 : 0
}

type Setter = (draft: Draft, value: unknown) => void

const setters: Record<string, Setter> = {
  name({ row }, value) {
    row.name = text('name', value)
  },
  visibility({ row }, value) {
    if (value === null) throw invalid("Invalid value 'null' for 'visibility'.")
    row.visibility = oneOf('visibility', value, visibilities) as Visibility
  },
  owner({ row }, value) {
    row.owner_id = text('owner', value)
  },
  disk_format({ row }, value) {
    row.disk_format = oneOf('disk_format', value, diskFormats)
  },
  container_format({ row }, value) {
    row.container_format = oneOf('container_format', value, containerFormats)
  },
  min_disk({ row }, value) {
    row.min_disk_gb = whole('min_disk', value)
  },
  min_ram({ row }, value) {
    row.min_ram_mb = whole('min_ram', value)
  },
  protected({ row }, value) {
    row.protected = bool('protected', value)
  },
  os_hidden({ row }, value) {
    row.hidden = bool('os_hidden', value)
  },
  tags(draft, value) {
    if (!Array.isArray(value)) throw invalid('Invalid value for tags: it is not a list.')
    draft.tags = [...new Set(value.map((tag) => text('tags', tag)))]
    refuseTooMany(draft)
  },
}

export const isOwn = (name: string): boolean => Object.hasOwn(setters, name)

/** Sets one attribute by its wire name. Throws forbidden for what is read-only, invalid for a value that does not fit. */
export function setAttribute(draft: Draft, name: string, value: unknown): void {
  refuseFixed(name)
  if (isOwn(name)) setters[name]!(draft, value)
  else setProperty(draft, name, value)
}

function setProperty(draft: Draft, name: string, value: unknown): void {
  if (name === '' || name.length > 255 || name === '__proto__')
    throw invalid('A property must have a name of at most 255 characters.')
  if (value === null) throw invalid(`Invalid value for ${name}: null is not a string.`)
  draft.properties[name] = text(name, value, 65_535)
  refuseTooMany(draft)
}

export function refuseFixed(name: string): void {
  if (readOnly.has(name) || name === 'id') throw forbidden(`Attribute '${name}' is read-only.`)
  if (isReserved(name)) throw forbidden(`Attribute '${name}' is reserved.`)
  if (name === 'locations') throw forbidden("It's not allowed to change locations if locations are invisible.")
}

function refuseTooMany({ properties, tags }: Draft): void {
  const count = Object.keys(properties).length
  if (count > mostProperties)
    throw new Problem(
      'too-large',
      `The limit has been exceeded on the number of allowed image properties. Attempted: ${count}, Maximum: ${mostProperties}`,
    )
  if (tags.length > mostTags)
    throw new Problem(
      'too-large',
      `The limit has been exceeded on the number of allowed image tags. Attempted: ${tags.length}, Maximum: ${mostTags}`,
    )
}
