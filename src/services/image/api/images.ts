import { Type } from 'typebox'
import { isProblem, Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint, reply, type Target } from '../../../kit/http/endpoint.ts'
import { dashed, uuid } from '../../../kit/ids.ts'
import type { StoredImage } from '../domain/image.ts'
import type { ImageStore, Viewer } from '../domain/images.ts'
import type { Stores } from '../domain/stores.ts'
import type { ImportMethod } from '../domain/task.ts'
import { type Draft, draftOf, forbidden, newDraft, setAttribute } from './attributes.ts'
import { showImage } from './image-view.ts'
import { imageListing, readList } from './list.ts'
import { applyPatch, readPatch } from './patch.ts'
import type { Protection } from './protection.ts'

export const missing = ({ image_id }: Record<string, string>) => `Failed to find image ${image_id}`

export const viewerOf = ({ caller, can }: Pick<Ask, 'caller' | 'can'>): Viewer => ({
  projectId: caller.projectId,
  isAdmin: can('context_is_admin'),
})

/** What rules of images compare. A member sees the image as its own `member_id`. */
export const targetOf = ({ ownerId, visibility, id }: StoredImage, projectId: string | undefined): Target => ({
  project_id: ownerId,
  owner: ownerId,
  member_id: visibility === 'shared' ? projectId : undefined,
  visibility,
  image_id: id,
})

/** Parts of every endpoint about one image: who may know of it sees it, and the rule is asked about the image as it is. */
export const ofImage = (store: ImageStore) => ({
  subject: async (ask: Omit<Ask, 'subject' | 'body'>) => {
    const id = dashed(ask.params['image_id'] ?? '')
    return id === undefined ? undefined : store.visible(id, viewerOf(ask))
  },
  target: ({ subject, caller }: { subject: StoredImage; caller: Ask['caller'] }) => targetOf(subject, caller.projectId),
  missing,
})

type Deps = { images: ImageStore; stores: Stores; methods: ImportMethod[]; protection: Protection }

