import { type TSchema, Type } from 'typebox'
import { type Clock, day, parseTime, second } from '../../../kit/clock.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, type Query } from '../../../kit/http/endpoint.ts'
import { type Period, type ServerUsage, usageIn } from '../domain/usage.ts'
import type { ComputeTables } from '../tables.ts'
import { nextLink } from './links.ts'
import { isoBare, isoOrNull } from './times.ts'

const query = (version: number): TSchema => {
  const text = { type: 'array', items: { type: 'string' } }
  return Type.Unsafe({
    type: 'object',
    properties: {
      start: text,
      end: text,
      detailed: text,
      ...(version >= 40 ? { limit: { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' } }, marker: text } : {}),
    },
    additionalProperties: version < 75,
  })
}

function periodOf(asked: Query, now: number): Period {
  const time = (name: string, otherwise: number) => {
    const text = asked[name]?.[0]
    const at = text === undefined ? otherwise : parseTime(text)
    if (at === undefined)
      throw new Problem('invalid', `Invalid datetime string: time data '${text}' does not match format '%Y-%m-%dT%H:%M:%S'`)
    return at
  }
  const end = time('end', now)
  const start = time('start', now - 28 * day)
  if (start >= end) throw new Problem('invalid', 'Invalid start time. The start time cannot occur after the end time.')
  return { start, end }
}

function line({ server, hours }: ServerUsage, now: number) {
  const ended = server.terminatedAt
  return {
    instance_id: server.id,
    name: server.name,
    hours,
    tenant_id: server.projectId,
    flavor: server.flavor.name,
    vcpus: server.flavor.vcpus,
    memory_mb: server.flavor.memoryMb,
    local_gb: server.flavor.rootGb + server.flavor.ephemeralGb,
    started_at: isoBare(server.launchedAt),
    ended_at: isoOrNull(ended, isoBare),
    state: ended === 0 ? server.vmState : 'terminated',
    uptime: Math.floor(((ended === 0 ? now : ended) - server.launchedAt) / second),
  }
}

function summary(projectId: string, usages: ServerUsage[], { start, end }: Period, now: number, isDetailed: boolean) {
  const total = (of: (usage: ServerUsage) => number) => usages.reduce((sum, usage) => sum + of(usage) * usage.hours, 0)
  return {
    tenant_id: projectId,
    start: isoBare(start),
    stop: isoBare(end),
    total_hours: total(() => 1),
    total_vcpus_usage: total(({ server }) => server.flavor.vcpus),
    total_memory_mb_usage: total(({ server }) => server.flavor.memoryMb),
    total_local_gb_usage: total(({ server }) => server.flavor.rootGb + server.flavor.ephemeralGb),
    ...(isDetailed ? { server_usages: usages.map((usage) => line(usage, now)) } : {}),
  }
}

export function usageEndpoints(db: Db<ComputeTables>, clock: Clock): Endpoint[] {
  const rule = (verb: string) => `os_compute_api:os-simple-tenant-usage:${verb}`
  const gather = async (ask: Ask, projectId: string | undefined) => {
    const now = clock.now()
    const period = periodOf(ask.query, now)
    const paged = ask.version >= 40
    const limit = paged ? Math.min(1000, Number(ask.query['limit']?.[0] ?? 1000)) : Number.MAX_SAFE_INTEGER - 1
    const page = { projectId, limit, marker: paged ? ask.query['marker']?.[0] : undefined }
    return { now, period, ...(await usageIn(db, period, page)) }
  }
  return [
    endpoint({
      on: 'GET /os-simple-tenant-usage',
      policy: rule('list'),
      query,
      async handle(ask) {
        const { usages, period, now, more } = await gather(ask as Ask, undefined)
        const isDetailed = ask.query['detailed']?.[0] === '1'
        const projects = [...new Set(usages.map(({ server }) => server.projectId))]
        const of = (projectId: string) => usages.filter(({ server }) => server.projectId === projectId)
        return {
          tenant_usages: projects.map((id) => summary(id, of(id), period, now, isDetailed)),
          ...(more ? { tenant_usages_links: nextLink(ask, '/os-simple-tenant-usage', usages.at(-1)!.server.id) } : {}),
        }
      },
    }),
    endpoint({
      on: 'GET /os-simple-tenant-usage/{tenant_id}',
      policy: rule('show'),
      query,
      target: ({ params }) => ({ project_id: params['tenant_id'] }),
      async handle(ask) {
        const id = ask.params['tenant_id']!
        const { usages, period, now, more } = await gather(ask as Ask, id)
        return {
          tenant_usage: usages.length === 0 ? {} : summary(id, usages, period, now, true),
          ...(more ? { tenant_usage_links: nextLink(ask, `/os-simple-tenant-usage/${id}`, usages.at(-1)!.server.id) } : {}),
        }
      },
    }),
  ]
}
