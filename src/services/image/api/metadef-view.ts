import { isoSeconds } from '../../../kit/clock.ts'
import type { Association, Namespace, Part } from '../metadefs/store.ts'

export const namespaceHref = (namespace: string) => `/v2/metadefs/namespaces/${namespace}`

const times = ({ createdAt, updatedAt }: { createdAt: number; updatedAt: number }) => ({
  created_at: isoSeconds(createdAt),
  updated_at: isoSeconds(updatedAt),
})
const given = (name: string, value: string) => (value === '' ? {} : { [name]: value })

export const showNamespace = (one: Namespace) => ({
  namespace: one.namespace,
  ...given('display_name', one.displayName),
  ...given('description', one.description),
  visibility: one.visibility,
  protected: one.isProtected,
  owner: one.ownerId,
  ...times(one),
  self: namespaceHref(one.namespace),
  schema: '/v2/schemas/metadefs/namespace',
})

export const showAssociation = (one: Association) => ({
  name: one.name,
  ...given('prefix', one.prefix),
  ...given('properties_target', one.target),
  ...times(one),
})

export const showObject = (namespace: string, one: Part) => ({
  name: one.name,
  ...one.body,
  ...times(one),
  self: `${namespaceHref(namespace)}/objects/${one.name}`,
  schema: '/v2/schemas/metadefs/object',
})

export const showProperty = (one: Part) => ({ name: one.name, ...one.body })

export const showTag = (one: Part) => ({ name: one.name, ...times(one) })

/** Properties of a collection stand under their names. */
export const byName = (properties: Part[]): Record<string, Part['body']> =>
  Object.fromEntries(properties.map(({ name, body }) => [name, body]))

export const hasAny = <Value extends object>(name: string, value: Value): Record<string, Value> =>
  Object.keys(value).length === 0 ? {} : { [name]: value }

/** Names as they are for a type of resource: with its prefix. */
export const prefixed = (prefix: string, properties: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [prefix + name, value]))

export const prefixedObject = (prefix: string, object: Part): Part => {
  const { properties, required } = object.body as { properties?: Record<string, unknown>; required?: string[] }
  return {
    ...object,
    body: {
      ...object.body,
      ...(properties ? { properties: prefixed(prefix, properties) } : {}),
      ...(required ? { required: required.map((name) => prefix + name) } : {}),
    },
  }
}
