import { done, go, machine } from '../../../kit/work/machine.ts'
import type { Cache } from '../domain/cache.ts'
import type { ImageStore } from '../domain/images.ts'
import type { CacheRow } from '../tables.ts'

type State = 'fill' | 'drop'

/** One image in the cache of one node: filled, or emptied. */
export const cacheMachine = (cache: Cache, images: ImageStore) =>
  machine<CacheRow, State>({
    kind: cache.kind,
    first: 'fill',
    teardown: 'drop',
    failed: 'drop',
    load: cache.row,
    steps: {
      async fill(row) {
        if (row.status === 'cached') return done()
        const image = await images.find(row.image_id)
        if (row.status === 'leaving' || image?.blobId !== row.blob_id || image.status !== 'active') return go('drop')
        await cache.fill(row, image)
        await cache.prune()
        return done('cached')
      },
      async drop(row) {
        await cache.forget(row)
        return done('not cached any more')
      },
    },
    async onFailure() {},
  })
