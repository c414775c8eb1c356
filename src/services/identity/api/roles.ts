import { Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { existing } from '../domain/names.ts'
import { type Role, type Roles, roleListing } from '../domain/roles.ts'
import { Immutable } from './projects.ts'
import * as wire from './wire.ts'

const Name = Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' })
const fields = {
  name: Type.Optional(Name),
  domain_id: Type.Optional(wire.NullableId),
  description: Type.Optional(wire.NullableText),
  options: Type.Optional(Immutable),
}
const NewRole = Type.Object({ ...fields, name: Name })
const RoleChange = Type.Object(fields, { minProperties: 1 })

export const roleView =
  (ask: Pick<Ask, 'origin'>) =>
  (role: Role): object => ({
    ...role.extra,
    id: role.id,
    name: role.name,
    domain_id: role.domainId || null,
    description: role.description,
    options: role.options,
    links: { self: wire.linkTo(ask, `roles/${role.id}`) },
  })

export const roleTarget = (role: Role | undefined) =>
  role && { role: { id: role.id, name: role.name, domain_id: role.domainId || null } }

type Found = { role: Role | undefined }

export function roleEndpoints(roles: Roles): Endpoint[] {
  const theRole = {
    subject: async ({ params }: Pick<Ask, 'params'>): Promise<Found> => ({ role: await roles.find(params['role_id']!) }),
    target: ({ subject }: { subject: Found }) => ({ target: { ...roleTarget(subject.role) } }),
  }
  /** A domain's own roles have a rule of their own. */
  const present = (ask: Ask<unknown, Found>, domainRule: string): Role => {
    const role = existing(ask.subject.role, 'role', ask.params['role_id']!)
    if (role.domainId !== '') wire.assertRule(ask, domainRule)
    return role
  }
  return [
    endpoint({
      on: 'GET /roles',
      policy: 'identity:list_roles',
      alsoAsks: ['identity:list_domain_roles'],
      summary: 'List roles; those of a domain only when it is named',
      async handle(ask) {
        const domainId = ask.query['domain_id']?.at(-1) ?? ''
        if (domainId !== '') wire.assertRule(ask, 'identity:list_domain_roles')
        const found = await roles.list(wire.listAsk(roleListing, { ...ask.query, domain_id: [domainId] }))
        return wire.collection(ask, 'roles', found, roleView(ask))
      },
    }),
    endpoint({
      on: 'POST /roles',
      policy: 'identity:create_role',
      alsoAsks: ['identity:create_domain_role'],
      summary: 'Create a role',
      status: 201,
      body: wire.one('role', NewRole),
      async handle(ask) {
        const { role } = ask.body
        if (role.domain_id) wire.assertRule(ask, 'identity:create_domain_role')
        const made = await roles.create({
          name: role.name,
          domainId: role.domain_id ?? '',
          description: role.description ?? null,
          options: wire.withoutNulls(role.options ?? {}),
          extra: wire.extraOf(role, RoleChange),
        })
        return { role: roleView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /roles/{role_id}',
      policy: 'identity:get_role',
      alsoAsks: ['identity:get_domain_role'],
      summary: 'Show a role',
      ...theRole,
      handle: async (ask) => ({ role: roleView(ask)(present(ask, 'identity:get_domain_role')) }),
    }),
    endpoint({
      on: 'PATCH /roles/{role_id}',
      policy: 'identity:update_role',
      alsoAsks: ['identity:update_domain_role'],
      summary: 'Change a role',
      body: wire.one('role', RoleChange),
      ...theRole,
      async handle(ask) {
        const { role } = ask.body
        const old = present(ask, 'identity:update_domain_role')
        wire.assertSameId(role, old.id)
        wire.assertSameDomain(role.domain_id, old.domainId)
        const changed = await roles.update(old.id, {
          ...wire.given('name', role.name),
          ...wire.given('description', role.description),
          ...wire.given('options', role.options),
          extra: wire.extraOf(role, RoleChange),
        })
        return { role: roleView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /roles/{role_id}',
      policy: 'identity:delete_role',
      alsoAsks: ['identity:delete_domain_role'],
      summary: 'Delete a role with all its assignments',
      ...theRole,
      handle: async (ask) => roles.remove(present(ask, 'identity:delete_domain_role').id),
    }),
  ]
}
