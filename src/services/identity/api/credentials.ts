import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type Credential, type Credentials, credentialListing } from '../domain/credentials.ts'
import { existing } from '../domain/names.ts'
import { undelegated } from './delegation.ts'
import * as wire from './wire.ts'

const NewCredential = Type.Object({
  blob: Type.String(),
  type: Type.String({ maxLength: 255 }),
  user_id: Type.String({ maxLength: 64 }),
  project_id: Type.Optional(wire.NullableText),
})
const CredentialChange = Type.Object(
  {
    blob: Type.String(),
    type: Type.Optional(Type.String()),
    user_id: Type.Optional(Type.String()),
    project_id: Type.Optional(wire.NullableText),
  },
  { additionalProperties: false },
)

const credentialView =
  (ask: Pick<Ask, 'origin'>) =>
  (credential: Credential): object => ({
    id: credential.id,
    user_id: credential.userId,
    project_id: credential.projectId || null,
    type: credential.type,
    blob: credential.blob,
    links: { self: wire.linkTo(ask, `credentials/${credential.id}`) },
  })

const wireNames = { userId: 'user_id', projectId: 'project_id', type: 'type' }

type Found = { credential: Credential | undefined }

export function credentialEndpoints(credentials: Credentials): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['credential_id']!
  const theCredential = {
    subject: async (ask: Pick<Ask, 'params'>): Promise<Found> => ({ credential: await credentials.find(idOf(ask)) }),
    target: ({ subject: { credential } }: { subject: Found }) => ({
      target: credential ? { credential: { user_id: credential.userId } } : {},
    }),
  }
  const present = (ask: { subject: Found; params: Ask['params'] }): Credential =>
    existing(ask.subject.credential, 'credential', idOf(ask))
  const own = ({ caller }: Pick<Ask, 'caller'>) => ({ target: { credential: { user_id: caller.userId } } })
  return undelegated(
    [
      endpoint({
        on: 'GET /credentials',
        policy: 'identity:list_credentials',
        summary: 'List credentials: all, or the own ones',
        target: own,
        async handle(ask) {
          const seesAll = ask.can('identity:list_credentials', { target: { credential: {} } })
          const list = wire.listAsk(credentialListing, ask.query)
          const found = await credentials.list(list, seesAll ? undefined : ask.caller.userId)
          return wire.collection(ask, 'credentials', found, credentialView(ask))
        },
      }),
      endpoint({
        on: 'POST /credentials',
        policy: 'identity:create_credential',
        summary: 'Create a credential',
        status: 201,
        body: wire.one('credential', NewCredential),
        target: ({ body }) => ({ target: { credential: { user_id: wire.textIn(body, 'credential', 'user_id') } } }),
        async handle(ask) {
          const { blob, type, user_id: userId, project_id: projectId } = ask.body.credential
          if (type === 'ec2' && !projectId) throw new Problem('invalid', "'project_id' is a required property")
          const made = await credentials.create({ blob, type, userId, projectId: projectId ?? '' })
          return { credential: credentialView(ask)(made) }
        },
      }),
      endpoint({
        on: 'GET /credentials/{credential_id}',
        policy: 'identity:get_credential',
        summary: 'Show a credential',
        ...theCredential,
        handle: async (ask) => ({ credential: credentialView(ask)(present(ask)) }),
      }),
      endpoint({
        on: 'PATCH /credentials/{credential_id}',
        policy: 'identity:update_credential',
        summary: 'Change the secret of a credential; administrators change more',
        body: wire.one('credential', CredentialChange),
        ...theCredential,
        async handle(ask) {
          const { id, ...old } = present(ask)
          const { blob, type = old.type, user_id: userId = old.userId, project_id: projectId } = ask.body.credential
          const next = { blob, type, userId, projectId: projectId === undefined ? old.projectId : (projectId ?? '') }
          // Who owns it may change the secret, and neither whose it is nor what it is good for.
          const fixed = ask.can('admin_required') ? (['userId'] as const) : (['userId', 'projectId', 'type'] as const)
          for (const name of fixed)
            if (next[name] !== old[name]) throw new Problem('invalid', `${wireNames[name]} can not be updated for credential`)
          const keepsAccess = !ask.can('admin_required')
          return { credential: credentialView(ask)(await credentials.update(id, next, { keepsAccess })) }
        },
      }),
      endpoint({
        on: 'DELETE /credentials/{credential_id}',
        policy: 'identity:delete_credential',
        summary: 'Delete a credential',
        ...theCredential,
        handle: async (ask) => credentials.remove(present(ask).id),
      }),
    ],
    'Delegated tokens cannot access credentials directly.',
  )
}
