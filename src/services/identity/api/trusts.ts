import { Type } from 'typebox'
import { type Clock, isoMicros } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { couldNotFind, existing } from '../domain/names.ts'
import { forbiddenAction } from '../domain/refusals.ts'
import type { Role, Roles } from '../domain/roles.ts'
import { type Trust, type Trusts, trustListing } from '../domain/trusts.ts'
import { undelegated } from './delegation.ts'
import { RoleNames, roleIdsOf } from './named-roles.ts'
import { roleView } from './roles.ts'
import * as wire from './wire.ts'

const NullableBoolean = Type.Union([Type.Boolean(), Type.Null()])
const UserId = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-]+$' })
const NewTrust = Type.Object({
  trustor_user_id: UserId,
  trustee_user_id: UserId,
  impersonation: Type.Boolean(),
  project_id: Type.Optional(wire.NullableId),
  remaining_uses: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }), Type.Null()])),
  expires_at: Type.Optional(wire.NullableText),
  allow_redelegation: Type.Optional(NullableBoolean),
  redelegation_count: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 1000 }), Type.Null()])),
  roles: Type.Optional(RoleNames),
})

const trustView =
  (ask: Pick<Ask, 'origin'>) =>
  (trust: Trust): { [name: string]: unknown } => ({
    id: trust.id,
    trustor_user_id: trust.trustorId,
    trustee_user_id: trust.trusteeId,
    project_id: trust.projectId || null,
    impersonation: trust.impersonation,
    expires_at: trust.expiresAt === undefined ? null : isoMicros(trust.expiresAt),
    remaining_uses: trust.remainingUses ?? null,
    redelegated_trust_id: trust.parentId || null,
    redelegation_count: trust.redelegationCount,
    deleted_at: null,
    links: { self: wire.linkTo(ask, `OS-TRUST/trusts/${trust.id}`) },
  })

type Parts = { trusts: Trusts; roles: Roles; clock: Clock }

export function trustEndpoints({ trusts, roles, clock }: Parts): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['trust_id']!
  const people = ({ trustorId, trusteeId }: Trust) => ({
    target: { trust: { trustor_user_id: trustorId, trustee_user_id: trusteeId } },
  })
  const theTrust = {
    subject: (ask: Pick<Ask, 'params'>) => trusts.find(idOf(ask)),
    missing: (params: Record<string, string>) => couldNotFind('trust', params['trust_id']!),
    target: ({ subject }: { subject: Trust }) => people(subject),
  }
  const rolesOf = async ({ roleIds }: Trust): Promise<Role[]> =>
    (await Promise.all(roleIds.map((id) => roles.find(id)))).filter((role) => role !== undefined)
  const whole = async (ask: Pick<Ask, 'origin'>, trust: Trust) => ({
    ...trustView(ask)(trust),
    roles: (await rolesOf(trust)).map(roleView(ask)),
    roles_links: rolesLinks(ask, trust),
  })
  const rolesLinks = (ask: Pick<Ask, 'origin'>, { id }: Trust) => ({
    self: wire.linkTo(ask, `OS-TRUST/trusts/${id}/roles`),
    next: null,
    previous: null,
  })
  return undelegated(
    [
      endpoint({
        on: 'GET /OS-TRUST/trusts',
        policy: 'token',
        summary: 'List trusts: all, or those of one trustor or trustee',
        target: () => ({}),
        alsoAsks: ['identity:list_trusts', 'identity:list_trusts_for_trustor', 'identity:list_trusts_for_trustee'],
        async handle(ask) {
          assertMayList(ask)
          const found = await trusts.list(wire.listAsk(trustListing, ask.query))
          return wire.collection(ask, 'trusts', found, trustView(ask))
        },
      }),
      endpoint({
        on: 'POST /OS-TRUST/trusts',
        policy: 'identity:create_trust',
        summary: 'Let somebody else act with some of the own roles on a project',
        status: 201,
        body: wire.one('trust', NewTrust),
        target: ({ body }) => ({ target: { trust: { trustor_user_id: wire.textIn(body, 'trust', 'trustor_user_id') } } }),
        async handle(ask) {
          const { trust } = ask.body
          const { caller } = ask
          if (trust.trustor_user_id !== caller.userId) throw forbiddenAction('The authenticated user should match the trustor.')
          if (trust.project_id && !trust.roles?.length) throw forbiddenAction('At least one role should be specified.')
          const made = await trusts.create(
            {
              trustorId: trust.trustor_user_id,
              trusteeId: trust.trustee_user_id,
              projectId: trust.project_id ?? '',
              impersonation: trust.impersonation,
              expiresAt: wire.endOf(trust.expires_at, clock.now()),
              remainingUses: trust.remaining_uses ?? undefined,
              roleIds: await roleIdsOf(roles, trust.roles ?? []),
              allowRedelegation: trust.allow_redelegation ?? false,
              redelegationCount: trust.redelegation_count ?? undefined,
            },
            caller.delegation === 'trust' ? caller.delegationId : undefined,
          )
          return { trust: await whole(ask, made) }
        },
      }),
      endpoint({
        on: 'GET /OS-TRUST/trusts/{trust_id}',
        policy: 'identity:get_trust',
        summary: 'Show a trust',
        ...theTrust,
        handle: async (ask) => ({ trust: await whole(ask, ask.subject) }),
      }),
      endpoint({
        on: 'DELETE /OS-TRUST/trusts/{trust_id}',
        policy: 'identity:delete_trust',
        summary: 'Delete a trust, with those made with it',
        ...theTrust,
        handle: (ask) => trusts.remove(ask.subject.id),
      }),
      endpoint({
        on: 'GET /OS-TRUST/trusts/{trust_id}/roles',
        policy: 'identity:list_roles_for_trust',
        summary: 'List the roles a trust delegates',
        ...theTrust,
        handle: async (ask) => ({
          roles: (await rolesOf(ask.subject)).map(roleView(ask)),
          links: rolesLinks(ask, ask.subject),
        }),
      }),
      endpoint({
        on: 'GET /OS-TRUST/trusts/{trust_id}/roles/{role_id}',
        policy: 'identity:get_role_for_trust',
        summary: 'Show a role a trust delegates',
        ...theTrust,
        async handle(ask) {
          const id = ask.params['role_id']!
          const role = (await rolesOf(ask.subject)).find((one) => one.id === id)
          return { role: roleView(ask)(existing(role, 'role', id)) }
        },
      }),
    ],
    'Delegated tokens cannot manage trusts.',
    ['trust'],
  )
}

/** Everybody lists the own trusts; which rule is asked depends on what is asked for. */
function assertMayList({ query, can }: Ask): void {
  const [trustor, trustee] = [query['trustor_user_id']?.at(-1), query['trustee_user_id']?.at(-1)]
  const rule =
    trustor !== undefined
      ? 'identity:list_trusts_for_trustor'
      : trustee !== undefined
        ? 'identity:list_trusts_for_trustee'
        : 'identity:list_trusts'
  const target = { trust: { trustor_user_id: trustor, trustee_user_id: trustee } }
  if (!can(rule, { target }))
    throw new Problem('forbidden', `Policy doesn't allow ${rule}.`, { code: 'PolicyNotAuthorized', detail: { rule } })
}
