import { second } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import type { Cache, Cached } from '../domain/cache.ts'
import type { ImageStore } from '../domain/images.ts'
import { ofImage } from './images.ts'

const show = ({ imageId, hits, accessedAt, modifiedAt, sizeBytes }: Cached) => ({
  image_id: imageId,
  hits,
  last_accessed: accessedAt / second,
  last_modified: modifiedAt / second,
  size: sizeBytes,
})

/** What is cached on the controller that answers. */
export const cacheEndpoints = (images: ImageStore, cache: Cache | undefined) => {
  const needed = (): Cache => {
    if (!cache) throw new Problem('not-found', 'Caching via API is not supported at this site.')
    return cache
  }
  return [
    endpoint({
      on: 'GET /cache',
      policy: 'cache_list',
      summary: 'list what is cached and queued',
      handle: async () => ({ cached_images: (await needed().cached()).map(show), queued_images: await needed().queued() }),
    }),
    endpoint({
      on: 'PUT /cache/{image_id}',
      policy: 'cache_image',
      status: 202,
      ...ofImage(images),
      summary: 'queue an image for caching',
      handle: async ({ subject }) => {
        const here = needed()
        if (subject.status !== 'active') throw new Problem('invalid', 'Only an active image can be cached.')
        await here.queue(subject)
      },
    }),
    endpoint({
      on: 'DELETE /cache/{image_id}',
      policy: 'cache_delete',
      status: 204,
      summary: 'take an image out of the cache or its queue',
      handle: async ({ params }: Pick<Ask, 'params'>) => {
        const here = needed()
        const id = dashed(params['image_id'] ?? '') ?? ''
        const row = await here.row(id)
        if (!row && !(await images.find(id))) throw new Problem('not-found', `Image ${params['image_id']} not found.`)
        if (row) await here.drop([id])
      },
    }),
    endpoint({
      on: 'DELETE /cache',
      policy: 'cache_delete',
      status: 204,
      summary: 'empty the cache, its queue, or both',
      handle: async ({ headers }) => {
        const here = needed()
        const target = (headers['x-image-cache-clear-target'] ?? '').toLowerCase()
        if (!['', 'cache', 'queue'].includes(target))
          throw new Problem('invalid', "x-image-cache-clear-target must be 'cache', 'queue' or empty.")
        if (target !== 'queue') await here.clear('cached')
        if (target !== 'cache') await here.clear('queued')
      },
    }),
    endpoint({
      on: 'POST /cache/clean',
      policy: 'cache_clean',
      status: 200,
      summary: 'remove what the cache holds in vain',
      handle: async () => {
        await needed().clean()
        return {}
      },
    }),
    endpoint({
      on: 'POST /cache/prune',
      policy: 'cache_prune',
      status: 200,
      summary: 'bring the cache down to its size',
      handle: async () => {
        const { images: count, bytes } = await needed().prune()
        return { total_files_pruned: count, total_bytes_pruned: bytes }
      },
    }),
    endpoint({
      on: 'GET /cache/nodes/{image_id}',
      policy: 'list_cached_nodes',
      ...ofImage(images),
      summary: 'list controllers that have an image in their cache',
      handle: async ({ subject }) => ({ cached_nodes: await needed().nodes(subject.id) }),
    }),
  ]
}
