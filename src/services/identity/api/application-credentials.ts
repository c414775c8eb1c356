import { Type } from 'typebox'
import { type Clock, isoMicros } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { secret as newSecret } from '../../../kit/ids.ts'
import type { OwnedRule } from '../domain/access-rules.ts'
import {
  type ApplicationCredential,
  type ApplicationCredentials,
  applicationCredentialListing,
} from '../domain/application-credentials.ts'
import { existing } from '../domain/names.ts'
import { forbiddenAction } from '../domain/refusals.ts'
import type { Roles } from '../domain/roles.ts'
import { undelegated } from './delegation.ts'
import { RoleNames, roleIdsOf } from './named-roles.ts'
import * as wire from './wire.ts'

const Rule = Type.Object(
  {
    id: Type.Optional(wire.Id),
    path: Type.Optional(Type.String({ maxLength: 225, pattern: '^\\/.*' })),
    method: Type.Optional(Type.String({ pattern: '^(POST|GET|HEAD|PATCH|PUT|DELETE)$' })),
    service: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
)
const NewCredential = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 255, pattern: '\\S+' }),
  description: Type.Optional(wire.NullableText),
  secret: Type.Optional(Type.Union([Type.String({ maxLength: 4096 }), Type.Null()])),
  expires_at: Type.Optional(wire.NullableText),
  roles: Type.Optional(RoleNames),
  unrestricted: Type.Optional(Type.Boolean()),
  access_rules: Type.Optional(Type.Array(Rule, { maxItems: 200 })),
})

export const ruleView = ({ id, service, path, method }: OwnedRule) => ({ id, service, path, method })

const credentialView =
  (ask: Pick<Ask, 'origin'>) =>
  (credential: ApplicationCredential): object => ({
    id: credential.id,
    name: credential.name,
    description: credential.description || null,
    project_id: credential.projectId,
    user_id: credential.userId,
    system: null,
    expires_at: credential.expiresAt === undefined ? null : isoMicros(credential.expiresAt).replace(/Z$/, ''),
    unrestricted: credential.unrestricted,
    roles: credential.roles.map(({ id, name, domainId }) => ({ id, name, domain_id: domainId || null })),
    ...(credential.rules.length > 0 && { access_rules: credential.rules.map(ruleView) }),
    links: { self: wire.linkTo(ask, `users/${credential.userId}/application_credentials/${credential.id}`) },
  })

type Found = { credential: ApplicationCredential | undefined }
type Parts = { applicationCredentials: ApplicationCredentials; roles: Roles; clock: Clock }

export function applicationCredentialEndpoints({ applicationCredentials, roles, clock }: Parts): Endpoint[] {
  const ownerOf = ({ params }: Pick<Ask, 'params'>) => params['user_id']!
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['application_credential_id']!
  const theOwner = (ask: Pick<Ask, 'params'>) => ({ user_id: ownerOf(ask) })
  const theCredential = {
    subject: async (ask: Pick<Ask, 'params'>): Promise<Found> => {
      const credential = await applicationCredentials.find(idOf(ask))
      return { credential: credential?.userId === ownerOf(ask) ? credential : undefined }
    },
    // Whose it is says the row; what is not there is the path's, so that its owner hears that it is not.
    target: (ask: { params: Ask['params'] }) => theOwner(ask),
  }
  const present = (ask: { subject: Found; params: Ask['params'] }): ApplicationCredential =>
    existing(ask.subject.credential, 'Application Credential', idOf(ask))
  const list = endpoint({
    on: 'GET /users/{user_id}/application_credentials',
    policy: 'identity:list_application_credentials',
    summary: 'List the application credentials of a user',
    target: theOwner,
    async handle(ask) {
      const found = await applicationCredentials.list(ownerOf(ask), wire.listAsk(applicationCredentialListing, ask.query))
      return wire.collection(ask, 'application_credentials', found, credentialView(ask))
    },
  })
  const show = endpoint({
    on: 'GET /users/{user_id}/application_credentials/{application_credential_id}',
    policy: 'identity:get_application_credential',
    summary: 'Show an application credential',
    ...theCredential,
    handle: async (ask) => ({ application_credential: credentialView(ask)(present(ask)) }),
  })
  const create = endpoint({
    on: 'POST /users/{user_id}/application_credentials',
    policy: 'identity:create_application_credential',
    summary: 'Make an application credential for oneself, with roles of the token that asks',
    status: 201,
    body: wire.one('application_credential', NewCredential),
    target(ask) {
      if (ask.caller.projectId === undefined)
        throw forbiddenAction('An application credential is made with a token for the project it is for.')
      return theOwner(ask)
    },
    async handle(ask) {
      const wanted = ask.body.application_credential
      const { userId, projectId } = ask.caller
      if (userId !== ownerOf(ask)) throw forbiddenAction('Cannot create an application credential for another user.')
      const held = await roleIdsOf(
        roles,
        ask.caller.roles.map((name) => ({ name })),
      )
      const roleIds = wanted.roles?.length ? await roleIdsOf(roles, wanted.roles) : held
      for (const id of roleIds)
        if (!held.includes(id))
          throw new Problem(
            'invalid',
            'Invalid application credential: Cannot create an application credential with unassigned role',
          )
      const secret = wanted.secret || newSecret(64)
      const made = await applicationCredentials.create({
        name: wanted.name,
        userId,
        projectId: projectId!,
        description: wanted.description ?? '',
        secret,
        expiresAt: wire.endOf(wanted.expires_at, clock.now()),
        unrestricted: wanted.unrestricted ?? false,
        roleIds,
        rules: (wanted.access_rules ?? []).map(ruleOf),
      })
      return { application_credential: { ...credentialView(ask)(made), secret } }
    },
  })
  const remove = endpoint({
    on: 'DELETE /users/{user_id}/application_credentials/{application_credential_id}',
    policy: 'identity:delete_application_credential',
    summary: 'Delete an application credential',
    ...theCredential,
    handle: async (ask) => applicationCredentials.remove(present(ask).id),
  })
  return [
    ...undelegated([list, show], 'Cannot manage application credentials with a token issued via delegation.', [
      'application_credential',
      'application_credential_unrestricted',
    ]),
    ...undelegated(
      [create, remove],
      "Using method 'application_credential' is not allowed for managing additional application credentials.",
      ['application_credential_unrestricted'],
    ),
  ]
}

type AskedRule = { id?: string; path?: string; method?: string; service?: string }

function ruleOf({ id, path, method, service }: AskedRule) {
  if (path !== undefined && method !== undefined && service !== undefined) return { path, method, service }
  if (id !== undefined) return { id }
  throw new Problem('invalid', 'An access rule has a path, a method and a service, or the id of one that has.')
}
