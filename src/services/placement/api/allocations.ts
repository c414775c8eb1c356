import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import { replaceAllocations, type Wanted } from '../domain/allocating.ts'
import { type Allocation, allocationsWhere } from '../domain/allocations.ts'
import type { PlacementDb } from '../tables.ts'
import { allWantedOf, type ConsumerAsk, ConsumerBody, ConsumersBody, wantedOf } from './allocation-wire.ts'
import { fresh, newestOf, providerSubject } from './wire.ts'

export function allocationEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const replace = (wants: Wanted[]) => db.transaction((tx) => replaceAllocations(tx, clock.now(), wants))
  const ofConsumer = (text: string) => allocationsWhere(db.read, 'consumer_id', dashed(text) ?? text)
  return [
    endpoint({
      on: 'POST /allocations',
      policy: 'placement:allocations:manage',
      summary: 'Set what several consumers hold, all of them or none',
      since: '1.13',
      body: ConsumersBody,
      async handle({ body }) {
        await replace(allWantedOf(body as Record<string, ConsumerAsk>))
      },
    }),
    endpoint({
      on: 'GET /allocations/{consumer_uuid}',
      policy: 'placement:allocations:list',
      summary: 'Show what a consumer holds',
      async handle(ask) {
        const found = await ofConsumer(ask.params['consumer_uuid']!)
        return fresh(ask, newestOf(found), { body: byProvider(found, ask.version) })
      },
    }),
    endpoint({
      on: 'PUT /allocations/{consumer_uuid}',
      policy: 'placement:allocations:update',
      summary: 'Set what a consumer holds',
      body: ConsumerBody,
      async handle({ params, body }) {
        await replace([wantedOf(params['consumer_uuid']!, body as ConsumerAsk)])
      },
    }),
    endpoint({
      on: 'DELETE /allocations/{consumer_uuid}',
      policy: 'placement:allocations:delete',
      summary: 'Take back what a consumer holds',
      async handle({ params }) {
        const [held] = await ofConsumer(params['consumer_uuid']!)
        if (!held) throw new Problem('not-found', `No allocations for consumer '${params['consumer_uuid']}'`)
        const { consumer, projectId, userId, type } = held
        await replace([{ consumer, projectId, userId, type, generation: undefined, resources: {} }])
      },
    }),
    endpoint({
      on: 'GET /resource_providers/{uuid}/allocations',
      policy: 'placement:resource_providers:allocations:list',
      summary: 'List what is held of a resource provider',
      ...providerSubject(db),
      async handle(ask) {
        const { id, generation } = ask.subject!
        const found = await allocationsWhere(db.read, 'provider_id', id)
        const allocations = Object.fromEntries(
          [...Map.groupBy(found, (one) => one.consumer)].map(([consumer, of]) => [
            consumer,
            {
              resources: resourcesOf(of),
              ...(ask.version >= 28 ? { consumer_generation: of[0]!.consumerGeneration } : {}),
            },
          ]),
        )
        return fresh(ask, newestOf(found), { body: { allocations, resource_provider_generation: generation } })
      },
    }),
  ]
}

const resourcesOf = (of: Allocation[]) => Object.fromEntries(of.map((one) => [one.resource, one.used]))

function byProvider(found: Allocation[], version: number) {
  const allocations = Object.fromEntries(
    [...Map.groupBy(found, (one) => one.provider)].map(([provider, of]) => [
      provider,
      { resources: resourcesOf(of), generation: of[0]!.providerGeneration },
    ]),
  )
  const first = found[0]
  return {
    allocations,
    ...(first && version >= 12 ? { project_id: first.projectId, user_id: first.userId } : {}),
    ...(first && version >= 28 ? { consumer_generation: first.consumerGeneration } : {}),
    ...(first && version >= 38 ? { consumer_type: first.type || 'unknown' } : {}),
  }
}