export const imageEndpoints = ({ images: store, stores, methods, protection }: Deps) => [
  endpoint({
    on: 'POST /images',
    policy: 'add_image',
    alsoAsks: ['publicize_image', 'communitize_image'],
    status: 201,
    body: Type.Record(Type.String(), Type.Unknown()),
    target: ({ body, caller }) => {
      const owner = (body as Record<string, unknown>)?.['owner'] ?? caller.projectId
      return { project_id: owner, owner }
    },
    summary: 'create image',
    handle: async (ask) => {
      const { id = uuid(), ...attributes } = ask.body
      if (typeof id !== 'string' || dashed(id) !== id.toLowerCase()) throw new Problem('invalid', 'Invalid image id format')
      const draft = newDraft(ask.caller.projectId ?? '')
      for (const [name, value] of Object.entries(attributes)) setAttribute(draft, name, value)
      allowVisibility(ask, draft, 'shared')
      protection.allow(ask.caller, {}, draft.properties)
      const image = await store.create({ id: id.toLowerCase(), ...draft })
      return reply({
        body: showImage(image, protection.mayRead(ask.caller)),
        headers: {
          location: `${ask.origin}/v2/images/${image.id}`,
          'OpenStack-image-import-methods': methods.join(','),
          'OpenStack-image-store-ids': stores.all.map((one) => one.id).join(','),
        },
      })
    },
  }),
  endpoint({
    on: 'GET /images',
    policy: 'get_images',
    summary: 'list images',
    handle: async (ask) => {
      const { filter, page } = readList(ask.query)
      const { images, more } = await store.list(viewerOf(ask), filter, imageListing, page).catch(markerProblem)
      const rest = new URLSearchParams(ask.url.split('?')[1] ?? '')
      const link = (marker?: string) => {
        rest.delete('marker')
        if (marker) rest.set('marker', marker)
        const query = rest.toString()
        return `/v2/images${query === '' ? '' : `?${query}`}`
      }
      return {
        images: images.map((image) => showImage(image, protection.mayRead(ask.caller))),
        ...(more ? { next: link(images.at(-1)!.id) } : {}),
        first: link(),
        schema: '/v2/schemas/images',
      }
    },
  }),
  endpoint({
    on: 'GET /images/{image_id}',
    policy: 'get_image',
    ...ofImage(store),
    summary: 'show image',
    handle: async ({ subject, caller }) => showImage(subject, protection.mayRead(caller)),
  }),
  endpoint({
    on: 'PATCH /images/{image_id}',
    policy: 'modify_image',
    alsoAsks: ['publicize_image', 'communitize_image'],
    body: Type.Unknown(),
    ...ofImage(store),
    summary: 'update image',
    handle: async (ask) => {
      const { subject } = ask
      const draft = draftOf(subject)
      for (const operation of readPatch(ask.headers['content-type'] ?? '', ask.body)) applyPatch(draft, operation)
      allowChange(ask, subject, draft)
      protection.allow(ask.caller, subject.properties, draft.properties)
      return showImage(await store.change(subject, draft), protection.mayRead(ask.caller))
    },
  }),
  endpoint({
    on: 'DELETE /images/{image_id}',
    policy: 'delete_image',
    status: 204,
    ...ofImage(store),
    summary: 'delete image',
    handle: async ({ subject }) => {
      if (subject.isProtected) throw forbidden(`Image ${subject.id} is protected and cannot be deleted.`)
      await store.remove(subject.id)
    },
  }),
  ...(['deactivate', 'reactivate'] as const).map((action) =>
    endpoint({
      on: `POST /images/{image_id}/actions/${action}`,
      policy: action,
      status: 204,
      ...ofImage(store),
      summary: `${action} image`,
      handle: async ({ subject }) => {
        const to = action === 'deactivate' ? 'deactivated' : 'active'
        if (!(await store.setStatus(subject.id, ['active', 'deactivated'], to)))
          throw forbidden(`Image status transition from ${subject.status} to ${to} is not allowed`)
      },
    }),
  ),
  endpoint({
    on: 'PUT /images/{image_id}/tags/{tag}',
    policy: 'modify_image',
    status: 204,
    ...ofImage(store),
    summary: 'add tag',
    handle: async ({ subject, params }) => {
      const draft = draftOf(subject)
      if (draft.tags.includes(params['tag']!)) return
      setAttribute(draft, 'tags', [...draft.tags, params['tag']])
      await store.change(subject, draft)
    },
  }),
  endpoint({
    on: 'DELETE /images/{image_id}/tags/{tag}',
    policy: 'modify_image',
    status: 204,
    ...ofImage(store),
    summary: 'remove tag',
    handle: async ({ subject, params }) => {
      const draft = draftOf(subject)
      if (!draft.tags.includes(params['tag']!))
        throw new Problem('not-found', `Failed to find tag ${params['tag']} of image ${subject.id}`)
      draft.tags = draft.tags.filter((tag) => tag !== params['tag'])
      await store.change(subject, draft)
    },
  }),
]

type Deciding = Pick<Ask, 'caller' | 'can'>

export function allowVisibility({ caller, can }: Deciding, { row }: Draft, before: string): void {
  if (row.visibility === before) return
  const target = { project_id: row.owner_id, owner: row.owner_id, visibility: row.visibility, member_id: undefined }
  const rule = row.visibility === 'public' ? 'publicize_image' : row.visibility === 'community' ? 'communitize_image' : undefined
  if (rule !== undefined && !can(rule, target)) throw forbidden(`${rule} is disallowed by policy`)
  if (row.owner_id !== caller.projectId && !can('context_is_admin'))
    throw forbidden('You are not permitted to create images owned by another project.')
}

/** What the states of the image forbid, whoever asks. */
function allowChange(ask: Deciding, image: StoredImage, draft: Draft): void {
  const { row } = draft
  allowVisibility(ask, draft, image.visibility)
  if (row.owner_id !== image.ownerId && !ask.can('context_is_admin'))
    throw forbidden("Attribute 'owner' may be changed by an administrator only.")
  const formats = row.disk_format !== (image.diskFormat ?? '') || row.container_format !== (image.containerFormat ?? '')
  if (formats && image.status !== 'queued')
    throw forbidden('Attributes container_format and disk_format can only be replaced for a queued image.')
}

export const markerProblem = (error: unknown): never => {
  if (isProblem(error) && error.code === 'marker') throw new Problem('not-found', 'The marker names no image that can be seen.')
  throw error
}
