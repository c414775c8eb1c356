import type { Migration } from '../../kit/db/migrate.ts'

export type ImageRow = {
  id: string
  /** Empty: none. */
  name: string
  /** queued, saving, active, deactivated, or deleted while its bytes are being removed. */
  status: string
  visibility: string
  owner_id: string
  /** Empty: not said yet. */
  disk_format: string
  container_format: string
  /** -1: no bytes yet. */
  size_bytes: number
  virtual_size_bytes: number
  md5: string
  sha512: string
  min_disk_gb: number
  min_ram_mb: number
  protected: number
  hidden: number
  /** Name of its bytes in the store: the upload that brought them. Empty: none. */
  blob_id: string
  /** Which upload is writing now (empty: none), and until when it is believed to live. */
  upload_id: string
  upload_until: number
  created_at: number
  updated_at: number
}

export type ImageTables = {
  image_image: ImageRow
  image_property: { image_id: string; name: string; value: string }
  image_tag: { image_id: string; tag: string }
  image_member: { image_id: string; member_id: string; status: string; created_at: number; updated_at: number }
}

export const imageMigrations: Migration[] = [
  {
    name: 'image-0001-images',
    statements: [
      `create table image_image (
        id text primary key, name text not null, status text not null, visibility text not null, owner_id text not null,
        disk_format text not null, container_format text not null, size_bytes bigint not null, virtual_size_bytes bigint not null,
        md5 text not null, sha512 text not null, min_disk_gb bigint not null, min_ram_mb bigint not null, protected bigint not null,
        hidden bigint not null, blob_id text not null, upload_id text not null, upload_until bigint not null, created_at bigint not null, updated_at bigint not null)`,
      'create index image_image_owner on image_image (owner_id)',
      'create index image_image_created on image_image (created_at, id)',
      'create table image_property (image_id text not null, name text not null, value text not null, primary key (image_id, name))',
      'create table image_tag (image_id text not null, tag text not null, primary key (image_id, tag))',
      `create table image_member (
        image_id text not null, member_id text not null, status text not null, created_at bigint not null, updated_at bigint not null,
        primary key (image_id, member_id))`,
      'create index image_member_member on image_member (member_id)',
    ],
  },
]
