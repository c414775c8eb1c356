import { type TSchema, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { inProgress, type Migration, migrationListing } from '../domain/migrations.ts'
import type { Moving } from '../domain/moving.ts'
import type { FlavorSnapshot } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import { links, nextLink } from './links.ts'
import { timeOf } from './server-query.ts'
import { actor, ofServer } from './servers.ts'
import { isoBare } from './times.ts'
import { isTrue, within } from './types.ts'

type Looking = Pick<Ask, 'version' | 'origin' | 'params'>

/** Flavors have no numbers here but the ids that admins chose. */
const flavorNumber = ({ id }: FlavorSnapshot): number | null => (/^\d{1,9}$/.test(id) ? Number(id) : null)

const always = ({ number, createdAt, updatedAt, status }: Migration) => ({
  id: number,
  status,
  created_at: isoBare(createdAt),
  updated_at: isoBare(updatedAt),
})
/** Names of hosts are for who may know them. */
function places({ sourceHost, destHost, destAddress }: Migration, isShown: boolean) {
  const said = (text: string) => (isShown && text !== '' ? text : null)
  return {
    source_compute: said(sourceHost),
    source_node: said(sourceHost),
    dest_compute: said(destHost),
    dest_node: said(destHost),
    dest_host: said(destAddress),
  }
}
const whose = ({ uuid, userId, projectId }: Migration, version: number) => ({
  ...(version >= 59 ? { uuid } : {}),
  ...(version >= 80 ? { user_id: userId, project_id: projectId } : {}),
})

function listed(migration: Migration, ask: Looking, isShown: boolean) {
  const { serverId, type, number, status, oldFlavor, newFlavor } = migration
  const hasLinks = ask.version >= 23 && type === 'live-migration' && inProgress.includes(status)
  return {
    ...always(migration),
    ...places(migration, isShown),
    instance_uuid: serverId,
    old_instance_type_id: flavorNumber(oldFlavor),
    new_instance_type_id: flavorNumber(newFlavor),
    ...(ask.version >= 23 ? { migration_type: type } : {}),
    ...(hasLinks ? { links: links(ask, `servers/${serverId}/migrations`, String(number)) } : {}),
    ...whose(migration, ask.version),
  }
}

function shown(migration: Migration, version: number, isShown: boolean) {
  const { memory, disk } = migration.progress
  return {
    ...always(migration),
    ...places(migration, isShown),
    server_uuid: migration.serverId,
    memory_total_bytes: memory.total,
    memory_processed_bytes: memory.sent,
    memory_remaining_bytes: memory.left,
    disk_total_bytes: disk.total,
    disk_processed_bytes: disk.sent,
    disk_remaining_bytes: disk.left,
    ...whose(migration, version),
  }
}

const text = { type: 'array', items: { type: 'string' } }
const single = { ...text, maxItems: 1 }
const time = { type: 'array', maxItems: 1, items: { type: 'string', format: 'date-time' } }
const filters = ['hidden', 'host', 'instance_uuid', 'source_compute', 'status', 'migration_type']

const listQuery = (version: number): TSchema =>
  Type.Unsafe({
    type: 'object',
    properties: {
      ...Object.fromEntries(filters.map((name) => [name, text])),
      ...(version >= 59
        ? { limit: { ...single, items: { type: 'string', pattern: '^[0-9]+$' } }, marker: single, 'changes-since': time }
        : {}),
      ...(version >= 66 ? { 'changes-before': time } : {}),
      ...(version >= 80 ? { user_id: single, project_id: single } : {}),
    },
    additionalProperties: version < 59,
  })

/** What old clients send besides means nothing. */
function known({ query, version }: Pick<Ask, 'query' | 'version'>) {
  const names = [...filters, ...(version >= 59 ? ['limit', 'marker'] : []), ...(version >= 80 ? ['user_id', 'project_id'] : [])]
  return Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name)))
}

function times({ query, version }: Pick<Ask, 'query' | 'version'>) {
  const read = (name: string, since: number) => (query[name] && version >= since ? timeOf(name, query[name].at(-1)!) : undefined)
  const asked = { since: read('changes-since', 59), before: read('changes-before', 66) }
  if (asked.since !== undefined && asked.before !== undefined && asked.before < asked.since)
    throw new Problem('invalid', 'The value of changes-since must be less than or equal to changes-before.')
  return asked
}

export function migrationEndpoints(servers: Servers, moving: Moving): Endpoint[] {
  const one = ofServer(servers)
  const path = '/servers/{server_id}/migrations'
  const rule = 'os_compute_api:servers:migrations'
  return [
    endpoint({
      on: 'GET /os-migrations',
      policy: 'os_compute_api:os-migrations:index',
      query: listQuery,
      async handle(ask) {
        const { query, version, caller, can } = ask
        if (isTrue(query['hidden']?.at(-1))) return { migrations: [] }
        const projectId = can('os_compute_api:os-migrations:index:all_projects') ? undefined : (caller.projectId ?? '')
        const host = query['host']?.at(-1)
        const { migrations, more } = await moving.list(pageAsk(migrationListing, known(ask)), { projectId, host, ...times(ask) })
        const isShown = can('os_compute_api:os-migrations:index:host')
        return {
          migrations: migrations.map((migration) => listed(migration, ask, isShown)),
          ...(more && version >= 59 ? { migrations_links: nextLink(ask, '/os-migrations', migrations.at(-1)!.uuid) } : {}),
        }
      },
    }),
    endpoint({
      on: `GET ${path}`,
      policy: `${rule}:index`,
      since: '2.23',
      ...one,
      async handle({ subject, version, can }) {
        const isShown = can(`${rule}:index:host`)
        const found = await moving.inProgress(subject!.id)
        return { migrations: found.map((migration) => shown(migration, version, isShown)) }
      },
    }),
    endpoint({
      on: `GET ${path}/{migration_id}`,
      policy: `${rule}:show`,
      since: '2.23',
      ...one,
      async handle({ subject, params, version }) {
        const number = params['migration_id']!
        const migration = await moving.find(subject!.id, number)
        const missing = (message: string) => new Problem('not-found', message)
        if (!migration) throw missing(`In-progress live migration ${number} is not found for server ${subject!.id}.`)
        if (migration.type !== 'live-migration')
          throw missing(`Migration ${number} for server ${subject!.id} is not live-migration.`)
        if (!inProgress.includes(migration.status))
          throw missing(`Live migration ${number} for server ${subject!.id} is not in progress.`)
        return { migration: shown(migration, version, true) }
      },
    }),
    endpoint({
      on: `DELETE ${path}/{migration_id}`,
      policy: `${rule}:delete`,
      since: '2.24',
      status: 202,
      summary: 'End a live migration that is under way',
      ...one,
      handle: (ask) => moving.abort(ask.subject!, ask.params['migration_id']!, ask.version >= 65, actor(ask)),
    }),
    endpoint({
      on: `POST ${path}/{migration_id}/action#force_complete`,
      policy: `${rule}:force_complete`,
      since: '2.22',
      status: 202,
      summary: 'Let a live migration stop the guest for as long as it takes',
      body: within('force_complete', Type.Unsafe({ type: 'null' })),
      ...one,
      handle: (ask) => moving.forceComplete(ask.subject!, ask.params['migration_id']!, actor(ask)),
    }),
  ]
}
