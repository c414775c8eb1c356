import type { Static } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint, type Query, reply } from '../../../kit/http/endpoint.ts'
import type { Metadefs, Namespace, NamespaceFacts, NamespaceFilter } from '../metadefs/store.ts'
import { namespaceListing } from '../metadefs/store.ts'
import { forbidden } from './attributes.ts'
import { viewerOf } from './images.ts'
import { metadefSchemas, namespaceBody } from './metadef-schemas.ts'
import {
  byName,
  hasAny,
  namespaceHref,
  prefixed,
  prefixedObject,
  showAssociation,
  showNamespace,
  showObject,
  showTag,
} from './metadef-view.ts'

type Body = Static<typeof namespaceBody>

/** Parts of every endpoint about one namespace: who may not see it hears that it is not there. */
export const ofNamespace = (metadefs: Metadefs) => ({
  subject: ({ params }: Pick<Ask, 'params'>) => metadefs.find(params['namespace'] ?? ''),
  visible: 'get_metadef_namespace',
  target: ({ subject }: { subject: Namespace }) => ({ project_id: subject.ownerId, visibility: subject.visibility }),
  missing: ({ namespace }: Record<string, string>) => `Namespace ${namespace} not found`,
})

export const refuseProtected = (namespace: Namespace): void => {
  if (namespace.isProtected) throw forbidden(`Metadata definition namespace ${namespace.namespace} is protected.`)
}

/** Throws forbidden for what the service writes itself. */
export const refuseReadOnly = (body: unknown, names: string[]): void => {
  for (const name of names) if (Object.hasOwn(Object(body), name)) throw forbidden(`Attribute '${name}' is read-only.`)
}

export const marked = (error: unknown): never => {
  if (isProblem(error) && error.code === 'marker') throw new Problem('not-found', 'The marker names nothing that can be seen.')
  throw error
}

/** `first` and `next` of a list, as Glance writes them. */
export const pages = (path: string, url: string, last: string | undefined) => {
  const rest = new URLSearchParams(url.split('?')[1] ?? '')
  rest.delete('marker')
  const first = rest.size === 0 ? path : `${path}?${rest}`
  if (last === undefined) return { first }
  rest.set('marker', last)
  return { first, next: `${path}?${rest}` }
}

export const pageOf = (query: Query): Query => ({ limit: ['25'], sort_key: ['created_at'], sort_dir: ['desc'], ...query })

const readOnly = ['self', 'schema', 'created_at', 'updated_at']

