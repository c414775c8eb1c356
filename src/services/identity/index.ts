import { openPasswords } from '../../kit/password/password.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { authEndpoints } from './api/auth.ts'
import { identityDialect } from './api/dialect.ts'
import type { Identity } from './contract.ts'
import { openAuthentication } from './domain/authenticate.ts'
import { bootstrap } from './domain/bootstrap.ts'
import { openKeys } from './domain/keys.ts'
import { findProject } from './domain/project-tree.ts'
import { openSessions } from './domain/sessions.ts'
import { openStore } from './domain/store.ts'
import { identityPolicies } from './policy.ts'
import { identityMigrations } from './tables.ts'

export const identityKind: ServiceKind = { name: 'identity', migrations: identityMigrations, policies: identityPolicies }

/** `weak`: password hashes cost next to nothing, for tests only. */
export type IdentitySettings = { hashing: 'strong' | 'weak' }

export function openIdentity({ db, clock }: Deps, { hashing }: IdentitySettings): Service<Identity> {
  const store = openStore(db)
  const passwords = openPasswords(hashing)
  const sessions = openSessions(store, openKeys(store, clock), clock)
  const authentication = openAuthentication({ store, sessions, passwords, clock })
  return {
    dialect: identityDialect,
    endpoints: [...authEndpoints({ store, sessions, authentication, now: () => clock.now() })],
    machines: [],
    contract: {
      authenticate: async ({ token }) => (await sessions.find(token))?.caller,
      async project({ id }) {
        const found = await findProject(store.read, id)
        if (!found || found.isDomain) return undefined
        const { name, domainId, enabled } = found
        return { id, name, domainId, enabled }
      },
      bootstrap: bootstrap(store, passwords, clock),
    },
  }
}
