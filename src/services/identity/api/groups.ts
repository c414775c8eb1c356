import { Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type Group, type Groups, groupListing, notInGroup } from '../domain/groups.ts'
import { within } from '../domain/lists.ts'
import { existing } from '../domain/names.ts'
import { type User, type Users, userListing } from '../domain/users.ts'
import { userTarget, userView } from './user-view.ts'
import * as wire from './wire.ts'

const Name = Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' })
const fields = {
  name: Type.Optional(Name),
  domain_id: Type.Optional(wire.Id),
  description: Type.Optional(wire.NullableText),
}
const NewGroup = Type.Object({ ...fields, name: Name })
const GroupChange = Type.Object(fields, { minProperties: 1 })

export const groupView =
  (ask: Pick<Ask, 'origin'>) =>
  (group: Group): object => ({
    ...group.extra,
    id: group.id,
    name: group.name,
    domain_id: group.domainId,
    description: group.description,
    links: { self: wire.linkTo(ask, `groups/${group.id}`) },
  })

export const groupTarget = (group: Group | undefined) => group && { group: { id: group.id, domain_id: group.domainId } }

type Found = { group: Group | undefined; user: User | undefined }
type Parts = { groups: Groups; users: Users }

export function groupEndpoints({ groups, users }: Parts): Endpoint[] {
  const theGroup = {
    subject: async ({ params }: Pick<Ask, 'params'>): Promise<Found> => ({
      group: await groups.find(params['group_id']!),
      user: params['user_id'] === undefined ? undefined : await users.find(params['user_id']),
    }),
    target: ({ subject: { group, user } }: { subject: Found }) => ({
      target: { ...groupTarget(group), ...userTarget(user) },
    }),
  }
  const present = ({ subject, params }: { subject: Found; params: Ask['params'] }): Group =>
    existing(subject.group, 'group', params['group_id']!)
  const both = (ask: { subject: Found; params: Ask['params'] }): [string, string] => [
    present(ask).id,
    existing(ask.subject.user, 'user', ask.params['user_id']!).id,
  ]
  const ownGroups = ({ caller }: Pick<Ask, 'caller'>) => ({
    target: caller.domainId === undefined ? {} : { group: { domain_id: caller.domainId } },
  })
  return [
    endpoint({
      on: 'GET /groups',
      policy: 'identity:list_groups',
      summary: 'List groups',
      target: ownGroups,
      async handle(ask) {
        const found = await groups.list(within(wire.listAsk(groupListing, ask.query), ask.caller.domainId))
        return wire.collection(ask, 'groups', found, groupView(ask))
      },
    }),
    endpoint({
      on: 'POST /groups',
      policy: 'identity:create_group',
      summary: 'Create a group',
      status: 201,
      body: wire.one('group', NewGroup),
      target: ({ caller, body }) => ({ target: { group: { domain_id: wire.domainFor(caller, askedDomain(body)) } } }),
      async handle(ask) {
        const { group } = ask.body
        const made = await groups.create({
          name: group.name,
          domainId: wire.domainFor(ask.caller, group.domain_id),
          description: group.description ?? '',
          extra: wire.extraOf(group, GroupChange),
        })
        return { group: groupView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /groups/{group_id}',
      policy: 'identity:get_group',
      summary: 'Show a group',
      ...theGroup,
      handle: async (ask) => ({ group: groupView(ask)(present(ask)) }),
    }),
    endpoint({
      on: 'PATCH /groups/{group_id}',
      policy: 'identity:update_group',
      summary: 'Change a group',
      body: wire.one('group', GroupChange),
      ...theGroup,
      async handle(ask) {
        const { group } = ask.body
        const old = present(ask)
        wire.assertSameId(group, old.id)
        wire.assertSameDomain(group.domain_id, old.domainId)
        const changed = await groups.update(old.id, {
          ...wire.given('name', group.name),
          ...wire.given('description', group.description === null ? '' : group.description),
          extra: wire.extraOf(group, GroupChange),
        })
        return { group: groupView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /groups/{group_id}',
      policy: 'identity:delete_group',
      summary: 'Delete a group',
      ...theGroup,
      handle: async (ask) => groups.remove(present(ask).id),
    }),
    endpoint({
      on: 'GET /groups/{group_id}/users',
      policy: 'identity:list_users_in_group',
      summary: 'List the users in a group',
      ...theGroup,
      async handle(ask) {
        const found = await users.list(wire.listAsk(userListing, ask.query), { groupId: present(ask).id })
        return wire.collection(ask, 'users', found, userView(ask))
      },
    }),
    endpoint({
      on: 'GET /groups/{group_id}/users/{user_id}',
      policy: 'identity:check_user_in_group',
      summary: 'Check that a user is in a group',
      ...theGroup,
      async handle(ask) {
        const [groupId, userId] = both(ask)
        if (!(await groups.has(groupId, userId))) throw notInGroup(groupId, userId)
      },
    }),
    endpoint({
      on: 'PUT /groups/{group_id}/users/{user_id}',
      policy: 'identity:add_user_to_group',
      summary: 'Put a user into a group',
      ...theGroup,
      handle: async (ask) => groups.add(...both(ask)),
    }),
    endpoint({
      on: 'DELETE /groups/{group_id}/users/{user_id}',
      policy: 'identity:remove_user_from_group',
      summary: 'Take a user out of a group',
      ...theGroup,
      handle: async (ask) => groups.leave(...both(ask)),
    }),
  ]
}

/** The body before it was checked: only to find out where the new row will stand. */
const askedDomain = (body: unknown): string | undefined => {
  const id = (body as { group?: { domain_id?: unknown } } | undefined)?.group?.domain_id
  return typeof id === 'string' ? id : undefined
}
