import { Problem } from '../../../kit/errors.ts'
import { type Draft, forbidden, isOwn, refuseFixed, setAttribute } from './attributes.ts'

type Operation = {
  op: 'add' | 'replace' | 'remove'
  name: string
  value: unknown
  /** Version 2.0: what is added must not be there. */
  isNew: boolean
}

const invalid = (message: string) => new Problem('invalid', message)

const newest = 'application/openstack-images-v2.1-json-patch'

/** Media type to form: version 2.1 is RFC 6902, 2.0 names its operation by key. */
const mediaTypes: Record<
  string,
  (raw: Record<string, unknown>) => { op: unknown; path: unknown; value: unknown; hasValue: boolean }
> = {
  [newest]: (raw) => ({
    op: raw['op'],
    path: raw['path'],
    value: raw['value'],
    hasValue: 'value' in raw,
  }),
  'application/openstack-images-v2.0-json-patch': (raw) => {
    const ops = ['add', 'replace', 'remove'].filter((name) => name in raw)
    if (ops.length !== 1) throw invalid('Operation objects must contain exactly one of add, replace and remove.')
    return { op: ops[0], path: raw[ops[0]!], value: raw['value'], hasValue: 'value' in raw }
  },
}

/** Reads the operations of a PATCH. Throws invalid, or with code `media-type` for another content type. */
export function readPatch(contentType: string, body: unknown): Operation[] {
  const form = mediaTypes[contentType.split(';')[0]!.trim()]
  if (!form) throw new Problem('invalid', `Content-Type must be ${newest}`, { code: 'media-type' })
  if (!Array.isArray(body)) throw invalid('Request body must be a JSON array of operation objects.')
  return body.map((raw) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw invalid('Operations must be JSON objects.')
    const { op, path, value, hasValue } = form(raw as Record<string, unknown>)
    if (op !== 'add' && op !== 'replace' && op !== 'remove')
      throw invalid(`Operation ${String(op)} is not one of add, replace, remove.`)
    if (typeof path !== 'string' || !path.startsWith('/') || path === '/')
      throw invalid(`Pointer ${String(path)} does not start with "/" and a name.`)
    if (op !== 'remove' && !hasValue) throw invalid(`Operation "${op}" requires a member named "value".`)
    const [name, ...rest] = path.slice(1).split('/').map(decode)
    // Members of lists have no address; locations would have, were they shown.
    if (rest.length > 0 && name !== 'locations') throw invalid(`Invalid JSON pointer for this resource: '${path}'`)
    return { op, name: name!, value, isNew: op === 'add' && form !== mediaTypes[newest] }
  })
}

/** RFC 6901: `~1` is a slash, `~0` a tilde. */
const decode = (part: string): string => {
  if (/~(?![01])/.test(part)) throw invalid(`Pointer part ${part} holds a "~" that is no part of an escape sequence.`)
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

const isThere = (draft: Draft, name: string) => isOwn(name) || Object.hasOwn(draft.properties, name)

/** Applies one operation. Throws conflict for a property that is not there, forbidden for what must not be touched. */
export function applyPatch(draft: Draft, { op, name, value, isNew }: Operation): void {
  refuseFixed(name)
  if (isNew && isThere(draft, name)) throw new Problem('conflict', `Property ${name} already present.`)
  if (op !== 'add' && !isThere(draft, name)) throw new Problem('conflict', `Property ${name} does not exist.`)
  else if (op !== 'remove') setAttribute(draft, name, value)
  else if (isOwn(name)) throw forbidden(`Property ${name} may not be removed.`)
  else delete draft.properties[name]
}
