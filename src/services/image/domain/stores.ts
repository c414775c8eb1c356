import type { Blobs } from '../../../drivers/blobs/driver.ts'
import { Problem } from '../../../kit/errors.ts'
import type { StoredImage } from './image.ts'

/** A place for bytes, as users choose it by its id. */
export type Store = {
  id: string
  /** Glance's name of the driver. */
  type: 'file' | 's3' | 'mem'
  description?: string
  blobs: Blobs
  /** What administrators are shown of it. */
  properties?: Record<string, unknown>
  /** What services are told of where it keeps things, ending with a slash. Default: its id as a scheme. */
  address?: string
}

export const addressIn = ({ id, address }: Store, blobId: string): string => `${address ?? `${id}://`}${blobId}`

export type Stores = {
  all: Store[]
  /** What nobody chose otherwise; staged bytes lie here too. */
  usual: Store
  /** Throws invalid. */
  named(id: string): Store
  find(id: string): Store | undefined
  /** From the first store that has the bytes. Throws not-found. */
  read(
    image: Pick<StoredImage, 'blobId' | 'stores'>,
    range?: { start: number; end: number },
    isPassing?: boolean,
  ): Promise<AsyncIterable<Uint8Array>>
  /** From wherever they are. */
  remove(blobId: string): Promise<void>
  blobs(): Promise<string[]>
}

export function openStores(all: Store[]): Stores {
  const [usual] = all
  if (!usual) throw new Error('images need a store')
  const find = (id: string) => all.find((store) => store.id === id)
  return {
    all,
    usual,
    find,
    named(id) {
      const store = find(id)
      if (!store) throw new Problem('invalid', `There is no store ${id}.`)
      return store
    },
    async read({ blobId, stores }, range, isPassing) {
      const having = stores.flatMap((id) => find(id) ?? [])
      let missing: unknown = new Problem('not-found', 'The bytes are not there.')
      for (const { blobs } of having)
        try {
          return await blobs.read(blobId ?? '', range, isPassing)
        } catch (error) {
          missing = error
        }
      throw missing
    },
    async remove(blobId) {
      if (blobId !== '') for (const { blobs } of all) await blobs.remove(blobId)
    },
    blobs: async () => [...new Set((await Promise.all(all.map(({ blobs }) => blobs.list()))).flat())],
  }
}
