import { isoSeconds } from '../../../kit/clock.ts'
import type { StoredImage } from '../domain/image.ts'

const orNull = <Value>(value: Value | undefined): Value | null => value ?? null

/** Custom properties stand beside the standard ones; a standard name always wins. */
export const showImage = (image: StoredImage, mayRead: (property: string) => boolean): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(image.properties).filter(([name]) => mayRead(name))),
  name: orNull(image.name),
  disk_format: orNull(image.diskFormat),
  container_format: orNull(image.containerFormat),
  visibility: image.visibility,
  size: orNull(image.sizeBytes),
  virtual_size: orNull(image.virtualSizeBytes),
  status: image.status,
  checksum: orNull(image.md5),
  protected: image.isProtected,
  min_ram: image.minRamMb,
  min_disk: image.minDiskGb,
  owner: image.ownerId,
  os_hidden: image.isHidden,
  os_hash_algo: image.sha512 === undefined ? null : 'sha512',
  os_hash_value: orNull(image.sha512),
  id: image.id,
  ...(image.stores.length === 0 ? {} : { stores: image.stores.join(',') }),
  created_at: isoSeconds(image.createdAt),
  updated_at: isoSeconds(image.updatedAt),
  tags: image.tags,
  self: `/v2/images/${image.id}`,
  file: `/v2/images/${image.id}/file`,
  schema: '/v2/schemas/image',
})
