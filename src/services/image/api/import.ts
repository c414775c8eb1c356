import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import type { Fetch } from '../../../kit/fetch/fetch.ts'
import { type Ask, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import type { StoredImage } from '../domain/image.ts'
import type { ImageStore } from '../domain/images.ts'
import type { Stores } from '../domain/stores.ts'
import type { ImportMethod, ImportPlan, Remote } from '../domain/task.ts'
import type { Tasks } from '../domain/tasks.ts'
import type { Uploads } from '../domain/upload.ts'
import { forbidden } from './attributes.ts'
import { announced, octets } from './data.ts'
import { ofImage } from './images.ts'
import { showTask } from './task-view.ts'

const invalid = (message: string) => new Problem('invalid', message)
const conflict = (message: string) => new Problem('conflict', message)

export type ImportDeps = {
  images: ImageStore
  tasks: Tasks
  stores: Stores
  uploads: Uploads
  fetch: Fetch
  methods: ImportMethod[]
}

type Body = Record<string, unknown>

export const importEndpoints = ({ images, tasks, stores, uploads, fetch, methods }: ImportDeps) => [
  endpoint({
    on: 'PUT /images/{image_id}/stage',
    policy: 'modify_image',
    status: 204,
    body: 'stream',
    ...ofImage(images),
    summary: 'stage image data',
    handle: async (ask) => {
      if (!methods.includes('glance-direct'))
        throw new Problem('not-found', "'glance-direct' method is not available at this site.")
      await uploads.stage(ask.subject, octets(ask), announced(ask))
    },
  }),
  endpoint({
    on: 'POST /images/{image_id}/import',
    policy: 'get_image',
    alsoAsks: ['copy_image', 'modify_image'],
    status: 202,
    body: Type.Record(Type.String(), Type.Unknown()),
    ...ofImage(images),
    summary: 'import an image',
    handle: async (ask) => {
      const { subject, body } = ask
      const method = methodOf(body, methods)
      const rule = method.name === 'copy-image' ? 'copy_image' : 'modify_image'
      if (!ask.can(rule)) throw forbidden(`${rule} is disallowed by policy`)
      refuseState(subject, method.name)
      const plan = planOf(ask, method, subject, stores)
      if (method.name === 'web-download') fetch.check(plan.uri ?? '')
      const input = { image_id: subject.id, import_req: body, backend: plan.stores }
      await tasks.begin(subject, { type: 'api_image_import', input, plan, ...whoOf(ask) })
      return reply({ status: 202, headers: storeIds(stores) })
    },
  }),
  endpoint({
    on: 'GET /images/{image_id}/tasks',
    policy: 'get_image',
    ...ofImage(images),
    summary: 'tasks of an image',
    handle: async ({ subject }) => ({ tasks: (await tasks.ofImage(subject.id)).map(showTask) }),
  }),
]

export const whoOf = ({ caller, requestId }: Pick<Ask, 'caller' | 'requestId'>) => ({ userId: caller.userId, requestId })

export const storeIds = (stores: Stores) => ({ 'OpenStack-image-store-ids': stores.all.map(({ id }) => id).join(',') })

type Method = { name: ImportMethod; uri: unknown; fields: Body }

function methodOf({ method }: Body, allowed: ImportMethod[]): Method {
  if (typeof method !== 'object' || method === null) throw invalid("Import request requires a 'method' field.")
  const fields = method as Body
  const { name, uri } = fields
  if (name === undefined) throw invalid("Import request requires a 'name' field.")
  if (!allowed.includes(name as ImportMethod)) throw invalid(`Unknown import method name '${String(name)}'.`)
  return { name: name as ImportMethod, uri, fields }
}

function refuseState({ status, containerFormat, diskFormat }: StoredImage, method: ImportMethod): void {
  const copies = method === 'copy-image'
  if (status === 'active' && !copies) throw conflict('An active image cannot be imported again.')
  if (status !== 'active' && copies) throw conflict('Only an active image can be copied.')
  if ((method === 'web-download' || method === 'glance-download') && status !== 'queued')
    throw conflict(`Method '${method}' needs an image that is queued.`)
  if (method === 'glance-direct' && status !== 'uploading')
    throw conflict("The image must be staged before method 'glance-direct' can be used.")
  if (containerFormat === undefined) throw conflict("'container_format' needs to be set before import")
  if (diskFormat === undefined) throw conflict("'disk_format' needs to be set before import")
}

const bool = (body: Body, name: string, usual: boolean): boolean => {
  const value = body[name] ?? usual
  if (typeof value !== 'boolean') throw invalid(`'${name}' must be boolean value only`)
  return value
}

function planOf(
  ask: Pick<Ask<Body>, 'body' | 'headers' | 'caller'>,
  method: Method,
  image: StoredImage,
  stores: Stores,
): ImportPlan {
  const { body, headers } = ask
  const allMustSucceed = bool(body, 'all_stores_must_succeed', true)
  const all = bool(body, 'all_stores', false)
  const chosen = chosenStores(body, headers['x-image-meta-store'], all, stores)
  const there = method.name === 'copy-image' ? chosen.filter((id) => image.stores.includes(id)) : []
  if (there.length > 0 && !all) throw invalid(`Image is already present at store '${there[0]}'`)
  if (method.name === 'web-download' && typeof method.uri !== 'string') throw invalid("Method 'web-download' requires a 'uri'.")
  return {
    method: method.name,
    ...(method.name === 'web-download' ? { uri: String(method.uri) } : {}),
    ...(method.name === 'glance-download' ? { remote: remoteOf(method.fields, ask) } : {}),
    stores: chosen.filter((id) => !there.includes(id)),
    allMustSucceed,
  }
}

function remoteOf(fields: Body, { caller, headers }: Pick<Ask, 'caller' | 'headers'>): Remote {
  const { glance_region: region, glance_image_id: imageId, glance_service_interface: face = 'public' } = fields
  for (const [name, value] of Object.entries({ glance_region: region, glance_image_id: imageId, glance_service_interface: face }))
    if (typeof value !== 'string') throw invalid(`Method 'glance-download' requires '${name}', a text.`)
  const id = dashed(String(imageId))
  if (id === undefined) throw invalid(`Remote image id does not look like a UUID: ${imageId}`)
  return { region: String(region), face: String(face), imageId: id, caller, token: headers['x-auth-token'] ?? '' }
}

function chosenStores(body: Body, header: string | undefined, all: boolean, stores: Stores): string[] {
  const asked = body['stores']
  if (all && (asked !== undefined || header !== undefined))
    throw invalid('all_stores cannot be used together with stores or x-image-meta-store.')
  if (asked !== undefined && header !== undefined) throw invalid('stores and x-image-meta-store cannot both be given.')
  if (all) return stores.all.map(({ id }) => id)
  if (asked === undefined) return [known(header ?? stores.usual.id, stores)]
  if (!Array.isArray(asked) || asked.length === 0 || !asked.every((id) => typeof id === 'string'))
    throw invalid('stores must be a list of names.')
  return [...new Set(asked.map((id) => known(id, stores)))]
}

const known = (id: string, stores: Stores): string => {
  if (!stores.find(id)) throw conflict(`There is no store ${id}.`)
  return id
}
