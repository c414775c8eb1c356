import type { Static } from 'typebox'
import { isoSeconds } from '../../../kit/clock.ts'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Metadefs, Namespace, NewPart, Part, PartKind } from '../metadefs/store.ts'
import { partListing } from '../metadefs/store.ts'
import { marked, ofNamespace, pageOf, pages, refuseProtected, refuseReadOnly } from './metadef-namespaces.ts'
import { associationBody, objectBody, propertyBody, tagBody, tagsBody } from './metadef-schemas.ts'
import { byName, namespaceHref, showAssociation, showObject, showProperty, showTag } from './metadef-view.ts'

const partOf = async (metadefs: Metadefs, { namespace }: Namespace, kind: PartKind, name: string): Promise<Part> => {
  const found = await metadefs.part(namespace, kind, name)
  if (!found)
    throw new Problem('not-found', `The metadata definition ${kind} with name=${name} was not found in namespace=${namespace}.`)
  return found
}

/** What is the same of objects, properties and tags: their paths, rules and deletion. */
type Shape = {
  kind: PartKind
  plural: string
  param: string
  rules: { get: string; list: string; change: string; remove: string; removeAll: string }
  show(namespace: string, part: Part): object
}

const objects: Shape = {
  kind: 'object',
  plural: 'objects',
  param: 'object_name',
  rules: {
    get: 'get_metadef_object',
    list: 'get_metadef_objects',
    change: 'modify_metadef_object',
    remove: 'delete_metadef_object',
    removeAll: 'delete_metadef_namespace',
  },
  show: showObject,
}
const properties: Shape = {
  kind: 'property',
  plural: 'properties',
  param: 'property_name',
  rules: {
    get: 'get_metadef_property',
    list: 'get_metadef_properties',
    change: 'modify_metadef_property',
    remove: 'remove_metadef_property',
    removeAll: 'delete_metadef_namespace',
  },
  show: (_, part) => showProperty(part),
}
const tags: Shape = {
  kind: 'tag',
  plural: 'tags',
  param: 'tag_name',
  rules: {
    get: 'get_metadef_tag',
    list: 'get_metadef_tags',
    change: 'modify_metadef_tag',
    remove: 'delete_metadef_tag',
    removeAll: 'delete_metadef_tags',
  },
  show: (_, part) => showTag(part),
}

const removals = (metadefs: Metadefs, { kind, plural, param, rules }: Shape): Endpoint[] => [
  endpoint({
    on: `DELETE /metadefs/namespaces/{namespace}/${plural}/{${param}}`,
    policy: rules.remove,
    status: 204,
    ...ofNamespace(metadefs),
    summary: `delete ${kind}`,
    handle: async ({ subject, params }) => {
      const part = await partOf(metadefs, subject, kind, params[param]!)
      refuseProtected(subject)
      await metadefs.removeParts(subject.namespace, kind, part.name)
    },
  }),
  endpoint({
    on: `DELETE /metadefs/namespaces/{namespace}/${plural}`,
    policy: rules.removeAll,
    status: 204,
    ...ofNamespace(metadefs),
    summary: `delete all ${plural}`,
    handle: async ({ subject }) => {
      refuseProtected(subject)
      await metadefs.removeParts(subject.namespace, kind)
    },
  }),
]

const lists = (metadefs: Metadefs, { kind, plural, rules, show }: Shape) =>
  endpoint({
    on: `GET /metadefs/namespaces/{namespace}/${plural}`,
    policy: rules.list,
    ...ofNamespace(metadefs),
    summary: `list ${plural}`,
    handle: async ({ subject, query, url }) => {
      const page = pageAsk(partListing, pageOf(query))
      const { parts, more } = await metadefs.partPage(subject.namespace, kind, page).catch(marked)
      return {
        [plural]: parts.map((part) => show(subject.namespace, part)),
        ...pages(`${namespaceHref(subject.namespace)}/${plural}`, url, more ? parts.at(-1)!.name : undefined),
        schema: `/v2/schemas/metadefs/${plural}`,
      }
    },
  })

