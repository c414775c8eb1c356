import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { diskBlobs, s3Blobs } from '../drivers/blobs/index.ts'
import { openExec } from '../kit/exec/exec.ts'
import { openFetch } from '../kit/fetch/fetch.ts'
import type { Log } from '../kit/log.ts'
import type { ImageSettings, Store } from '../services/image/index.ts'

const texts = Type.Array(Type.String())
/** Roles, or a rule. */
const permit = Type.Union([texts, Type.String()])
const seconds = Type.Integer({ minimum: 0 })
const kept = { id: Type.String({ pattern: '^[a-z0-9_-]{1,64}$' }), description: Type.Optional(Type.String()) }
const exact = { additionalProperties: false } as const

const fileStore = Type.Object({ ...kept, type: Type.Literal('file'), folder: Type.String() }, exact)
const s3Store = Type.Object(
  {
    ...kept,
    type: Type.Literal('s3'),
    endpoint: Type.String(),
    bucket: Type.String(),
    region: Type.Optional(Type.String()),
    prefix: Type.Optional(Type.String()),
  },
  exact,
)

/** Section `image` of the configuration file. Nothing of it must be there. */
export const imageConfig = Type.Object(
  {
    /** Beside the usual one, `local`. Keys of S3 stores stand in the secrets. */
    stores: Type.Optional(Type.Array(Type.Union([fileStore, s3Store]))),
    importMethods: Type.Optional(
      Type.Array(
        Type.Unsafe<'glance-direct' | 'web-download' | 'copy-image' | 'glance-download'>({
          enum: ['glance-direct', 'web-download', 'copy-image', 'glance-download'],
        }),
      ),
    ),
    webDownload: Type.Optional(
      Type.Object(
        {
          allowedNetworks: Type.Optional(texts),
          refusedHosts: Type.Optional(texts),
          allowedPorts: Type.Optional(Type.Array(Type.Integer())),
        },
        exact,
      ),
    ),
    delayedDeleteSeconds: Type.Optional(seconds),
    /** What imported disks are turned into, by qemu-img. */
    convertTo: Type.Optional(Type.Unsafe<'raw' | 'qcow2' | 'vmdk'>({ enum: ['raw', 'qcow2', 'vmdk'] })),
    /** A folder of ID.pem: certificates of image signatures. */
    certificates: Type.Optional(Type.String()),
    cacheBytes: Type.Optional(seconds),
    propertyProtections: Type.Optional(
      Type.Array(Type.Object({ names: Type.String(), create: permit, read: permit, update: permit, delete: permit }, exact)),
    ),
  },
  exact,
)

export type ImageConfig = Static<typeof imageConfig>

/** By id of the store. */
export type StoreKeys = Record<string, { accessKey: string; secretKey: string }>

export type ImagePlaces = { stateDir: string; node: string; keys: StoreKeys; log: Log }

/** Throws an error that names the store whose keys are missing. */
export function imageSettings(config: ImageConfig, { stateDir, node, keys, log }: ImagePlaces): Partial<ImageSettings> {
  const { certificates, convertTo, cacheBytes, propertyProtections, stores = [], webDownload, ...plain } = config
  return {
    ...(plain.importMethods === undefined ? {} : { importMethods: plain.importMethods }),
    ...(plain.delayedDeleteSeconds === undefined ? {} : { delayedDeleteSeconds: plain.delayedDeleteSeconds }),
    stores: stores.map((store) => storeOf(store, keys)),
    fetch: openFetch(webDownload as Parameters<typeof openFetch>[0]),
    ...(certificates === undefined ? {} : { certificates: (id: string) => certificate(certificates, id) }),
    ...(convertTo === undefined
      ? {}
      : { conversion: { to: convertTo, folder: join(stateDir, 'image-conversions'), exec: openExec(log) } }),
    ...(cacheBytes === undefined
      ? {}
      : { cache: { node, blobs: diskBlobs(join(stateDir, 'image-cache')), maxBytes: cacheBytes } }),
    ...(propertyProtections === undefined
      ? {}
      : { propertyProtections: propertyProtections.map((rule) => ({ ...rule, names: new RegExp(rule.names) })) }),
  }
}

function storeOf(store: NonNullable<ImageConfig['stores']>[number], keys: StoreKeys): Store {
  const { id, description } = store
  const named = { id, ...(description === undefined ? {} : { description }) }
  if (store.type === 'file') {
    const { folder } = store
    return { ...named, type: 'file', blobs: diskBlobs(folder), properties: { data_dir: folder }, address: `file://${folder}/` }
  }
  const own = keys[id]
  if (!own) throw new Error(`the secrets have no accessKey and secretKey of the image store ${id}`)
  const { endpoint, bucket, region, prefix } = store
  const where = { endpoint, bucket, ...(region === undefined ? {} : { region }), ...(prefix === undefined ? {} : { prefix }) }
  const address = `s3+${endpoint.replace(/\/$/, '')}/${bucket}/${prefix ?? ''}`
  return { ...named, type: 's3', blobs: s3Blobs({ ...where, ...own }), properties: { bucket }, address }
}

const certificate = async (folder: string, id: string): Promise<string | undefined> =>
  /^[\w-]{1,64}$/.test(id) ? readFile(join(folder, `${id}.pem`), 'utf8').catch(() => undefined) : undefined
