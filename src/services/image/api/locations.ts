import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import { addressIn } from '../domain/stores.ts'
import type { ImportPlan } from '../domain/task.ts'
import { missing, ofImage } from './images.ts'
import { type ImportDeps, storeIds, whoOf } from './import.ts'

const newLocation = Type.Object(
  {
    url: Type.String({ minLength: 1 }),
    validation_data: Type.Optional(
      Type.Object(
        { os_hash_algo: Type.Optional(Type.String()), os_hash_value: Type.Optional(Type.String()) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

/**
 * Where bytes lie, for other services. A location that is added is where bytes come from once: they are fetched through the guarded door, judged, and kept
 * here, so that what an image holds never depends on what a host elsewhere says next.
 */
export const locationEndpoints = ({ images, tasks, stores, fetch, methods }: ImportDeps) => [
  endpoint({
    on: 'POST /images/{image_id}/locations',
    policy: 'add_image_location',
    status: 202,
    body: newLocation,
    ...ofImage(images),
    summary: 'add the location an image comes from',
    handle: async (ask) => {
      const { subject, body } = ask
      if (!methods.includes('web-download')) throw new Problem('not-found', 'Locations cannot be added at this site.')
      if (subject.status !== 'queued') throw new Problem('conflict', 'A location can be added to a queued image only.')
      if (subject.diskFormat === undefined || subject.containerFormat === undefined)
        throw new Problem('conflict', "'disk_format' and 'container_format' need to be set before a location is added.")
      const sha512 = hashOf(body.validation_data)
      fetch.check(body.url)
      const plan: ImportPlan = {
        method: 'web-download',
        uri: body.url,
        stores: [stores.usual.id],
        allMustSucceed: true,
        ...(sha512 === undefined ? {} : { sha512 }),
      }
      const input = { image_id: subject.id, loc_url: body.url, validation_data: body.validation_data ?? {} }
      await tasks.begin(subject, { type: 'location_import', input, plan, ...whoOf(ask) })
      return reply({ status: 202, body: { url: body.url, metadata: {} }, headers: storeIds(stores) })
    },
  }),
  endpoint({
    on: 'GET /images/{image_id}/locations',
    policy: 'fetch_image_location',
    // Services see every image, whoever's it is.
    subject: ({ params }: Pick<Ask, 'params'>) => images.find(dashed(params['image_id'] ?? '') ?? ''),
    target: ofImage(images).target,
    missing,
    summary: 'list locations of an image',
    handle: async ({ subject: { blobId, stores: ids } }) =>
      blobId === undefined
        ? []
        : ids.flatMap((id) => {
            const store = stores.find(id)
            return store ? [{ url: addressIn(store, blobId), metadata: { store: id } }] : []
          }),
  }),
]

function hashOf(given: { os_hash_algo?: string; os_hash_value?: string } | undefined): string | undefined {
  if (given?.os_hash_value === undefined) return undefined
  const { os_hash_algo: algorithm = 'sha512', os_hash_value: value } = given
  if (algorithm !== 'sha512') throw new Problem('invalid', `Hashes are of sha512 here, not of ${algorithm}.`)
  if (!/^[0-9a-f]{128}$/i.test(value)) throw new Problem('invalid', 'os_hash_value is no hash of sha512.')
  return value.toLowerCase()
}