const bodies = { object: objectBody, property: propertyBody, tag: tagBody }
const readOnly: Record<PartKind, string[]> = {
  object: ['self', 'schema', 'created_at', 'updated_at'],
  property: ['created_at', 'updated_at'],
  tag: ['created_at', 'updated_at'],
}
const usual: Record<PartKind, object> = { object: { properties: {} }, property: {}, tag: {} }

const newPart = (kind: PartKind, asked: { name: string }): NewPart => {
  const { name, ...body } = asked
  return { name, body: { ...usual[kind], ...body } }
}

const changes = (metadefs: Metadefs, { kind, plural, param, rules, show }: Shape) =>
  endpoint({
    on: `PUT /metadefs/namespaces/{namespace}/${plural}/{${param}}`,
    policy: rules.change,
    body: () => bodies[kind],
    ...ofNamespace(metadefs),
    target: ({ body, subject }) => {
      refuseReadOnly(body, readOnly[kind])
      return { project_id: subject.ownerId, visibility: subject.visibility }
    },
    summary: `update ${kind}`,
    handle: async ({ subject, body, params }) => {
      const part = await partOf(metadefs, subject, kind, params[param]!)
      const asked = newPart(kind, body as { name: string })
      await metadefs.changePart(subject.namespace, kind, part.name, asked)
      return show(subject.namespace, await partOf(metadefs, subject, kind, asked.name))
    },
  })

const additions = (metadefs: Metadefs, shape: Shape, policy: string) =>
  endpoint({
    on: `POST /metadefs/namespaces/{namespace}/${shape.plural}`,
    policy,
    status: 201,
    body: () => bodies[shape.kind],
    ...ofNamespace(metadefs),
    target: ({ body, subject }) => {
      refuseReadOnly(body, readOnly[shape.kind])
      return { project_id: subject.ownerId, visibility: subject.visibility }
    },
    summary: `create ${shape.kind}`,
    handle: async ({ subject, body }) => {
      const asked = newPart(shape.kind, body as { name: string })
      await metadefs.addParts(subject.namespace, shape.kind, [asked])
      return shape.show(subject.namespace, await partOf(metadefs, subject, shape.kind, asked.name))
    },
  })

/** An object or a tag by its name. */
const shows = (metadefs: Metadefs, { kind, plural, param, rules, show }: Shape) =>
  endpoint({
    on: `GET /metadefs/namespaces/{namespace}/${plural}/{${param}}`,
    policy: rules.get,
    ...ofNamespace(metadefs),
    summary: `show ${kind}`,
    handle: async ({ subject, params, query }) => {
      const name = await bareName(
        metadefs,
        subject,
        params[param]!,
        kind === 'property' ? query['resource_type']?.at(-1) : undefined,
      )
      return show(subject.namespace, await partOf(metadefs, subject, kind, name))
    },
  })

/** A property asked for as it is called on a type of resource. */
async function bareName(metadefs: Metadefs, { namespace }: Namespace, name: string, resourceType?: string): Promise<string> {
  if (resourceType === undefined) return name
  const found = (await metadefs.associations([namespace])).get(namespace)!.find((one) => one.name === resourceType)
  if (!found?.prefix || !name.startsWith(found.prefix))
    throw new Problem('not-found', `Property ${name} does not have the prefix of ${resourceType} in namespace ${namespace}.`)
  return name.slice(found.prefix.length)
}