export const namespaceEndpoints = (metadefs: Metadefs) => [
  endpoint({
    on: 'GET /metadefs/namespaces',
    policy: 'get_metadef_namespaces',
    summary: 'list namespaces',
    handle: async (ask) => {
      const page = pageAsk(namespaceListing, pageOf(ask.query))
      const { namespaces, more } = await metadefs.list(viewerOf(ask), filterOf(ask.query), page).catch(marked)
      const associations = await metadefs.associations(namespaces.map((one) => one.namespace))
      return {
        namespaces: namespaces.map((one) => ({
          ...showNamespace(one),
          ...hasAny('resource_type_associations', associations.get(one.namespace)!.map(showAssociation)),
        })),
        ...pages('/v2/metadefs/namespaces', ask.url, more ? namespaces.at(-1)!.namespace : undefined),
        schema: '/v2/schemas/metadefs/namespaces',
      }
    },
  }),
  endpoint({
    on: 'POST /metadefs/namespaces',
    policy: 'add_metadef_namespace',
    status: 201,
    body: () => namespaceBody,
    target: ({ body, caller }) => {
      refuseReadOnly(body, readOnly)
      return { project_id: caller.projectId }
    },
    summary: 'create namespace',
    handle: async ({ body, caller }) => {
      const asked = body as Body
      const made = await metadefs.create(
        factsOf(asked, caller.projectId ?? ''),
        {
          object: (asked.objects ?? []).map(objectOf),
          property: Object.entries(asked.properties ?? {}).map(([name, { name: _, ...rest }]) => ({ name, body: rest })),
          tag: (asked.tags ?? []).map(({ name }) => ({ name, body: {} })),
        },
        (asked.resource_type_associations ?? []).map((one) => ({
          name: one.name,
          prefix: one.prefix ?? '',
          target: one.properties_target ?? '',
        })),
      )
      const href = namespaceHref(made.namespace)
      return reply({ status: 201, body: await whole(metadefs, made), headers: { location: href } })
    },
  }),
  endpoint({
    on: 'GET /metadefs/namespaces/{namespace}',
    policy: 'get_metadef_namespace',
    ...ofNamespace(metadefs),
    summary: 'show namespace',
    handle: async ({ subject, query }) => whole(metadefs, subject, query['resource_type']?.at(-1)),
  }),
  endpoint({
    on: 'PUT /metadefs/namespaces/{namespace}',
    policy: 'modify_metadef_namespace',
    body: () => namespaceBody,
    ...ofNamespace(metadefs),
    summary: 'update namespace',
    handle: async ({ subject, body, caller }) => {
      refuseReadOnly(body, readOnly)
      return showNamespace(await metadefs.change(subject.namespace, factsOf(body as Body, caller.projectId ?? '')))
    },
  }),
  endpoint({
    on: 'DELETE /metadefs/namespaces/{namespace}',
    policy: 'delete_metadef_namespace',
    status: 204,
    ...ofNamespace(metadefs),
    summary: 'delete namespace',
    handle: async ({ subject }) => {
      refuseProtected(subject)
      await metadefs.remove(subject.namespace)
    },
  }),
  ...Object.entries(metadefSchemas).map(([name, schema]) =>
    endpoint({
      on: `GET /schemas/metadefs/${name}`,
      policy: 'token',
      summary: `schema of metadata definitions: ${name}`,
      handle: async () => schema,
    }),
  ),
]

const objectOf = ({ name, description, required, properties = {} }: NonNullable<Body['objects']>[number]) => ({
  name,
  body: {
    ...(description === undefined ? {} : { description }),
    ...(required === undefined ? {} : { required }),
    properties,
  },
})

const factsOf = (body: Body, projectId: string): NamespaceFacts => ({
  namespace: body.namespace,
  displayName: body.display_name ?? '',
  description: body.description ?? '',
  visibility: body.visibility ?? 'private',
  isProtected: body.protected ?? false,
  ownerId: body.owner ?? projectId,
})

function filterOf(query: Query): NamespaceFilter {
  const visibility = query['visibility']?.at(-1)
  if (visibility !== undefined && visibility !== 'public' && visibility !== 'private')
    throw new Problem('invalid', `Invalid visibility value: ${visibility}`)
  const types = query['resource_types']?.at(-1)
  return {
    ...(visibility === undefined ? {} : { visibility }),
    ...(types === undefined ? {} : { resourceTypes: types.split(',') }),
  }
}

/** With all its parts; for a type of resource, with the names its prefix makes. */
async function whole(metadefs: Metadefs, one: Namespace, resourceType?: string) {
  const { namespace } = one
  const associations = (await metadefs.associations([namespace])).get(namespace)!
  const prefix = associations.find((association) => association.name === resourceType)?.prefix ?? ''
  const objects = await metadefs.parts(namespace, 'object')
  return {
    ...showNamespace(one),
    ...hasAny('resource_type_associations', associations.map(showAssociation)),
    ...hasAny('properties', prefixed(prefix, byName(await metadefs.parts(namespace, 'property')))),
    ...hasAny(
      'objects',
      objects.map((object) => showObject(namespace, prefixedObject(prefix, object))),
    ),
    ...hasAny('tags', (await metadefs.parts(namespace, 'tag')).map(showTag)),
  }
}
