import { Type } from 'typebox'
import { isoSeconds } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import type { Member, StoredImage } from '../domain/image.ts'
import type { ImageStore } from '../domain/images.ts'
import type { Members } from '../domain/members.ts'
import { forbidden } from './attributes.ts'
import { ofImage } from './images.ts'

const show = (member: Member) => ({
  member_id: member.memberId,
  image_id: member.imageId,
  status: member.status,
  created_at: isoSeconds(member.createdAt),
  updated_at: isoSeconds(member.updatedAt),
  schema: '/v2/schemas/member',
})

const status = Type.Object({ status: Type.String() })

export const memberEndpoints = (store: ImageStore, members: Members) => {
  const ofMember = {
    ...ofImage(store),
    target: ({ subject, params, caller }: { subject: StoredImage; params: Record<string, string>; caller: Ask['caller'] }) => ({
      project_id: subject.ownerId,
      owner: subject.ownerId,
      visibility: subject.visibility,
      member_id: params['member_id'] ?? (subject.visibility === 'shared' ? caller.projectId : undefined),
    }),
  }
  const named = async (image: StoredImage, memberId: string): Promise<Member> => {
    const found = await members.find(image.id, memberId)
    if (!found) throw new Problem('not-found', `${memberId} is not in the member list of the image ${image.id}.`)
    return found
  }
  const isShared = (image: StoredImage) => {
    if (image.visibility !== 'shared') throw forbidden('Only shared images have members.')
  }
  return [
    endpoint({
      on: 'GET /images/{image_id}/members',
      policy: 'get_members',
      ...ofMember,
      summary: 'list members',
      handle: async ({ subject, caller, can }) => {
        isShared(subject)
        const all = await members.list(subject.id)
        const owns = subject.ownerId === caller.projectId || can('context_is_admin')
        // A member does not learn who the others are.
        const shown = owns ? all : all.filter((member) => member.memberId === caller.projectId)
        return { members: shown.map(show), schema: '/v2/schemas/members' }
      },
    }),
    endpoint({
      on: 'POST /images/{image_id}/members',
      policy: 'add_member',
      body: Type.Object({ member: Type.String({ minLength: 1, maxLength: 255 }) }),
      ...ofMember,
      summary: 'add member',
      handle: async ({ subject, body }) => {
        isShared(subject)
        return show(await members.add(subject.id, body.member))
      },
    }),
    endpoint({
      on: 'GET /images/{image_id}/members/{member_id}',
      policy: 'get_member',
      visible: 'get_member',
      ...ofMember,
      summary: 'show member',
      handle: async ({ subject, params }) => show(await named(subject, params['member_id']!)),
    }),
    endpoint({
      on: 'PUT /images/{image_id}/members/{member_id}',
      policy: 'modify_member',
      body: status,
      ...ofMember,
      summary: 'answer to sharing',
      handle: async ({ subject, params, body }) => {
        const { memberId } = await named(subject, params['member_id']!)
        if (body.status !== 'pending' && body.status !== 'accepted' && body.status !== 'rejected')
          throw new Problem('invalid', `Status must be "pending", "accepted" or "rejected", not ${body.status}.`)
        return show(await members.answer(subject.id, memberId, body.status))
      },
    }),
    endpoint({
      on: 'DELETE /images/{image_id}/members/{member_id}',
      policy: 'delete_member',
      status: 204,
      ...ofMember,
      summary: 'remove member',
      handle: async ({ subject, params }) => {
        isShared(subject)
        await members.remove(subject.id, (await named(subject, params['member_id']!)).memberId)
      },
    }),
  ]
}
