import { type Ask, type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { existing } from '../domain/names.ts'
import { notImplied, type Role, type Roles } from '../domain/roles.ts'
import * as wire from './wire.ts'

type Pair = { prior: Role | undefined; implied: Role | undefined }

export function roleInferenceEndpoints(roles: Roles): Endpoint[] {
  const pair = {
    subject: async ({ params }: Pick<Ask, 'params'>): Promise<Pair> => ({
      prior: await roles.find(params['prior_role_id']!),
      implied: await roles.find(params['implies_role_id'] ?? ''),
    }),
  }
  const short = (ask: Pick<Ask, 'origin'>, role: Role) => ({
    id: role.id,
    links: { self: wire.linkTo(ask, `roles/${role.id}`) },
    name: role.name,
  })
  const priorOf = ({ subject, params }: Ask<unknown, Pair>): Role => existing(subject.prior, 'role', params['prior_role_id']!)
  const impliedOf = ({ subject, params }: Ask<unknown, Pair>): Role =>
    existing(subject.implied, 'role', params['implies_role_id']!)
  const view = (ask: Ask<unknown, Pair>) => {
    const [prior, implied] = [priorOf(ask), impliedOf(ask)]
    return {
      role_inference: { prior_role: short(ask, prior), implies: short(ask, implied) },
      links: { self: wire.linkTo(ask, `roles/${prior.id}/implies/${implied.id}`) },
    }
  }
  const assertImplied = async (ask: Ask<unknown, Pair>) => {
    const [prior, implied] = [priorOf(ask).id, impliedOf(ask).id]
    if (!(await roles.implications()).get(prior)?.includes(implied)) throw notImplied(prior, implied)
  }
  return [
    endpoint({
      on: 'GET /roles/{prior_role_id}/implies',
      policy: 'identity:list_implied_roles',
      summary: 'List the roles that a role implies',
      ...pair,
      async handle(ask) {
        const prior = priorOf(ask)
        const ids = (await roles.implications()).get(prior.id) ?? []
        const all = await roles.all()
        const implies = all.filter((role) => ids.includes(role.id)).map((role) => short(ask, role))
        return {
          role_inference: { prior_role: short(ask, prior), implies },
          links: { self: wire.linkTo(ask, `roles/${prior.id}/implies`) },
        }
      },
    }),
    endpoint({
      on: 'GET /roles/{prior_role_id}/implies/{implies_role_id}',
      policy: 'identity:get_implied_role',
      summary: 'Show that a role implies another',
      ...pair,
      async handle(ask) {
        await assertImplied(ask)
        return view(ask)
      },
    }),
    endpoint({
      on: 'HEAD /roles/{prior_role_id}/implies/{implies_role_id}',
      policy: 'identity:check_implied_role',
      summary: 'Check that a role implies another',
      ...pair,
      handle: assertImplied,
    }),
    endpoint({
      on: 'PUT /roles/{prior_role_id}/implies/{implies_role_id}',
      policy: 'identity:create_implied_role',
      summary: 'Let a role imply another',
      ...pair,
      async handle(ask) {
        await roles.imply(priorOf(ask).id, impliedOf(ask).id)
        return reply({ status: 201, body: view(ask) })
      },
    }),
    endpoint({
      on: 'DELETE /roles/{prior_role_id}/implies/{implies_role_id}',
      policy: 'identity:delete_implied_role',
      summary: 'End that a role implies another',
      ...pair,
      handle: async (ask) => roles.unimply(priorOf(ask).id, impliedOf(ask).id),
    }),
    endpoint({
      on: 'GET /role_inferences',
      policy: 'identity:list_role_inference_rules',
      summary: 'List which role implies which',
      async handle(ask) {
        const all = await roles.all()
        const implications = await roles.implications()
        const inferences = all.flatMap((prior) => {
          const ids = implications.get(prior.id)
          if (!ids) return []
          return [
            { prior_role: short(ask, prior), implies: all.filter((one) => ids.includes(one.id)).map((one) => short(ask, one)) },
          ]
        })
        return { role_inferences: inferences, links: { self: wire.linkTo(ask, 'role_inferences') } }
      },
    }),
  ]
}
