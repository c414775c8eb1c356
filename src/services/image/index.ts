import type { Blobs } from '../../drivers/blobs/driver.ts'
import { forTables } from '../../kit/db/open.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { dataEndpoints } from './api/data.ts'
import { dialect } from './api/dialect.ts'
import { discoveryEndpoints } from './api/discovery.ts'
import { imageEndpoints } from './api/images.ts'
import { memberEndpoints } from './api/members.ts'
import type { Image, Images } from './contract.ts'
import type { StoredImage } from './domain/image.ts'
import { openImageStore } from './domain/images.ts'
import { openMembers } from './domain/members.ts'
import { endBrokenUpload, openUpload } from './domain/upload.ts'
import { imagePolicies } from './policy.ts'
import { type ImageTables, imageMigrations } from './tables.ts'
import { bytesMachine } from './work/bytes.work.ts'

export const imageKind: ServiceKind = { name: 'image', migrations: imageMigrations, policies: imagePolicies }

/** `maxBytes` of one image, Glance's image_size_cap. Default: a tebibyte. */
export type ImageSettings = { blobs: Blobs; maxBytes?: number }

export function openImages({ clock, work, ...deps }: Deps, { blobs, maxBytes = 2 ** 40 }: ImageSettings): Service<Images> {
  const db = forTables<ImageTables>(deps.db)
  const store = openImageStore(db, clock, work)
  const members = openMembers(db, clock)
  const upload = openUpload({ db, clock, work, blobs, maxBytes })
  return {
    dialect,
    endpoints: [
      ...imageEndpoints(store),
      ...dataEndpoints(store, blobs, upload),
      ...memberEndpoints(store, members),
      ...discoveryEndpoints(),
    ],
    machines: [bytesMachine(store, (id, upload) => endBrokenUpload(db, clock, id, upload), blobs, clock)],
    contract: {
      show: async ({ id }) => forOthers(await store.find(id)),
      visibleTo: async ({ id, ...viewer }) => forOthers(await store.visible(id, viewer)),
    },
    desk: { agents: {}, blob: async (id) => blobs.read((await store.find(id))?.blobId ?? '') },
    audit: async () => ({ problems: [], exists: { blob: await store.blobIds() }, holds: { blob: await blobs.list() } }),
  }
}

const forOthers = (image: StoredImage | undefined): Image | undefined => {
  if (!image) return undefined
  const { md5: _, tags: __, isProtected: ___, isHidden: ____, projectId: _____, blobId: ______, ...shown } = image
  return shown
}
