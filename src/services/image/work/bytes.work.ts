import type { Blobs } from '../../../drivers/blobs/driver.ts'
import type { Clock } from '../../../kit/clock.ts'
import { done, machine, sleep } from '../../../kit/work/machine.ts'
import { bytesWork, type ImageStore } from '../domain/images.ts'
import type { ImageRow } from '../tables.ts'

type State = 'uploading' | 'remove'

/** Watches over the bytes of an image: an upload whose process died goes back to `queued`, a deleted image loses its bytes and rows. */
export const bytesMachine = (
  store: ImageStore,
  broken: (id: string, upload: string) => Promise<void>,
  blobs: Blobs,
  clock: Clock,
) => {
  const isWritten = (image: ImageRow) => image.upload_id !== '' && image.upload_until > clock.now()
  return machine<ImageRow, State>({
    kind: bytesWork,
    first: 'uploading',
    teardown: 'remove',
    failed: 'uploading',
    load: store.row,
    steps: {
      async uploading(image) {
        if (image.status !== 'saving') return done()
        if (isWritten(image)) return sleep(20)
        await blobs.remove(image.upload_id)
        await broken(image.id, image.upload_id)
        return done('the upload broke off')
      },
      async remove(image) {
        // Who still writes must first notice that it is gone, else its bytes would outlive the image.
        if (isWritten(image)) return sleep(5)
        for (const blob of [image.upload_id, image.blob_id]) if (blob !== '') await blobs.remove(blob)
        await store.forget(image.id)
        return done('deleted')
      },
    },
    async onFailure() {},
  })
}
