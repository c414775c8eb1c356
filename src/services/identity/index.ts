import type { Endpoint } from '../../kit/http/endpoint.ts'
import { openPasswords } from '../../kit/password/password.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { authEndpoints } from './api/auth.ts'
import { authScopeEndpoints } from './api/auth-scopes.ts'
import { identityDialect } from './api/dialect.ts'
import { discoveryEndpoints } from './api/discovery.ts'
import { domainEndpoints } from './api/domains.ts'
import { endpointEndpoints } from './api/endpoints.ts'
import { grantEndpoints } from './api/grants.ts'
import { groupEndpoints } from './api/groups.ts'
import { projectEndpoints } from './api/projects.ts'
import { regionEndpoints } from './api/regions.ts'
import { roleAssignmentEndpoints } from './api/role-assignments.ts'
import { roleInferenceEndpoints } from './api/role-inferences.ts'
import { roleEndpoints } from './api/roles.ts'
import { serviceEndpoints } from './api/services.ts'
import { userEndpoints } from './api/users.ts'
import type { Identity } from './contract.ts'
import { openAssignments } from './domain/assignments.ts'
import { audit } from './domain/audit.ts'
import { openAuthentication } from './domain/authenticate.ts'
import { bootstrap } from './domain/bootstrap.ts'
import { openCatalog } from './domain/catalog.ts'
import { openCatalogEndpoints } from './domain/endpoints.ts'
import { openGroups } from './domain/groups.ts'
import { openKeys } from './domain/keys.ts'
import { findProject } from './domain/project-tree.ts'
import { openProjects } from './domain/projects.ts'
import { openRegions } from './domain/regions.ts'
import { openRoles } from './domain/roles.ts'
import { openCatalogServices } from './domain/services.ts'
import { openSessions } from './domain/sessions.ts'
import { openStore } from './domain/store.ts'
import { openTags } from './domain/tags.ts'
import { openUsers } from './domain/users.ts'
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
  const users = openUsers({ store, passwords, clock, authentication })
  const parts = {
    store,
    catalog: openCatalog(store),
    users,
    groups: openGroups(store, clock),
    projects: openProjects(store, clock),
    roles: openRoles(store, clock),
    assignments: openAssignments(store),
    tags: openTags(store),
  }
  const endpoints: Endpoint[] = [
    ...discoveryEndpoints(() => endpoints),
    ...authEndpoints({ ...parts, sessions, authentication, clock }),
    ...authScopeEndpoints(parts),
    ...userEndpoints(parts),
    ...groupEndpoints(parts),
    ...projectEndpoints(parts),
    ...domainEndpoints(parts.projects),
    ...roleEndpoints(parts.roles),
    ...roleInferenceEndpoints(parts.roles),
    ...grantEndpoints(parts),
    ...roleAssignmentEndpoints(store),
    ...regionEndpoints(openRegions(store, clock)),
    ...serviceEndpoints(openCatalogServices(store, clock)),
    ...endpointEndpoints(openCatalogEndpoints(store, clock)),
  ]
  return {
    dialect: identityDialect,
    endpoints,
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
    audit: () => audit(store),
  }
}
