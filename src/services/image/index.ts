import { forTables } from '../../kit/db/open.ts'
import { Problem } from '../../kit/errors.ts'
import { type Fetch, openFetch } from '../../kit/fetch/fetch.ts'
import type { Identity } from '../identity/contract.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { cacheEndpoints } from './api/cache.ts'
import { dataEndpoints } from './api/data.ts'
import { dialect } from './api/dialect.ts'
import { discoveryEndpoints } from './api/discovery.ts'
import { imageEndpoints } from './api/images.ts'
import { importEndpoints } from './api/import.ts'
import { locationEndpoints } from './api/locations.ts'
import { memberEndpoints } from './api/members.ts'
import { namespaceEndpoints } from './api/metadef-namespaces.ts'
import { partEndpoints } from './api/metadef-parts.ts'
import { openProtection, type PropertyProtection } from './api/protection.ts'
import { storeEndpoints } from './api/stores.ts'
import { taskEndpoints } from './api/tasks.ts'
import type { Image, Images } from './contract.ts'
import { type CacheSettings, openCache } from './domain/cache.ts'
import type { StoredImage } from './domain/image.ts'
import { openImageStore } from './domain/images.ts'
import { openImports } from './domain/imports.ts'
import { openMembers } from './domain/members.ts'
import { openOtherRegions } from './domain/other-region.ts'
import { openImageQuota } from './domain/quota.ts'
import { type Certificates, openSignatures } from './domain/signature.ts'
import { openStores, type Store } from './domain/stores.ts'
import type { ImportMethod } from './domain/task.ts'
import { openTasks } from './domain/tasks.ts'
import { endBrokenUpload, openUploads } from './domain/upload.ts'
import { openMetadefs } from './metadefs/store.ts'
import { type MetadefTables, metadefMigrations } from './metadefs/tables.ts'
import { imagePolicies } from './policy.ts'
import { type ImageTables, imageMigrations } from './tables.ts'
import { bytesMachine } from './work/bytes.work.ts'
import { cacheMachine } from './work/cache.work.ts'
import { type ConversionSettings, openConvert } from './work/convert.ts'
import { importMachine } from './work/import.work.ts'
import { openPrepare } from './work/prepare.ts'

export type { PropertyProtection } from './api/protection.ts'
export type { CacheSettings } from './domain/cache.ts'
export type { Certificates } from './domain/signature.ts'
export type { Store } from './domain/stores.ts'
export type { ConversionSettings } from './work/convert.ts'

export const imageKind: ServiceKind = {
  name: 'image',
  migrations: [...imageMigrations, ...metadefMigrations],
  policies: imagePolicies,
}

export type ImageSettings = {
  /** The first is the usual one; `local` is the one there was before there were several. */
  stores: Store[]
  /** Of one image, Glance's image_size_cap. Default: a tebibyte. */
  maxBytes?: number
  /** The door to addresses that users give. Default: public hosts on ports 80 and 443. */
  fetch?: Fetch
  /** The door to images of other regions, whose addresses the catalog has. Default: any host and port. */
  regionFetch?: Fetch
  /** Default: glance-direct, web-download, copy-image. Beside them there is glance-download, for clouds whose regions share their users. */
  importMethods?: ImportMethod[]
  /** A deleted image keeps its bytes so long. Default 0. */
  delayedDeleteSeconds?: number
  /** Default: everybody may do everything with custom properties. */
  propertyProtections?: PropertyProtection[]
  /** Where certificates of image signatures are found. Default: signatures are not looked at. */
  certificates?: Certificates
  /** Default: images are imported as they are. */
  conversion?: ConversionSettings
  /** Copies of images near this controller. Default: none. */
  cache?: CacheSettings
}

type Contracts = { identity: Identity }

export function openImages({ clock, work, ...deps }: Deps, contracts: Contracts, settings: ImageSettings): Service<Images> {
  const db = forTables<ImageTables>(deps.db)
  const { maxBytes = 2 ** 40, delayedDeleteSeconds = 0, fetch = openFetch(), conversion } = settings
  const methods = settings.importMethods ?? ['glance-direct', 'web-download', 'copy-image']
  const stores = openStores(settings.stores)
  const quota = openImageQuota(db, (projectId) => contracts.identity.limits({ serviceType: 'image', projectId }))
  const images = openImageStore({ db, clock, work, quota, delayedDeleteSeconds })
  const members = openMembers(db, clock)
  const metadefs = openMetadefs(forTables<MetadefTables>(deps.db), clock)
  const tasks = openTasks({ db, clock, work, quota })
  const signatures = openSignatures(settings.certificates, clock)
  const uploads = openUploads({ db, clock, work, stores, quota, signatures, maxBytes })
  const imports = openImports({ db, clock, quota })
  const prepare = openPrepare({
    stores,
    signatures,
    maxBytes,
    conversion: conversion && { to: conversion.to, convert: openConvert(conversion) },
  })
  const protection = openProtection(settings.propertyProtections)
  const otherRegions = openOtherRegions({
    identity: { endpoint: (ask) => contracts.identity.endpoint(ask) },
    fetch: settings.regionFetch ?? openFetch({ allowedNetworks: ['0.0.0.0/0', '::/0'], allowedPorts: 'any', maxRedirects: 0 }),
    allow: protection.allow,
  })
  const broken = (id: string, upload: string) => endBrokenUpload(db, clock, id, upload)
  const cache = settings.cache && openCache({ db, clock, work, stores, settings: settings.cache })
  const read = cache?.read ?? stores.read
  const shared = { read, images, tasks, stores, uploads, quota, fetch, methods, protection }
  return {
    dialect,
    endpoints: [
      ...imageEndpoints(shared),
      ...dataEndpoints(shared),
      ...memberEndpoints(images, members),
      ...importEndpoints(shared),
      ...locationEndpoints(shared),
      ...storeEndpoints(shared),
      ...taskEndpoints(shared),
      ...cacheEndpoints(images, cache),
      ...namespaceEndpoints(metadefs),
      ...partEndpoints(metadefs),
      ...discoveryEndpoints(cache !== undefined),
    ],
    machines: [
      bytesMachine({ store: images, tasks, stores, clock, broken }),
      importMachine({ imports, tasks, images, stores, uploads, fetch, otherRegions, prepare, broken, work, clock, maxBytes }),
      ...(cache ? [cacheMachine(cache, images)] : []),
    ],
    contract: {
      show: async ({ id }) => forOthers(await images.find(id)),
      restore: async ({ id }) => images.restore(id),
      visibleTo: async ({ id, ...viewer }) => forOthers(await images.visible(id, viewer)),
    },
    desk: {
      agents: {},
      async blob(id) {
        const image = await images.find(id)
        if (!image) throw new Problem('not-found', 'The image is not there.')
        return read(image)
      },
    },
    audit: async () => ({ problems: [], exists: { blob: await images.blobIds() }, holds: { blob: await stores.blobs() } }),
  }
}

const forOthers = (image: StoredImage | undefined): Image | undefined => {
  if (!image) return undefined
  const {
    md5: _,
    tags: __,
    isProtected: ___,
    isHidden: ____,
    projectId: _____,
    blobId: ______,
    stores: _______,
    ...shown
  } = image
  return shown
}
