import { type Clock, second } from '../../../kit/clock.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import type { Fetch } from '../../../kit/fetch/fetch.ts'
import { done, go, machine, sleep } from '../../../kit/work/machine.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { StoredImage } from '../domain/image.ts'
import { bytesWork, type ImageStore } from '../domain/images.ts'
import type { Import, Imports } from '../domain/imports.ts'
import type { OtherRegions } from '../domain/other-region.ts'
import type { Stores } from '../domain/stores.ts'
import type { Prepared, RemoteFacts } from '../domain/task.ts'
import { importWork, type Tasks } from '../domain/tasks.ts'
import type { Uploads } from '../domain/upload.ts'
import type { openPrepare } from './prepare.ts'

type State = 'fetch' | 'prepare' | 'place' | 'finish' | 'fail' | 'ended'

type Deps = {
  imports: Imports
  tasks: Tasks
  images: ImageStore
  stores: Stores
  uploads: Uploads
  fetch: Fetch
  otherRegions: OtherRegions
  prepare: ReturnType<typeof openPrepare>
  broken: (id: string, upload: string) => Promise<void>
  work: Work
  clock: Clock
  maxBytes: number
}

/** Methods whose bytes are not there yet. */
const fetched: readonly string[] = ['web-download', 'glance-download']

/** Users hear at once what went wrong and may try again; only what is no answer (a database away, a bug) is tried again by itself. */
const final = async <Result>(run: Promise<Result>): Promise<Result> =>
  run.catch((error) => {
    throw isProblem(error) ? new Problem('invalid', error.message, { cause: error }) : error
  })

/**
 * An import: the bytes come in (unless they are staged), are judged, go to each store, and become the image's. What is made on the way lies under
 * names that the rows know before anything is removed.
 */
export function importMachine(deps: Deps) {
  const { imports, tasks, images, stores, uploads, fetch, otherRegions, prepare, broken, work, clock, maxBytes } = deps
  const imageOf = async ({ task }: Import): Promise<StoredImage> => {
    const image = await images.find(task.imageId)
    if (!image) throw new Problem('not-found', 'The image was deleted during its import.')
    return image
  }
  const stillThere = ({ image }: Import) => {
    if (!image) throw new Problem('not-found', 'The image was deleted during its import.')
    return image
  }

  /** Bytes under these names that no copy of the image is. */
  const sweep = async (subject: Import, copies: string[]) => {
    const { prepared } = subject.task.progress
    const names = [subject.staged?.blob_id, prepared?.blobId, prepared?.source, subject.task.id]
    for (const name of new Set(names.filter((one) => one !== undefined)))
      for (const store of stores.all) if (name !== subject.blobId || !copies.includes(store.id)) await store.blobs.remove(name)
  }

  const open = ({ plan, progress }: Import['task']) =>
    plan.remote && progress.remote ? otherRegions.bytes(plan.remote, progress.remote) : fetch.open(plan.uri ?? '', { maxBytes })

  const copy = async (ready: Prepared, storeId: string) => {
    if (storeId === ready.store) return
    const bytes = await stores.named(ready.store).blobs.read(ready.blobId)
    await stores.named(storeId).blobs.write(ready.blobId, bytes, { maxBytes: ready.sizeBytes })
  }

  return machine<Import, State>({
    kind: importWork,
    first: 'fetch',
    teardown: 'fail',
    failed: 'fail',
    load: imports.load,
    steps: {
      async fetch(subject) {
        const { task, staged } = subject
        const image = stillThere(subject)
        if (image.upload_id !== '') {
          if (image.upload_until > clock.now()) return sleep(20, { reason: 'another process may still fetch' })
          await stores.remove(image.upload_id)
          await broken(image.id, image.upload_id)
        }
        if (task.status === 'pending') await imports.begun(task)
        if (task.plan.remote && !task.progress.remote) {
          const { properties } = await imageOf(subject)
          await imports.found(task, await final(otherRegions.show(task.plan.remote, properties)))
          return go('fetch')
        }
        if (fetched.includes(task.plan.method) && !staged) {
          const { bytes, sizeBytes } = await final(open(task))
          const announced = sizeBytes === undefined ? {} : { announcedBytes: sizeBytes }
          await final(uploads.stage(await imageOf(subject), bytes, announced))
        }
        return go('prepare')
      },
      async prepare(subject) {
        const { task, staged } = subject
        const image = asThere(await imageOf(subject), task.progress.remote, staged)
        if (task.progress.prepared) return go('place')
        const ready = task.plan.method === 'copy-image' ? existing(image) : await final(prepare(image, needed(staged), task))
        await imports.prepared(task, ready)
        return go('place')
      },
      async place(subject) {
        const image = stillThere(subject)
        const { task } = subject
        const { plan, progress } = task
        const next = plan.stores.find((id) => !progress.done.includes(id) && !progress.failed.includes(id))
        if (next === undefined) return go('finish')
        const ready = needed(progress.prepared)
        try {
          await copy(ready, next)
        } catch (error) {
          if (!isProblem(error)) throw error
          if (plan.allMustSucceed) throw new Problem('invalid', `Store ${next}: ${error.message}`, { cause: error })
          await imports.refused(task, next)
          return go('place', { reason: `store ${next}: ${error.message}` })
        }
        await imports.placed(task, image, ready, next)
        return go('place')
      },
      async finish(subject) {
        const { task } = subject
        stillThere(subject)
        // A copy to where the image is already has nothing to do, and ends well.
        if (task.plan.stores.length > 0 && task.progress.done.length === 0)
          throw new Problem('invalid', 'No store could take the image.')
        const ready = needed(task.progress.prepared)
        await imports.activated(task, ready)
        await sweep({ ...subject, blobId: ready.blobId }, subject.copies)
        await imports.succeeded(task)
        return go('ended')
      },
      async fail(subject) {
        const { task, image } = subject
        const keeps = image?.status === 'active' && !(task.plan.method === 'copy-image' && task.plan.allMustSucceed)
        if (!keeps) await imports.takeBack(task)
        await sweep(subject, keeps ? subject.copies : subject.copies.filter((id) => !task.progress.done.includes(id)))
        await imports.failed(task)
        await work.wake(bytesWork, task.imageId)
        return go('ended')
      },
      async ended({ task }) {
        const left = Math.ceil((task.expiresAt - clock.now()) / second)
        if (left > 0) return sleep(left)
        await tasks.forget(task.id)
        return done()
      },
    },
    onFailure: ({ task }, problem) => imports.explain(task, problem.message),
  })
}

/** As the other region has it: its formats count before they are the image's. Throws invalid when not all of its bytes came. */
function asThere(image: StoredImage, remote: RemoteFacts | undefined, staged: Import['staged']): StoredImage {
  if (!remote) return image
  if (staged && staged.size_bytes !== remote.sizeBytes)
    throw new Problem('invalid', `The other region sent ${staged.size_bytes} bytes of ${remote.sizeBytes}.`)
  const { diskFormat, containerFormat } = remote
  return { ...image, diskFormat, containerFormat }
}

const needed = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Problem('invalid', 'The bytes to import are not there.')
  return value
}

const existing = (image: StoredImage): Prepared => ({
  blobId: needed(image.blobId),
  store: needed(image.stores[0]),
  sizeBytes: needed(image.sizeBytes),
  virtualSizeBytes: image.virtualSizeBytes,
  md5: image.md5 ?? '',
  sha512: image.sha512 ?? '',
})
