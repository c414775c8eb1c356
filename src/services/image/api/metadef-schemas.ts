import { Type } from 'typebox'

const exact = { additionalProperties: false } as const
export const metadefName = Type.String({ minLength: 1, maxLength: 80 })
const names = Type.Array(Type.String(), { uniqueItems: true })
const count = Type.Integer({ minimum: 0 })
const kinds = { enum: ['array', 'boolean', 'integer', 'number', 'object', 'string', null] }

/** What a property may be told to be: a part of JSON schema (draft 4), with `operators` of its own. */
const facts = {
  title: Type.String(),
  type: Type.Unsafe<string>(kinds),
  description: Type.Optional(Type.String()),
  operators: Type.Optional(Type.Array(Type.String())),
  required: Type.Optional(names),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  maxLength: Type.Optional(count),
  minLength: Type.Optional(count),
  pattern: Type.Optional(Type.String()),
  enum: Type.Optional(Type.Array(Type.Unknown())),
  readonly: Type.Optional(Type.Boolean()),
  default: Type.Optional(Type.Unknown()),
  items: Type.Optional(
    Type.Object({ type: Type.Optional(Type.Unsafe<string>(kinds)), enum: Type.Optional(Type.Array(Type.Unknown())) }),
  ),
  maxItems: Type.Optional(count),
  minItems: Type.Optional(count),
  uniqueItems: Type.Optional(Type.Boolean()),
  additionalItems: Type.Optional(Type.Boolean()),
}
const properties = Type.Record(
  Type.String({ minLength: 1, maxLength: 80 }),
  Type.Object({ ...facts, name: Type.Optional(metadefName) }, exact),
)

export const propertyBody = Type.Object({ name: metadefName, ...facts }, exact)
export const objectBody = Type.Object(
  {
    name: metadefName,
    description: Type.Optional(Type.String()),
    required: Type.Optional(names),
    properties: Type.Optional(properties),
  },
  exact,
)
export const tagBody = Type.Object({ name: metadefName }, exact)
export const tagsBody = Type.Object({ tags: Type.Array(tagBody) }, exact)
export const associationBody = Type.Object(
  {
    name: metadefName,
    prefix: Type.Optional(Type.String({ maxLength: 80 })),
    properties_target: Type.Optional(Type.String({ maxLength: 80 })),
  },
  exact,
)
const said = Type.Optional(Type.String())
/** Clients send back what they were shown; of parts inside a namespace the times and links are let pass and say nothing. */
const shown = { created_at: said, updated_at: said, self: said, schema: said }

export const namespaceBody = Type.Object(
  {
    namespace: metadefName,
    display_name: Type.Optional(Type.String({ maxLength: 80 })),
    description: Type.Optional(Type.String({ maxLength: 500 })),
    visibility: Type.Optional(Type.Unsafe<'public' | 'private'>({ enum: ['public', 'private'] })),
    protected: Type.Optional(Type.Boolean()),
    owner: Type.Optional(Type.String({ maxLength: 255 })),
    resource_type_associations: Type.Optional(Type.Array(Type.Object({ ...associationBody.properties, ...shown }, exact))),
    properties: Type.Optional(properties),
    objects: Type.Optional(Type.Array(Type.Object({ ...objectBody.properties, ...shown }, exact))),
    tags: Type.Optional(Type.Array(Type.Object({ ...tagBody.properties, ...shown }, exact))),
  },
  exact,
)

const time = { type: 'string', readOnly: true, format: 'date-time' }
const link = { type: 'string', readOnly: true }
const made = { created_at: time, updated_at: time }
const linked = { ...made, self: link, schema: link }

const single: Record<string, { name: string; required: string[]; properties: object }> = {
  namespace: { name: 'namespace', required: ['namespace'], properties: { ...namespaceBody.properties, ...linked } },
  object: { name: 'object', required: ['name'], properties: { ...objectBody.properties, ...linked } },
  property: { name: 'property', required: ['type', 'title', 'name'], properties: propertyBody.properties },
  resource_type: {
    name: 'resource_type_association',
    required: ['name'],
    properties: { ...associationBody.properties, ...made },
  },
  tag: { name: 'tag', required: ['name'], properties: { ...tagBody.properties, ...made } },
}

/** By the last part of their address below `/v2/schemas/metadefs`. */
export const metadefSchemas: Record<string, unknown> = {
  ...Object.fromEntries(
    Object.entries(single).map(([path, schema]) => [path, { ...loose(schema), additionalProperties: false }]),
  ),
  namespaces: collection('namespaces', 'namespace'),
  objects: collection('objects', 'object'),
  properties: {
    name: 'properties',
    properties: {
      properties: { type: 'object', additionalProperties: { type: 'object', properties: loose(propertyBody.properties) } },
      ...linksOf(),
    },
  },
  resource_types: collection('resource_type_associations', 'resource_type'),
  tags: collection('tags', 'tag'),
}

/** Clients check answers by these, and answers say more than requests may: of what is inside, unknown names are let pass. */
function loose<Schema extends object>(schema: Schema): Schema {
  const open = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(open)
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).filter(([name, inner]) => name !== 'additionalProperties' || inner !== false)
    return Object.fromEntries(kept.map(([name, inner]) => [name, open(inner)]))
  }
  return open(schema) as Schema
}

function linksOf() {
  return { first: { type: 'string' }, next: { type: 'string' }, schema: { type: 'string' } }
}

function collection(name: string, of: string) {
  return {
    name,
    properties: { [name]: { type: 'array', items: loose(single[of]!) }, ...linksOf() },
    links: [
      { rel: 'first', href: '{first}' },
      { rel: 'next', href: '{next}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  }
}
