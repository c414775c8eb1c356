import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Identity } from '../../identity/contract.ts'
import { checkExtraSpec } from '../domain/extra-specs.ts'
import type { Flavor, Flavors } from '../domain/flavors.ts'
import { flavorMissing, flavorSubject } from './flavors.ts'
import { loose, within } from './types.ts'

const Specs = Type.Unsafe<Record<string, string | number>>({
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'number'], maxLength: 255 } },
  additionalProperties: false,
})
const OneSpec = Type.Unsafe<Record<string, string | number>>({ ...Specs, minProperties: 1, maxProperties: 1 })

function asText(specs: Record<string, string | number>, version: number): Record<string, string> {
  const texts = Object.fromEntries(Object.entries(specs).map(([name, value]) => [name, String(value)]))
  if (version >= 86) for (const [name, value] of Object.entries(texts)) checkExtraSpec(name, value)
  return texts
}

export function extraSpecEndpoints(flavors: Flavors): Endpoint[] {
  const path = '/flavors/{flavor_id}/os-extra_specs'
  const rule = (verb: string) => `os_compute_api:os-flavor-extra-specs:${verb}`
  const common = {
    subject: flavorSubject(flavors),
    missing: flavorMissing,
    target: ({ caller }: { caller: Ask['caller'] }) => ({ project_id: caller.projectId }),
  }
  const held = (flavor: Flavor, key: string): string => {
    const value = flavor.extraSpecs[key]
    if (value === undefined) throw new Problem('not-found', `Flavor ${flavor.id} has no extra specs with key ${key}.`)
    return value
  }
  return [
    endpoint({
      on: `GET ${path}`,
      policy: rule('index'),
      ...common,
      handle: async ({ subject }) => ({ extra_specs: subject!.extraSpecs }),
    }),
    endpoint({
      on: `POST ${path}`,
      policy: rule('create'),
      body: Type.Object({ extra_specs: Specs }, { additionalProperties: false }),
      ...common,
      async handle({ subject, body, version }) {
        const specs = asText(body.extra_specs, version)
        await flavors.setSpecs(subject!.id, specs)
        return { extra_specs: specs }
      },
    }),
    endpoint({
      on: `GET ${path}/{key}`,
      policy: rule('show'),
      ...common,
      handle: async ({ subject, params }) => ({ [params['key']!]: held(subject!, params['key']!) }),
    }),
    endpoint({
      on: `PUT ${path}/{key}`,
      policy: rule('update'),
      body: OneSpec,
      ...common,
      async handle({ subject, params, body, version }) {
        const specs = asText(body, version)
        if (!(params['key']! in specs)) throw new Problem('invalid', 'Request body and URI mismatch')
        await flavors.setSpecs(subject!.id, specs)
        return specs
      },
    }),
    endpoint({
      on: `DELETE ${path}/{key}`,
      policy: rule('delete'),
      status: 200,
      ...common,
      async handle({ subject, params }) {
        held(subject!, params['key']!)
        await flavors.removeSpec(subject!.id, params['key']!)
      },
    }),
  ]
}

export function flavorAccessEndpoints(flavors: Flavors, identity: () => Identity): Endpoint[] {
  const common = { subject: flavorSubject(flavors), missing: flavorMissing }
  const list = async (id: string) => ({
    flavor_access: (await flavors.projectsWith(id)).map((projectId) => ({ flavor_id: id, tenant_id: projectId })),
  })
  const Tenant = (name: string) =>
    within(name, loose({ tenant: Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9\\-]*$' }) }, ['tenant']))
  const known = async (id: string) => {
    if (!(await identity().project({ id }))) throw new Problem('invalid', `Project ID ${id} is not a valid project.`)
  }
  return [
    endpoint({
      on: 'GET /flavors/{flavor_id}/os-flavor-access',
      policy: 'os_compute_api:os-flavor-access',
      ...common,
      async handle({ subject }) {
        if (subject!.isPublic) throw new Problem('not-found', 'Access list not available for public flavors.')
        return list(subject!.id)
      },
    }),
    endpoint({
      on: 'POST /flavors/{flavor_id}/action#addTenantAccess',
      policy: 'os_compute_api:os-flavor-access:add_tenant_access',
      body: Tenant('addTenantAccess'),
      ...common,
      async handle({ subject, body, version }) {
        const project = String(body['addTenantAccess']!['tenant'])
        await known(project)
        if (subject!.isPublic && version >= 7) throw new Problem('conflict', 'Can not add access to a public flavor.')
        await flavors.grant(subject!.id, project)
        return list(subject!.id)
      },
    }),
    endpoint({
      on: 'POST /flavors/{flavor_id}/action#removeTenantAccess',
      policy: 'os_compute_api:os-flavor-access:remove_tenant_access',
      body: Tenant('removeTenantAccess'),
      ...common,
      async handle({ subject, body }) {
        await flavors.revoke(subject!.id, String(body['removeTenantAccess']!['tenant']))
        return list(subject!.id)
      },
    }),
  ]
}
