import { type Static, Type } from 'typebox'
import { parseTime } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, type Query } from '../../../kit/http/endpoint.ts'
import type { Assignments } from '../domain/assignments.ts'
import type { Groups } from '../domain/groups.ts'
import { groupListing } from '../domain/groups.ts'
import { within } from '../domain/lists.ts'
import { existing } from '../domain/names.ts'
import { type Projects, projectListing } from '../domain/projects.ts'
import { type ExpiryFilter, type User, type Users, userListing } from '../domain/users.ts'
import { groupView } from './groups.ts'
import { projectView } from './project-view.ts'
import { userTarget, userView } from './user-view.ts'
import * as wire from './wire.ts'

const Name = Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' })

const UserOptions = wire.Options({
  ignore_change_password_upon_first_use: Type.Optional(wire.NullableBoolean),
  ignore_password_expiry: Type.Optional(wire.NullableBoolean),
  ignore_lockout_failure_attempts: Type.Optional(wire.NullableBoolean),
  ignore_user_inactivity: Type.Optional(wire.NullableBoolean),
  lock_password: Type.Optional(wire.NullableBoolean),
  multi_factor_auth_enabled: Type.Optional(wire.NullableBoolean),
  multi_factor_auth_rules: Type.Optional(Type.Union([Type.Array(Type.Array(Type.String(), { minItems: 1 })), Type.Null()])),
})

const fields = {
  name: Type.Optional(Name),
  domain_id: Type.Optional(wire.Id),
  enabled: Type.Optional(Type.Boolean()),
  default_project_id: Type.Optional(wire.NullableId),
  description: Type.Optional(wire.NullableText),
  password: Type.Optional(wire.NullableText),
  options: Type.Optional(UserOptions),
}
const NewUser = Type.Object({ ...fields, name: Name })
const UserChange = Type.Object(fields, { minProperties: 1 })

/** Description is no column of its own. */
const known = Type.Object({
  ...Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'description')),
  password_expires_at: Type.Unknown(),
})

const PasswordChange = Type.Object(
  { original_password: Type.String(), password: Type.String({ minLength: 1 }) },
  { additionalProperties: false },
)

type Found = { user: User | undefined }

type Parts = { users: Users; groups: Groups; projects: Projects; assignments: Assignments }

export function userEndpoints({ users, groups, projects, assignments }: Parts): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['user_id']!
  const theUser = {
    subject: async (ask: Pick<Ask, 'params'>): Promise<Found> => ({ user: await users.find(idOf(ask)) }),
    target: ({ subject: { user }, params }: { subject: Found; params: Ask['params'] }) => ({
      user_id: params['user_id'],
      target: { ...userTarget(user) },
    }),
  }
  const present = ({ subject, params }: { subject: Found; params: Ask['params'] }): User =>
    existing(subject.user, 'user', params['user_id']!)
  return [
    endpoint({
      on: 'GET /users',
      policy: 'identity:list_users',
      summary: 'List users',
      target: wire.ownDomain,
      async handle(ask) {
        const list = within(wire.listAsk(userListing, ask.query), ask.caller.domainId)
        return wire.collection(ask, 'users', await users.list(list, { expiry: expiryOf(ask.query) }), userView(ask))
      },
    }),
    endpoint({
      on: 'POST /users',
      policy: 'identity:create_user',
      summary: 'Create a user',
      status: 201,
      body: wire.one('user', NewUser),
      target: ({ caller, body }) => ({ target: { user: { domain_id: wire.domainFor(caller, asked(body)?.domain_id) } } }),
      async handle(ask) {
        const { user } = ask.body
        const made = await users.create({
          name: user.name,
          domainId: wire.domainFor(ask.caller, user.domain_id),
          enabled: user.enabled ?? true,
          defaultProjectId: user.default_project_id ?? '',
          password: user.password,
          options: wire.withoutNulls(user.options ?? {}),
          extra: wire.extraOf(user, known),
        })
        return { user: userView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /users/{user_id}',
      policy: 'identity:get_user',
      summary: 'Show a user',
      ...theUser,
      handle: async (ask) => ({ user: userView(ask)(present(ask)) }),
    }),
    endpoint({
      on: 'PATCH /users/{user_id}',
      policy: 'identity:update_user',
      summary: 'Change a user',
      body: wire.one('user', UserChange),
      ...theUser,
      async handle(ask) {
        const old = present(ask)
        wire.assertSameId(ask.body.user, old.id)
        wire.assertSameDomain(ask.body.user.domain_id, old.domainId)
        return { user: userView(ask)(await users.update(old.id, changeOf(ask.body.user))) }
      },
    }),
    endpoint({
      on: 'DELETE /users/{user_id}',
      policy: 'identity:delete_user',
      summary: 'Delete a user',
      ...theUser,
      handle: async (ask) => users.remove(present(ask).id),
    }),
    endpoint({
      on: 'POST /users/{user_id}/password',
      policy: 'public',
      summary: 'Change the own password, knowing the old one; also when it has expired',
      body: wire.one('user', PasswordChange),
      handle: (ask) => users.changePassword(idOf(ask), ask.body.user.original_password, ask.body.user.password),
    }),
    endpoint({
      on: 'GET /users/{user_id}/projects',
      policy: 'identity:list_user_projects',
      summary: 'List the projects a user has a role on',
      ...theUser,
      async handle(ask) {
        const ids = await assignments.projectIdsOf(present(ask).id)
        const found = await projects.list(wire.listAsk(projectListing, ask.query), { ids, isDomain: false })
        return wire.collection(ask, 'projects', found, projectView(ask))
      },
    }),
    endpoint({
      on: 'GET /users/{user_id}/groups',
      policy: 'identity:list_groups_for_user',
      summary: 'List the groups a user is in',
      ...theUser,
      async handle(ask) {
        const found = await groups.list(wire.listAsk(groupListing, ask.query), { userId: present(ask).id })
        return wire.collection(ask, 'groups', found, groupView(ask))
      },
    }),
  ]
}

/** The body before it was checked: only to find out where the new row will stand. */
const asked = (body: unknown): { domain_id?: string } | undefined => {
  const user = (body as { user?: { domain_id?: unknown } } | undefined)?.user
  return typeof user?.domain_id === 'string' ? { domain_id: user.domain_id } : undefined
}

const changeOf = (user: Static<typeof UserChange>) => ({
  ...wire.given('name', user.name),
  ...wire.given('enabled', user.enabled),
  ...wire.given('defaultProjectId', user.default_project_id === null ? '' : user.default_project_id),
  ...wire.given('password', user.password),
  ...wire.given('options', user.options),
  extra: wire.extraOf(user, known),
})

const operators: Record<string, ExpiryFilter['op']> = { eq: '=', neq: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' }

/** `password_expires_at=lt:2026-01-01T00:00:00Z`; without an operator: exactly then. */
function expiryOf(query: Query): ExpiryFilter | undefined {
  const text = query['password_expires_at']?.at(-1)
  if (text === undefined) return undefined
  const [, operator, time] = /^(?:([a-z]+):)?(.*)$/.exec(text)!
  const op = operators[operator ?? 'eq']
  if (!op)
    throw new Problem(
      'invalid',
      `The given operator ${operator} is not valid. It must be one of the following: 'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.`,
    )
  const at = parseTime(time!)
  if (at === undefined)
    throw new Problem(
      'invalid',
      'Timestamp not in expected format. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
    )
  return { op, at }
}
