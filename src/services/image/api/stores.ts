import { Problem } from '../../../kit/errors.ts'
import { endpoint } from '../../../kit/http/endpoint.ts'
import type { ImageStore } from '../domain/images.ts'
import type { ImageQuota } from '../domain/quota.ts'
import type { Store, Stores } from '../domain/stores.ts'
import type { ImportMethod } from '../domain/task.ts'
import { forbidden } from './attributes.ts'
import { ofImage } from './images.ts'

type Deps = { images: ImageStore; stores: Stores; quota: ImageQuota; methods: ImportMethod[] }

export const storeEndpoints = ({ images, stores, quota, methods }: Deps) => {
  const show = ({ id, description }: Store) => ({
    id,
    ...(description === undefined ? {} : { description }),
    ...(id === stores.usual.id ? { default: 'true' } : {}),
  })
  return [
    endpoint({
      on: 'GET /info/import',
      policy: 'token',
      summary: 'import methods',
      handle: async () => ({ 'import-methods': { description: 'Import methods available.', type: 'array', value: methods } }),
    }),
    endpoint({
      on: 'GET /info/stores',
      policy: 'token',
      summary: 'list stores',
      handle: async () => ({ stores: stores.all.map(show) }),
    }),
    endpoint({
      on: 'GET /info/stores/detail',
      policy: 'stores_info_detail',
      summary: 'list stores with their settings',
      handle: async () => ({
        stores: stores.all.map((store) => ({ ...show(store), type: store.type, properties: store.properties ?? {} })),
      }),
    }),
    endpoint({
      on: 'GET /info/usage',
      policy: 'token',
      summary: 'limits and usage',
      handle: async ({ caller }) => ({ usage: await quota.usage(caller.projectId ?? '') }),
    }),
    endpoint({
      on: 'DELETE /stores/{store_id}/{image_id}',
      policy: 'delete_image_location',
      visible: 'get_image_location',
      status: 204,
      ...ofImage(images),
      summary: 'delete image data from a store',
      handle: async ({ subject, params }) => {
        const store = stores.find(params['store_id']!)
        if (!store) throw new Problem('conflict', `The store ${params['store_id']} is not available.`)
        if (subject.status !== 'active')
          throw new Problem('conflict', 'Only of an active image data can be removed from a store.')
        if (subject.isProtected) throw forbidden(`Image ${subject.id} is protected.`)
        if (!subject.stores.includes(store.id))
          throw new Problem('not-found', `Image ${subject.id} is not stored in store ${store.id}.`)
        await images.dropCopy(subject.id, store.id)
      },
    }),
  ]
}
