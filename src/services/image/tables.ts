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
  /** A deleted image keeps its bytes until then (Glance's delayed delete). */
  bytes_until: number
  created_at: number
  updated_at: number
}

export type TaskRow = {
  id: string
  /** import (the tasks API), api_image_import, location_import. */
  type: string
  /** pending, processing, success, failure. */
  status: string
  owner_id: string
  user_id: string
  request_id: string
  image_id: string
  /** JSON as the user sent it. */
  input: string
  /** JSON: what the machine has to do (see ImportPlan), and how far it came. */
  plan: string
  progress: string
  /** JSON, or empty. */
  result: string
  message: string
  /** 0: not ended yet. */
  expires_at: number
  created_at: number
  updated_at: number
}

export type CacheRow = {
  node: string
  image_id: string
  blob_id: string
  status: 'queued' | 'cached' | 'leaving'
  size_bytes: number
  hits: number
  accessed_at: number
  modified_at: number
}

export type ImageTables = {
  image_image: ImageRow
  image_property: { image_id: string; name: string; value: string }
  image_tag: { image_id: string; tag: string }
  /** Which stores keep the bytes of an image. */
  image_copy: { image_id: string; store_id: string; added_at: number }
  /** Bytes that wait in the first store to be imported. */
  image_staged: { image_id: string; blob_id: string; size_bytes: number; md5: string; sha512: string }
  image_task: TaskRow
  image_cache: CacheRow
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
  {
    name: 'image-0002-import',
    statements: [
      'alter table image_image add column bytes_until bigint not null default 0',
      'create table image_copy (image_id text not null, store_id text not null, added_at bigint not null, primary key (image_id, store_id))',
      // The one store there was until now.
      "insert into image_copy (image_id, store_id, added_at) select id, 'local', created_at from image_image where blob_id <> ''",
      `create table image_staged (
        image_id text primary key, blob_id text not null, size_bytes bigint not null, md5 text not null, sha512 text not null)`,
      `create table image_task (
        id text primary key, type text not null, status text not null, owner_id text not null, user_id text not null, request_id text not null,
        image_id text not null, input text not null, plan text not null, progress text not null, result text not null, message text not null,
        expires_at bigint not null, created_at bigint not null, updated_at bigint not null)`,
      'create index image_task_image on image_task (image_id)',
      'create index image_task_owner on image_task (owner_id, created_at)',
    ],
  },
  {
    name: 'image-0004-cache',
    statements: [
      `create table image_cache (
        node text not null, image_id text not null, blob_id text not null, status text not null, size_bytes bigint not null, hits bigint not null,
        accessed_at bigint not null, modified_at bigint not null, primary key (node, image_id))`,
      'create index image_cache_image on image_cache (image_id)',
    ],
  },
]
