import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { existing } from '../domain/names.ts'
import { type Policies, type PolicyText, policyListing } from '../domain/policies.ts'
import type { Association, PolicyAssociations } from '../domain/policy-associations.ts'
import { endpointView } from './endpoints.ts'
import * as wire from './wire.ts'

const fields = { blob: Type.Optional(Type.String()), type: Type.Optional(Type.String({ maxLength: 255 })) }
const NewPolicy = Type.Object({ blob: Type.String(), type: Type.String({ maxLength: 255 }) })
const PolicyChange = Type.Object(fields, { minProperties: 1 })

const policyView =
  (ask: Pick<Ask, 'origin'>) =>
  ({ id, type, blob, extra }: PolicyText): object => ({
    ...extra,
    id,
    type,
    blob,
    links: { self: wire.linkTo(ask, `policies/${id}`) },
  })

type Parts = { policies: Policies; associations: PolicyAssociations }

/** Path below a policy, word in the rules' names, and what of the path names the place. */
const places = [
  ['endpoints/{endpoint_id}', 'endpoint'],
  ['services/{service_id}', 'service'],
  ['services/{service_id}/regions/{region_id}', 'region_and_service'],
] as const

export function policyEndpoints({ policies, associations }: Parts): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['policy_id']!
  const policyOf = async (ask: Pick<Ask, 'params'>) => existing(await policies.find(idOf(ask)), 'policy', idOf(ask))
  return [
    endpoint({
      on: 'GET /policies',
      policy: 'identity:list_policies',
      summary: 'List policies',
      async handle(ask) {
        const found = await policies.list(wire.listAsk(policyListing, ask.query))
        return wire.collection(ask, 'policies', found, policyView(ask))
      },
    }),
    endpoint({
      on: 'POST /policies',
      policy: 'identity:create_policy',
      summary: 'Create a policy',
      status: 201,
      body: wire.one('policy', NewPolicy),
      async handle(ask) {
        const { policy } = ask.body
        const extra = wire.extraOf(policy, PolicyChange)
        return { policy: policyView(ask)(await policies.create({ type: policy.type, blob: policy.blob, extra })) }
      },
    }),
    endpoint({
      on: 'GET /policies/{policy_id}',
      policy: 'identity:get_policy',
      summary: 'Show a policy',
      handle: async (ask) => ({ policy: policyView(ask)(await policyOf(ask)) }),
    }),
    endpoint({
      on: 'PATCH /policies/{policy_id}',
      policy: 'identity:update_policy',
      summary: 'Change a policy',
      body: wire.one('policy', PolicyChange),
      async handle(ask) {
        const { policy } = ask.body
        wire.assertSameId(policy, idOf(ask))
        const changed = await policies.update(idOf(ask), {
          ...wire.given('type', policy.type),
          ...wire.given('blob', policy.blob),
          extra: wire.extraOf(policy, PolicyChange),
        })
        return { policy: policyView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /policies/{policy_id}',
      policy: 'identity:delete_policy',
      summary: 'Delete a policy',
      handle: (ask) => policies.remove(idOf(ask)),
    }),
    endpoint({
      on: 'GET /policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints',
      policy: 'identity:list_endpoints_for_policy',
      summary: 'List the endpoints a policy is for',
      async handle(ask) {
        const rows = await associations.endpointsOf(idOf(ask))
        return wire.collection(ask, 'endpoints', { rows, more: false }, endpointView(ask))
      },
    }),
    endpoint({
      on: 'GET /policies/{policy_id}/OS-ENDPOINT-POLICY/policy',
      policy: 'identity:get_policy_for_endpoint',
      summary: 'Show a policy that is for some endpoint',
      async handle(ask) {
        const policy = await policyOf(ask)
        if ((await associations.endpointsOf(policy.id)).length === 0)
          throw new Problem('not-found', 'Could not find policy association.')
        return { policy: policyView(ask)(policy) }
      },
    }),
    endpoint({
      on: 'GET /endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy',
      policy: 'identity:get_policy_for_endpoint',
      summary: 'Show the policy of an endpoint',
      async handle(ask) {
        const id = ask.params['endpoint_id']!
        const policy = await associations.policyFor(id)
        if (!policy) throw new Problem('not-found', `No policy is associated with endpoint ${id}.`)
        return { policy: policyView(ask)(policy) }
      },
    }),
    ...places.flatMap(([path, word]) => associationEndpoints(associations, path, word)),
  ]
}

function associationEndpoints(associations: PolicyAssociations, path: string, word: string): Endpoint[] {
  const place = ({ params }: Pick<Ask, 'params'>): Association => ({
    policyId: params['policy_id']!,
    endpointId: params['endpoint_id'] ?? '',
    serviceId: params['service_id'] ?? '',
    regionId: params['region_id'] ?? '',
  })
  const at = `/policies/{policy_id}/OS-ENDPOINT-POLICY/${path}`
  const rule = (verb: string) => `identity:${verb}_policy_association_for_${word}`
  const what = word.replaceAll('_', ' ')
  return [
    endpoint({
      on: `GET ${at}`,
      policy: rule('check'),
      summary: `Check that a policy is for this ${what}`,
      handle: (ask) => associations.check(place(ask)),
    }),
    endpoint({
      on: `PUT ${at}`,
      policy: rule('create'),
      summary: `Make a policy that of this ${what}`,
      handle: (ask) => associations.put(place(ask)),
    }),
    endpoint({
      on: `DELETE ${at}`,
      policy: rule('delete'),
      summary: `Take a policy off this ${what}`,
      handle: (ask) => associations.remove(place(ask)),
    }),
  ]
}
