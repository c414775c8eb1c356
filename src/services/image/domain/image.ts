import type { ImageRow } from '../tables.ts'

export type Visibility = 'public' | 'community' | 'shared' | 'private'
export type MemberStatus = 'pending' | 'accepted' | 'rejected'

/** An image with what belongs to it. */
export type StoredImage = {
  id: string
  name: string | undefined
  status: string
  visibility: Visibility
  ownerId: string
  projectId: string
  diskFormat: string | undefined
  containerFormat: string | undefined
  sizeBytes: number | undefined
  virtualSizeBytes: number | undefined
  md5: string | undefined
  sha512: string | undefined
  /** Name of its bytes in the store. */
  blobId: string | undefined
  /** Which stores keep its bytes, the oldest copy first. */
  stores: string[]
  minDiskGb: number
  minRamMb: number
  isProtected: boolean
  isHidden: boolean
  properties: Record<string, string>
  tags: string[]
  createdAt: number
  updatedAt: number
}

export type Member = { imageId: string; memberId: string; status: MemberStatus; createdAt: number; updatedAt: number }

const text = (value: string) => (value === '' ? undefined : value)
const size = (value: number) => (value < 0 ? undefined : value)

export type Parts = { properties: Record<string, string>; tags: string[]; stores: string[] }

export const fromRow = (row: ImageRow, { properties, tags, stores }: Parts): StoredImage => ({
  id: row.id,
  name: text(row.name),
  status: row.status,
  visibility: row.visibility as Visibility,
  ownerId: row.owner_id,
  projectId: row.owner_id,
  diskFormat: text(row.disk_format),
  containerFormat: text(row.container_format),
  sizeBytes: size(row.size_bytes),
  virtualSizeBytes: size(row.virtual_size_bytes),
  md5: text(row.md5),
  sha512: text(row.sha512),
  blobId: text(row.blob_id),
  minDiskGb: row.min_disk_gb,
  minRamMb: row.min_ram_mb,
  isProtected: row.protected === 1,
  isHidden: row.hidden === 1,
  stores,
  properties,
  tags,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

/** What of an image a user may change, as rows keep it. */
export type Changeable = Pick<
  ImageRow,
  'name' | 'visibility' | 'owner_id' | 'disk_format' | 'container_format' | 'min_disk_gb' | 'min_ram_mb' | 'protected' | 'hidden'
>

export const changeable = (image: StoredImage): Changeable => ({
  name: image.name ?? '',
  visibility: image.visibility,
  owner_id: image.ownerId,
  disk_format: image.diskFormat ?? '',
  container_format: image.containerFormat ?? '',
  min_disk_gb: image.minDiskGb,
  min_ram_mb: image.minRamMb,
  protected: image.isProtected ? 1 : 0,
  hidden: image.isHidden ? 1 : 0,
})
