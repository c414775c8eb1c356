import type { Migration } from '../../../kit/db/migrate.ts'
import { standardRows } from './standard-rows.ts'

export type MetadefTables = {
  image_md_namespace: {
    namespace: string
    display_name: string
    description: string
    /** public or private. */
    visibility: string
    protected: number
    owner_id: string
    created_at: number
    updated_at: number
  }
  /** Objects, properties and tags. `body`: JSON of what the kind has beside its name. */
  image_md_part: { namespace: string; kind: string; name: string; body: string; created_at: number; updated_at: number }
  image_md_resource_type: { name: string; created_at: number; updated_at: number }
  image_md_association: {
    namespace: string
    name: string
    prefix: string
    properties_target: string
    created_at: number
    updated_at: number
  }
}

export const metadefMigrations: Migration[] = [
  {
    name: 'image-0003-metadefs',
    statements: [
      `create table image_md_namespace (
        namespace text primary key, display_name text not null, description text not null, visibility text not null, protected bigint not null,
        owner_id text not null, created_at bigint not null, updated_at bigint not null)`,
      `create table image_md_part (
        namespace text not null, kind text not null, name text not null, body text not null, created_at bigint not null, updated_at bigint not null,
        primary key (namespace, kind, name))`,
      'create table image_md_resource_type (name text primary key, created_at bigint not null, updated_at bigint not null)',
      `create table image_md_association (
        namespace text not null, name text not null, prefix text not null, properties_target text not null, created_at bigint not null,
        updated_at bigint not null, primary key (namespace, name))`,
      ...standardRows(),
    ],
  },
]
