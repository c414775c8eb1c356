import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Aggregate, Aggregates } from '../domain/aggregates.ts'
import type { ComputeHosts } from '../domain/hosts.ts'
import type { Servers } from '../domain/servers.ts'
import { isoBare } from './times.ts'
import { Fqdn, loose, Name, within } from './types.ts'

const shown = (aggregate: Aggregate, version: number) => ({
  id: aggregate.number,
  name: aggregate.name,
  hosts: aggregate.hosts,
  metadata: aggregate.metadata,
  availability_zone: aggregate.metadata['availability_zone'] ?? null,
  created_at: isoBare(aggregate.createdAt),
  updated_at: aggregate.updatedAt === aggregate.createdAt ? null : isoBare(aggregate.updatedAt),
  deleted_at: null,
  deleted: false,
  ...(version >= 41 ? { uuid: aggregate.uuid } : {}),
})

const Zone = Type.Unsafe({ anyOf: [{ ...Name, pattern: '^(?!\\p{Z})[^\\p{C}\\p{Zl}\\p{Zp}:]+(?<!\\p{Z})$' }, { type: 'null' }] })
const Values = Type.Unsafe({
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'null'], maxLength: 255 } },
  additionalProperties: false,
})

export function aggregateEndpoints(aggregates: Aggregates, hosts: ComputeHosts, servers: Servers): Endpoint[] {
  const one = {
    subject: async ({ params }: { params: Record<string, string> }) =>
      /^\d{1,15}$/.test(params['aggregate_id']!) ? aggregates.find(Number(params['aggregate_id'])) : undefined,
    missing: ({ aggregate_id }: Record<string, string>) => `Aggregate ${aggregate_id} could not be found.`,
  }
  const rule = (verb: string) => `os_compute_api:os-aggregates:${verb}`
  const again = async (number: number, version: number) => ({ aggregate: shown((await aggregates.find(number))!, version) })
  /** A host is in one zone, and does not leave it while it has servers. */
  const checkZone = async (names: string[], zone: string | undefined, except: number) => {
    const others = (await aggregates.list()).filter((other) => other.number !== except)
    for (const other of others) {
      const their = other.metadata['availability_zone']
      const host = names.find((name) => other.hosts.includes(name))
      if (zone !== undefined && their !== undefined && their !== zone && host !== undefined)
        throw new Problem('conflict', `Cannot add host ${host} to availability zone ${zone}: it is already in ${their}.`)
    }
  }
  const refuseBusy = async (names: string[], why: string) => {
    if ((await servers.ofHosts(names)).length > 0) throw new Problem('conflict', why)
  }
  const action = (
    name: string,
    body: TSchema,
    run: (aggregate: Aggregate, body: Record<string, unknown>) => Promise<void>,
  ): Endpoint =>
    endpoint({
      on: `POST /os-aggregates/{aggregate_id}/action#${name}`,
      policy: rule(name),
      body: within(name, body),
      ...one,
      async handle(ask) {
        await run(ask.subject!, ask.body[name]!)
        return again(ask.subject!.number, ask.version)
      },
    })
  const known = async (host: string) => {
    if (!(await hosts.find(host))) throw new Problem('not-found', `Compute host ${host} could not be found.`)
  }
  return [
    endpoint({
      on: 'GET /os-aggregates',
      policy: rule('index'),
      handle: async ({ version }) => ({ aggregates: (await aggregates.list()).map((one) => shown(one, version)) }),
    }),
    endpoint({
      on: 'POST /os-aggregates',
      policy: rule('create'),
      body: within('aggregate', loose({ name: Name, availability_zone: Zone }, ['name'])),
      async handle({ body, version }) {
        const { name, availability_zone } = body['aggregate'] as { name: string; availability_zone?: string | null }
        const number = await aggregates.create(name.trim(), availability_zone ?? undefined)
        const { hosts: _hosts, metadata: _metadata, ...made } = (await again(number, version)).aggregate
        return { aggregate: made }
      },
    }),
    endpoint({
      on: 'GET /os-aggregates/{aggregate_id}',
      policy: rule('show'),
      ...one,
      handle: async ({ subject, version }) => ({ aggregate: shown(subject!, version) }),
    }),
    endpoint({
      on: 'PUT /os-aggregates/{aggregate_id}',
      policy: rule('update'),
      body: within('aggregate', Type.Unsafe({ ...loose({ name: Name, availability_zone: Zone }), minProperties: 1 })),
      ...one,
      async handle({ subject, body, version }) {
        const set = body['aggregate'] as { name?: string; availability_zone?: string | null }
        const { availability_zone: _old, ...rest } = subject!.metadata
        const zone = set.availability_zone
        if (zone !== undefined && zone !== subject!.metadata['availability_zone']) {
          await checkZone(subject!.hosts, zone ?? undefined, subject!.number)
          await refuseBusy(
            subject!.hosts,
            `Cannot update aggregate ${subject!.number}. Reason: One or more hosts contain instances in this zone`,
          )
        }
        await aggregates.update(subject!.number, {
          ...(set.name === undefined ? {} : { name: set.name.trim() }),
          ...(zone === undefined ? {} : { metadata: zone === null ? rest : { ...rest, availability_zone: zone } }),
        })
        return again(subject!.number, version)
      },
    }),
    endpoint({
      on: 'DELETE /os-aggregates/{aggregate_id}',
      policy: rule('delete'),
      status: 200,
      ...one,
      async handle({ subject }) {
        if (subject!.hosts.length > 0 || !(await aggregates.remove(subject!.number)))
          throw new Problem('invalid', `Cannot delete aggregate ${subject!.number}. Reason: Host aggregate is not empty`)
      },
    }),
    action('add_host', loose({ host: Fqdn }, ['host']), async (aggregate, body) => {
      const host = String(body['host'])
      await known(host)
      const zone = aggregate.metadata['availability_zone']
      await checkZone([host], zone, aggregate.number)
      if (zone !== undefined)
        await refuseBusy([host], `Cannot add host to aggregate ${aggregate.number}. Reason: host ${host} has instances`)
      if (!(await aggregates.addHost(aggregate.number, host)))
        throw new Problem('conflict', `Aggregate ${aggregate.number} already has host ${host}.`)
    }),
    action('remove_host', loose({ host: Fqdn }, ['host']), async (aggregate, body) => {
      const host = String(body['host'])
      if (!aggregate.hosts.includes(host)) throw new Problem('not-found', `Aggregate ${aggregate.number} has no host ${host}.`)
      if (aggregate.metadata['availability_zone'] !== undefined)
        await refuseBusy([host], `Cannot remove host from aggregate ${aggregate.number}. Reason: host ${host} has instances`)
      await aggregates.removeHost(aggregate.number, host)
    }),
    action('set_metadata', loose({ metadata: Values }, ['metadata']), async (aggregate, body) => {
      const wanted = { ...aggregate.metadata, ...(body['metadata'] as Record<string, string | null>) }
      const metadata = Object.fromEntries(Object.entries(wanted).filter((pair): pair is [string, string] => pair[1] !== null))
      if (metadata['availability_zone'] !== aggregate.metadata['availability_zone']) {
        await checkZone(aggregate.hosts, metadata['availability_zone'], aggregate.number)
        await refuseBusy(
          aggregate.hosts,
          `Cannot update aggregate ${aggregate.number}. Reason: One or more hosts contain instances in this zone`,
        )
      }
      await aggregates.update(aggregate.number, { metadata })
    }),
  ]
}
