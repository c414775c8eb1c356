import type { Migration } from '../../kit/db/migrate.ts'
import type { Db, Tx } from '../../kit/db/open.ts'

/** Ids of parents are '' where there is none. Ratios are decimal text: the two databases agree on no other fraction. */
export type PlacementTables = {
  placement_provider: {
    id: string
    name: string
    generation: number
    parent_id: string
    root_id: string
    created_at: number
    updated_at: number
  }
  placement_inventory: {
    provider_id: string
    class: string
    total: number
    reserved: number
    min_unit: number
    max_unit: number
    step_size: number
    allocation_ratio: string
    updated_at: number
  }
  placement_consumer: {
    id: string
    project_id: string
    user_id: string
    /** '' until somebody says one. */
    type: string
    generation: number
    created_at: number
    updated_at: number
  }
  placement_allocation: { consumer_id: string; provider_id: string; class: string; used: number; updated_at: number }
  /** Custom ones only: the standard names are known. */
  placement_class: { name: string; updated_at: number }
  placement_trait: { name: string; updated_at: number }
  placement_provider_trait: { provider_id: string; trait: string }
  placement_aggregate: { provider_id: string; aggregate: string }
}

export type PlacementTx = Tx<PlacementTables>
export type PlacementDb = Db<PlacementTables>
export type PlacementRead = PlacementDb['read'] | PlacementTx

export const placementMigrations: Migration[] = [
  {
    name: 'placement-1',
    statements: [
      `create table placement_provider (id text primary key, name text not null unique, generation bigint not null, parent_id text not null,
        root_id text not null, created_at bigint not null, updated_at bigint not null)`,
      'create index placement_provider_root on placement_provider (root_id)',
      `create table placement_inventory (provider_id text not null, class text not null, total bigint not null, reserved bigint not null,
        min_unit bigint not null, max_unit bigint not null, step_size bigint not null, allocation_ratio text not null,
        updated_at bigint not null, primary key (provider_id, class))`,
      `create table placement_consumer (id text primary key, project_id text not null, user_id text not null, type text not null,
        generation bigint not null, created_at bigint not null, updated_at bigint not null)`,
      'create index placement_consumer_project on placement_consumer (project_id)',
      `create table placement_allocation (consumer_id text not null, provider_id text not null, class text not null, used bigint not null,
        updated_at bigint not null, primary key (consumer_id, provider_id, class))`,
      'create index placement_allocation_use on placement_allocation (provider_id, class, used)',
      'create table placement_class (name text primary key, updated_at bigint not null)',
      'create table placement_trait (name text primary key, updated_at bigint not null)',
      'create table placement_provider_trait (provider_id text not null, trait text not null, primary key (provider_id, trait))',
      'create index placement_provider_trait_trait on placement_provider_trait (trait)',
      'create table placement_aggregate (provider_id text not null, aggregate text not null, primary key (provider_id, aggregate))',
      'create index placement_aggregate_aggregate on placement_aggregate (aggregate)',
    ],
  },
]
