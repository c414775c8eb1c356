import { Type } from 'typebox'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { hexId } from '../../../kit/ids.ts'
import { type Credentials, type Ec2Keys, ec2Id } from '../domain/credentials.ts'
import { couldNotFind, existing } from '../domain/names.ts'
import type { Projects } from '../domain/projects.ts'
import type { Users } from '../domain/users.ts'
import { undelegated } from './delegation.ts'
import * as wire from './wire.ts'

const NewKeys = Type.Object({ tenant_id: Type.String({ maxLength: 64 }) })

const keysView =
  (ask: Pick<Ask, 'origin'>) =>
  ({ access, secret, userId, projectId }: Ec2Keys): object => ({
    access,
    secret,
    user_id: userId,
    tenant_id: projectId,
    trust_id: null,
    links: { self: wire.linkTo(ask, `users/${userId}/credentials/OS-EC2/${encodeURIComponent(access)}`) },
  })

type Found = { keys: Ec2Keys | undefined }
type Parts = { credentials: Credentials; users: Users; projects: Projects }

/** EC2 keys below the user they belong to: the same rows as credentials of type `ec2`. */
export function ec2CredentialEndpoints({ credentials, users, projects }: Parts): Endpoint[] {
  const ownerOf = ({ params }: Pick<Ask, 'params'>) => params['user_id']!
  const accessOf = ({ params }: Pick<Ask, 'params'>) => params['credential_id']!
  const theUser = (ask: Pick<Ask, 'params'>) => ({
    user_id: ownerOf(ask),
    target: { credential: { user_id: ownerOf(ask) } },
  })
  const theKeys = {
    subject: async (ask: Pick<Ask, 'params'>): Promise<Found> => {
      const keys = await credentials.findEc2(accessOf(ask))
      return { keys: keys?.userId === ownerOf(ask) ? keys : undefined }
    },
    // They are the user's whom the path names, or are not there: and that, only the user hears.
    target: (ask: { params: Ask['params'] }) => theUser(ask),
  }
  const present = (ask: { subject: Found; params: Ask['params'] }): Ec2Keys =>
    existing(ask.subject.keys, 'credential', accessOf(ask))
  return undelegated(
    [
      endpoint({
        on: 'GET /users/{user_id}/credentials/OS-EC2',
        policy: 'identity:ec2_list_credentials',
        summary: 'List the EC2 keys of a user',
        target: theUser,
        async handle(ask) {
          existing(await users.find(ownerOf(ask)), 'user', ownerOf(ask))
          const rows = (await credentials.listEc2(ownerOf(ask))).map((keys) => ({ ...keys, id: keys.access }))
          return wire.collection(ask, 'credentials', { rows, more: false }, keysView(ask))
        },
      }),
      endpoint({
        on: 'POST /users/{user_id}/credentials/OS-EC2',
        policy: 'identity:ec2_create_credential',
        summary: 'Make EC2 keys for a user and a project',
        status: 201,
        body: NewKeys,
        target: theUser,
        async handle(ask) {
          const [userId, projectId] = [ownerOf(ask), ask.body.tenant_id]
          existing(await users.find(userId), 'user', userId)
          if (!(await projects.find(projectId))) throw couldNotFind('project', projectId)
          const [access, secret] = [hexId(), hexId()]
          await credentials.create({ userId, projectId, type: 'ec2', blob: JSON.stringify({ access, secret }) })
          return { credential: keysView(ask)({ access, secret, userId, projectId }) }
        },
      }),
      endpoint({
        on: 'GET /users/{user_id}/credentials/OS-EC2/{credential_id}',
        policy: 'identity:ec2_get_credential',
        summary: 'Show EC2 keys',
        ...theKeys,
        handle: async (ask) => ({ credential: keysView(ask)(present(ask)) }),
      }),
      endpoint({
        on: 'DELETE /users/{user_id}/credentials/OS-EC2/{credential_id}',
        policy: 'identity:ec2_delete_credential',
        summary: 'Delete EC2 keys',
        ...theKeys,
        handle: async (ask) => credentials.remove(ec2Id(present(ask).access)),
      }),
    ],
    'Delegated tokens cannot access credentials directly.',
  )
}
