import type { Ask } from '../../../kit/http/endpoint.ts'
import { badBody, read, text } from './kinds.ts'
import type { Attribute, Values } from './resource.ts'

type AnyAttribute = Attribute<never>
type Named = { name: string; plural: string; attributes: Record<string, AnyAttribute> }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The items of a body `{ network: … }` or `{ networks: […] }`, not yet looked into. */
export function itemsOf(
  { name, plural }: Pick<Named, 'name' | 'plural'>,
  body: unknown,
): { items: Record<string, unknown>[]; bulk: boolean } {
  if (!isObject(body) || Object.keys(body).length === 0) throw badBody('Resource body required')
  if (Object.hasOwn(body, plural)) {
    const items = body[plural]
    if (!Array.isArray(items)) throw badBody('Body contains invalid data')
    if (items.length === 0) throw badBody('Resources required')
    const whole = items.map((item) => (isObject(item) && isObject(item[name]) ? item[name] : item))
    if (!whole.every(isObject)) throw badBody(`Object '${plural}' contains invalid data`)
    return { items: whole as Record<string, unknown>[], bulk: true }
  }
  if (!Object.hasOwn(body, name)) throw badBody(`Unable to find '${name}' in request body`)
  if (!isObject(body[name])) throw badBody(`Object '${name}' contains invalid data`)
  return { items: [body[name]], bulk: false }
}

/** The first item of any body, for rules that must be asked before the body is read. */
export function firstItem(resource: Pick<Named, 'name' | 'plural'>, body: unknown): Record<string, unknown> {
  try {
    return itemsOf(resource, body).items[0]!
  } catch {
    return {}
  }
}

/** What a request gives, read by the attributes' kinds; nothing is there that was not given. */
export function readItem({ attributes }: Named, item: Record<string, unknown>, verb: 'post' | 'put'): Values {
  const names = Object.keys(item).filter((name) => !isOwner(name))
  const unknown = names.filter((name) => !Object.hasOwn(attributes, name))
  if (unknown.length > 0) throw badBody(`Unrecognized attribute(s) '${unknown.join(', ')}'`)
  const closed = names.find((name) => !isOpen(attributes[name]!, verb))
  if (closed !== undefined)
    throw badBody(verb === 'post' ? `Attribute '${closed}' not allowed in POST` : `Cannot update read-only attribute ${closed}`)
  if (verb === 'post') {
    const missing = Object.keys(attributes).find((name) => attributes[name]!.required && !Object.hasOwn(item, name))
    if (missing !== undefined) throw badBody(`Failed to parse request. Required attribute '${missing}' not specified`)
  } else if (Object.keys(item).some(isOwner)) throw badBody('Cannot update read-only attribute project_id')
  return Object.fromEntries(names.map((name) => [name, read(name, attributes[name]!.take!, item[name])]))
}

const isOwner = (name: string) => name === 'project_id' || name === 'tenant_id'

const isOpen = (attribute: AnyAttribute, verb: 'post' | 'put') =>
  attribute.take !== undefined && (attribute.in === undefined || attribute.in === verb)

/** What was given and is not as good as nothing. */
export const unusual = ({ attributes }: Pick<Named, 'attributes'>, values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(attributes[name]!.usual)),
  )

/** Whose the new thing is: the caller's project's, or whoever's an administrator says. */
export function ownerOf(item: Record<string, unknown>, { caller, can }: Pick<Ask, 'caller' | 'can'>): string {
  const { project_id: project, tenant_id: tenant } = item
  if (project !== undefined && tenant !== undefined && project !== tenant)
    throw badBody("'project_id' and 'tenant_id' do not match")
  const asked = project ?? tenant
  if (asked === undefined || asked === null || asked === caller.projectId) return caller.projectId ?? ''
  if (!can('context_is_admin'))
    throw badBody(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
    )
  return read('project_id', text(), asked)
}
