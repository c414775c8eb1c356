import { Problem } from '../../../kit/errors.ts'
import { findApplicationCredential } from './application-credentials.ts'
import type { Proof } from './factors.ts'
import type { ByIdOrName, ByIdOrNameInDomain, Login } from './login.ts'
import type { PayloadScope, Via } from './payload.ts'
import { findProject } from './project-tree.ts'
import { expecting, refused } from './refusals.ts'
import type { Store } from './store.ts'
import type { Trusts } from './trusts.ts'
import type { Credentials } from './user-credentials.ts'

/** What a token is to be for. `endsAt`: it may not outlive what delegates it. */
export type Aim = { scope: PayloadScope; via?: Via | undefined; endsAt?: number | undefined; mayFallBack?: boolean }

type Parts = { store: Store; trusts: Trusts }

export async function aimOf({ store, trusts }: Parts, { scope }: Login, { user, via }: Proof): Promise<Aim> {
  if (via) return aimOfCredential(store, scope, via)
  if (scope === undefined) return defaultAim(store, user)
  if ('unscoped' in scope) return { scope: { kind: 'unscoped' } }
  if ('system' in scope) return { scope: { kind: 'system' } }
  if ('domain' in scope) return { scope: { kind: 'domain', id: await domainIdOf(store, scope.domain) } }
  if ('project' in scope) return { scope: { kind: 'project', id: await projectIdOf(store, scope.project) } }
  const trust = await trusts.find(scope.trust.id)
  if (!trust || trust.projectId === '') throw refused()
  if (trust.trusteeId !== user.id) throw new Problem('forbidden', 'User is not a trustee.')
  return {
    scope: { kind: 'project', id: trust.projectId },
    via: { kind: 'trust', id: trust.id },
    endsAt: trust.expiresAt,
  }
}

async function aimOfCredential({ read }: Store, scope: Login['scope'], via: Via): Promise<Aim> {
  if (scope !== undefined)
    throw new Problem(
      'unauthenticated',
      'Error authenticating with application credential: Application credentials cannot request a scope.',
    )
  const credential = await findApplicationCredential(read, via.id)
  if (!credential) throw refused()
  return { scope: { kind: 'project', id: credential.projectId }, via }
}

async function defaultAim({ read }: Store, { defaultProjectId: id }: Credentials): Promise<Aim> {
  if (id === '' || !(await findProject(read, id))) return { scope: { kind: 'unscoped' } }
  return { scope: { kind: 'project', id }, mayFallBack: true }
}

async function projectIdOf(store: Store, { id, name, domain }: ByIdOrNameInDomain): Promise<string> {
  if (id !== undefined) return id
  if (domain === undefined) throw expecting('domain', 'project')
  const found = await store.read
    .selectFrom('identity_project')
    .select('id')
    .where('name', '=', name ?? '')
    .where('domain_id', '=', await domainIdOf(store, domain))
    .executeTakeFirst()
  if (!found) throw refused()
  return found.id
}

async function domainIdOf({ read }: Store, { id, name }: ByIdOrName): Promise<string> {
  if (id !== undefined) return id
  const found = await read
    .selectFrom('identity_project')
    .select('id')
    .where('name', '=', name ?? '')
    .where('is_domain', '=', 1)
    .executeTakeFirst()
  if (!found) throw refused()
  return found.id
}