export const partEndpoints = (metadefs: Metadefs): Endpoint[] => [
  ...[objects, properties, tags].flatMap((shape) => [
    ...removals(metadefs, shape),
    changes(metadefs, shape),
    shows(metadefs, shape),
  ]),
  lists(metadefs, objects),
  lists(metadefs, tags),
  additions(metadefs, objects, 'add_metadef_object'),
  additions(metadefs, properties, 'add_metadef_property'),
  endpoint({
    on: 'GET /metadefs/namespaces/{namespace}/properties',
    policy: 'get_metadef_properties',
    ...ofNamespace(metadefs),
    summary: 'list properties',
    handle: async ({ subject }) => ({ properties: byName(await metadefs.parts(subject.namespace, 'property')) }),
  }),
  endpoint({
    on: 'POST /metadefs/namespaces/{namespace}/tags/{tag_name}',
    policy: 'add_metadef_tag',
    status: 201,
    ...ofNamespace(metadefs),
    summary: 'create tag',
    handle: async ({ subject, params }) => {
      const name = params['tag_name']!
      if (name.length > 80) throw new Problem('invalid', 'A tag has at most 80 characters.')
      await metadefs.addParts(subject.namespace, 'tag', [{ name, body: {} }])
      return showTag(await partOf(metadefs, subject, 'tag', name))
    },
  }),
  endpoint({
    on: 'POST /metadefs/namespaces/{namespace}/tags',
    policy: 'add_metadef_tags',
    status: 201,
    body: tagsBody,
    ...ofNamespace(metadefs),
    summary: 'create tags, in place of those there were unless X-Openstack-Append says otherwise',
    handle: async ({ subject, body, headers }) => {
      const instead = !/^(true|1|yes|on|t|y)$/i.test(headers['x-openstack-append'] ?? '')
      const parts = body.tags.map(({ name }) => ({ name, body: {} }))
      await metadefs.addParts(subject.namespace, 'tag', parts, { instead })
      return { tags: body.tags }
    },
  }),
  endpoint({
    on: 'GET /metadefs/resource_types',
    policy: 'list_metadef_resource_types',
    target: ({ caller }) => ({ project_id: caller.projectId, visibility: 'public' }),
    summary: 'list resource types',
    handle: async () => ({
      resource_types: (await metadefs.resourceTypes()).map(({ name, created_at, updated_at }) => ({
        name,
        created_at: isoSeconds(created_at),
        updated_at: isoSeconds(updated_at),
      })),
    }),
  }),
  endpoint({
    on: 'GET /metadefs/namespaces/{namespace}/resource_types',
    policy: 'get_metadef_resource_type',
    ...ofNamespace(metadefs),
    summary: 'list resource types of a namespace',
    handle: async ({ subject }) => {
      const found = (await metadefs.associations([subject.namespace])).get(subject.namespace)!
      return { resource_type_associations: found.map(showAssociation) }
    },
  }),
  endpoint({
    on: 'POST /metadefs/namespaces/{namespace}/resource_types',
    policy: 'add_metadef_resource_type_association',
    status: 201,
    body: () => associationBody,
    ...ofNamespace(metadefs),
    target: ({ body, subject }) => {
      refuseReadOnly(body, ['created_at', 'updated_at'])
      return { project_id: subject.ownerId, visibility: subject.visibility }
    },
    summary: 'associate a resource type',
    handle: async ({ subject, body }) => {
      const { name, prefix = '', properties_target: target = '' } = body as Static<typeof associationBody>
      await metadefs.associate(subject.namespace, { name, prefix, target })
      const found = (await metadefs.associations([subject.namespace])).get(subject.namespace)!
      return showAssociation(found.find((one) => one.name === name)!)
    },
  }),
  endpoint({
    on: 'DELETE /metadefs/namespaces/{namespace}/resource_types/{name}',
    policy: 'remove_metadef_resource_type_association',
    status: 204,
    ...ofNamespace(metadefs),
    summary: 'dissociate a resource type',
    handle: async ({ subject, params }) => {
      refuseProtected(subject)
      if (!(await metadefs.dissociate(subject.namespace, params['name']!)))
        throw new Problem('not-found', `Resource type ${params['name']} is not associated with namespace ${subject.namespace}.`)
    },
  }),
]
