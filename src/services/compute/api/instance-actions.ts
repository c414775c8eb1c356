import { type TSchema, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { actionListing, type InstanceActions } from '../domain/instance-actions.ts'
import type { Server } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import type { ActionRow } from '../tables.ts'
import { nextLink } from './links.ts'
import { timeOf } from './server-query.ts'
import { hostId } from './server-view.ts'
import { instanceMissing } from './servers.ts'
import { isoBare, isoOrNull } from './times.ts'

const timed = { type: 'array', items: { type: 'string', format: 'date-time' } }
const listQuery = (version: number): TSchema =>
  version < 58
    ? Type.Unsafe({ type: 'object' })
    : Type.Unsafe({
        type: 'object',
        properties: {
          limit: { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' } },
          marker: { type: 'array', items: { type: 'string' } },
          'changes-since': timed,
          ...(version >= 66 ? { 'changes-before': timed } : {}),
        },
        additionalProperties: false,
      })

const shown = (row: ActionRow, version: number) => ({
  action: row.action,
  instance_uuid: row.server_id,
  request_id: row.request_id,
  user_id: row.user_id,
  project_id: row.project_id,
  start_time: isoBare(row.started_at),
  message: row.message,
  ...(version >= 58 ? { updated_at: isoBare(row.updated_at) } : {}),
})

function event(row: ActionRow, { version, can }: Pick<Ask, 'version' | 'can'>) {
  const rule = 'os_compute_api:os-instance-actions:events'
  const isTold = can(rule)
  return {
    event: row.event,
    start_time: isoBare(row.event_started_at),
    finish_time: isoOrNull(row.event_finished_at, isoBare),
    result: row.event_result || null,
    ...(isTold ? { traceback: null } : {}),
    ...(isTold && version >= 62 ? { host: row.host || null } : {}),
    ...(version >= 62 ? { hostId: hostId(row.project_id, row.host) } : {}),
    ...(version >= 84 && can(`${rule}:details`) ? { details: row.event_details || null } : {}),
  }
}

export function instanceActionEndpoints(servers: Servers, actions: InstanceActions): Endpoint[] {
  const one = {
    // From 2.21 on also of servers that are deleted.
    subject: ({ params, version }: { params: Record<string, string>; version: number }): Promise<Server | undefined> =>
      version >= 21 ? servers.find(params['server_id']!) : servers.living(params['server_id']!),
    visible: 'os_compute_api:servers:show',
    missing: instanceMissing,
  }
  const path = '/servers/{server_id}/os-instance-actions'
  return [
    endpoint({
      on: `GET ${path}`,
      policy: 'os_compute_api:os-instance-actions:list',
      query: listQuery,
      ...one,
      async handle(ask) {
        const { query, version, subject } = ask
        const time = (name: string) => (query[name] && version >= 58 ? timeOf(name, query[name].at(-1)!) : undefined)
        const times = { since: time('changes-since'), before: time('changes-before') }
        if (times.since !== undefined && times.before !== undefined && times.before < times.since)
          throw new Problem('invalid', 'The value of changes-since must be less than or equal to changes-before.')
        const { rows, more } = await actions.list(subject!.id, pageAsk(actionListing, version >= 58 ? query : {}), times)
        return {
          instanceActions: rows.map((row) => shown(row, version)),
          ...(more && version >= 58
            ? { links: nextLink(ask, `/servers/${subject!.id}/os-instance-actions`, rows.at(-1)!.request_id) }
            : {}),
        }
      },
    }),
    endpoint({
      on: `GET ${path}/{request_id}`,
      policy: 'os_compute_api:os-instance-actions:show',
      ...one,
      async handle(ask) {
        const row = await actions.find(ask.subject!.id, ask.params['request_id']!)
        if (!row) throw new Problem('not-found', `Action ${ask.params['request_id']} not found`)
        const isShown = ask.version >= 51 || ask.can('os_compute_api:os-instance-actions:events')
        const events = row.event === '' ? [] : [event(row, ask)]
        return { instanceAction: { ...shown(row, ask.version), ...(isShown ? { events } : {}) } }
      },
    }),
  ]
}
