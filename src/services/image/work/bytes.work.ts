import { type Clock, second } from '../../../kit/clock.ts'
import { done, machine, sleep } from '../../../kit/work/machine.ts'
import { bytesWork, goneStatuses, type ImageStore } from '../domain/images.ts'
import type { Stores } from '../domain/stores.ts'
import type { Tasks } from '../domain/tasks.ts'
import type { ImageRow } from '../tables.ts'

type State = 'uploading' | 'remove'

type Deps = {
  store: ImageStore
  tasks: Tasks
  stores: Stores
  clock: Clock
  broken: (id: string, upload: string) => Promise<void>
}

/** Watches over the bytes of an image: an upload whose process died goes back to `queued`, a deleted image loses its bytes and rows. */
export const bytesMachine = ({ store, tasks, stores, clock, broken }: Deps) => {
  const isWritten = (image: ImageRow) => image.upload_id !== '' && image.upload_until > clock.now()
  /** Bytes in stores that are not among the image's copies any more. */
  const trim = async (image: ImageRow) => {
    if (image.blob_id === '' || stores.all.length === 1) return done()
    if (await tasks.isBusy(image.id)) return sleep(5)
    const copies = (await store.find(image.id))?.stores ?? []
    for (const { id, blobs } of stores.all) if (!copies.includes(id)) await blobs.remove(image.blob_id)
    return done()
  }
  return machine<ImageRow, State>({
    kind: bytesWork,
    first: 'uploading',
    teardown: 'remove',
    failed: 'uploading',
    load: store.row,
    steps: {
      async uploading(image) {
        if (isWritten(image)) return sleep(20)
        if (image.upload_id === '') return trim(image)
        await stores.remove(image.upload_id)
        await broken(image.id, image.upload_id)
        return done('the upload broke off')
      },
      async remove(image) {
        if (!goneStatuses.includes(image.status)) return done('restored')
        const left = Math.ceil((image.bytes_until - clock.now()) / second)
        if (left > 0) return sleep(left, { reason: 'its bytes are kept for a while' })
        // From here on it cannot be restored.
        if (image.status === 'pending_delete' && !(await store.setStatus(image.id, ['pending_delete'], 'deleted')))
          return sleep(0, { reason: 'it was restored' })
        // Who still writes must first notice that it is gone, else its bytes would outlive the image.
        if (isWritten(image) || (await tasks.isBusy(image.id))) return sleep(5)
        const staged = await store.staged(image.id)
        for (const blob of [image.upload_id, image.blob_id, staged?.blob_id ?? '']) await stores.remove(blob)
        await store.forget(image.id)
        return done('deleted')
      },
    },
    async onFailure() {},
  })
}
