import { type TSchema, Type } from 'typebox'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type Candidate, type CandidateAsk, findCandidates } from '../domain/candidates.ts'
import type { Forest } from '../domain/forest.ts'
import { capacity } from '../domain/inventory.ts'
import type { PlacementDb } from '../tables.ts'
import { candidateAsk, suffixPattern } from './candidate-query.ts'
import { fresh, Texts } from './wire.ts'

function CandidateQuery(version: number): TSchema {
  const plain = version < 25
  const groups = ['resources', ...(version >= 17 ? ['required'] : []), ...(version >= 21 ? ['member_of'] : [])]
  const suffixed = [...groups, ...(version >= 31 ? ['in_tree'] : [])]
  return {
    type: 'object',
    properties: {
      ...(plain ? Object.fromEntries(groups.map((name) => [name, Texts])) : {}),
      ...(version >= 16 ? { limit: Type.Array(Type.String({ pattern: '^[1-9][0-9]*$' })) } : {}),
      ...(version >= 25 ? { group_policy: Type.Array(Type.Union([Type.Literal('none'), Type.Literal('isolate')])) } : {}),
      ...(version >= 35 ? { root_required: Texts } : {}),
      ...(version >= 36 ? { same_subtree: Texts } : {}),
    },
    ...(plain
      ? {}
      : { patternProperties: Object.fromEntries(suffixed.map((name) => [`^${name}(${suffixPattern(version)})?$`, Texts])) }),
    required: plain ? ['resources'] : [],
    additionalProperties: false,
  } as unknown as TSchema
}

export const candidateEndpoints = (db: PlacementDb): Endpoint[] => [
  endpoint({
    on: 'GET /allocation_candidates',
    policy: 'placement:allocation_candidates:list',
    summary: 'List ways to meet a request for resources',
    since: '1.10',
    query: CandidateQuery,
    async handle(ask) {
      const wanted = candidateAsk(ask.query, ask.version)
      const { found, forest } = await findCandidates(db.read, wanted)
      return fresh(ask, undefined, {
        body: {
          allocation_requests: found.map((candidate) => request(candidate, ask.version)),
          provider_summaries: summaries(forest, found, wanted, ask.version),
        },
      })
    },
  }),
]

function request({ resources, mappings }: Candidate, version: number) {
  const takes = [...resources].map(([uuid, of]) => ({ uuid, resources: Object.fromEntries(of) }))
  if (version < 12)
    return { allocations: takes.map(({ uuid, resources: some }) => ({ resource_provider: { uuid }, resources: some })) }
  return {
    allocations: Object.fromEntries(takes.map(({ uuid, resources: some }) => [uuid, { resources: some }])),
    ...(version >= 34 ? { mappings: Object.fromEntries([...mappings].map(([suffix, by]) => [suffix, [...by]])) } : {}),
  }
}

/** Of whole trees when trees are spoken of, else of the providers in the requests alone. */
function summaries(forest: Forest, found: Candidate[], { groups, nested }: CandidateAsk, version: number) {
  const used = new Set(found.flatMap(({ resources }) => [...resources.keys()]))
  const roots = new Set([...used].map((id) => forest.providers.get(id)!.rootId))
  const wanted = new Set(groups.flatMap(({ resources }) => Object.keys(resources)))
  const shown = [...forest.providers.values()].filter(({ id, rootId }) => (nested ? roots.has(rootId) : used.has(id)))
  return Object.fromEntries(
    shown.map(({ id, parentId, rootId }) => [
      id,
      {
        resources: Object.fromEntries(
          [...(forest.stock.get(id) ?? [])]
            .filter(([resource]) => version >= 27 || wanted.has(resource))
            .map(([resource, { inventory, used: taken }]) => [resource, { capacity: capacity(inventory), used: taken }]),
        ),
        ...(version >= 17 ? { traits: [...(forest.traits.get(id) ?? [])] } : {}),
        ...(version >= 29 ? { parent_provider_uuid: parentId ?? null, root_provider_uuid: rootId } : {}),
      },
    ]),
  )
}
