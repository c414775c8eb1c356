import { ldapDirectories, type OpenDirectory } from '../../drivers/directory/index.ts'
import type { Endpoint } from '../../kit/http/endpoint.ts'
import { openPasswords } from '../../kit/password/password.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { accessRuleEndpoints } from './api/access-rules.ts'
import { applicationCredentialEndpoints } from './api/application-credentials.ts'
import { authEndpoints } from './api/auth.ts'
import { authScopeEndpoints } from './api/auth-scopes.ts'
import { credentialEndpoints } from './api/credentials.ts'
import { identityDialect } from './api/dialect.ts'
import { discoveryEndpoints } from './api/discovery.ts'
import { domainConfigEndpoints } from './api/domain-config.ts'
import { domainEndpoints } from './api/domains.ts'
import { ec2CredentialEndpoints } from './api/ec2-credentials.ts'
import { endpointFilterEndpoints } from './api/endpoint-filters.ts'
import { endpointEndpoints } from './api/endpoints.ts'
import { grantEndpoints } from './api/grants.ts'
import { groupEndpoints } from './api/groups.ts'
import { limitEndpoints, registeredLimitEndpoints } from './api/limits.ts'
import { policyEndpoints } from './api/policies.ts'
import { projectEndpoints } from './api/projects.ts'
import { regionEndpoints } from './api/regions.ts'
import { revocationEventEndpoints } from './api/revocation-events.ts'
import { roleAssignmentEndpoints } from './api/role-assignments.ts'
import { roleInferenceEndpoints } from './api/role-inferences.ts'
import { roleEndpoints } from './api/roles.ts'
import { serviceEndpoints } from './api/services.ts'
import { trustEndpoints } from './api/trusts.ts'
import { userEndpoints } from './api/users.ts'
import type { Identity } from './contract.ts'
import { openAccessRules } from './domain/access-rules.ts'
import { openApplicationCredentials } from './domain/application-credentials.ts'
import { openAssignments } from './domain/assignments.ts'
import { audit } from './domain/audit.ts'
import { openAuthentication } from './domain/authenticate.ts'
import { bootstrap } from './domain/bootstrap.ts'
import { openCatalog } from './domain/catalog.ts'
import { openCredentials } from './domain/credentials.ts'
import { openDomainConfigs } from './domain/domain-config.ts'
import { openEc2 } from './domain/ec2.ts'
import { openEndpointFilters } from './domain/endpoint-filters.ts'
import { openEndpointGroups } from './domain/endpoint-groups.ts'
import { openCatalogEndpoints } from './domain/endpoints.ts'
import { openFactors } from './domain/factors.ts'
import { openGroups } from './domain/groups.ts'
import { openKeys } from './domain/keys.ts'
import { openDirectories } from './domain/ldap/directories.ts'
import { limitsInForce, openLimits } from './domain/limits.ts'
import type { PasswordRules } from './domain/password-rules.ts'
import { openPolicies } from './domain/policies.ts'
import { openPolicyAssociations } from './domain/policy-associations.ts'
import { findProject } from './domain/project-tree.ts'
import { openProjects } from './domain/projects.ts'
import { openReceipts } from './domain/receipts.ts'
import { openRegions } from './domain/regions.ts'
import { openRegisteredLimits } from './domain/registered-limits.ts'
import { openRoles } from './domain/roles.ts'
import { openSecretBox } from './domain/secret-box.ts'
import { openCatalogServices } from './domain/services.ts'
import { openSessions } from './domain/sessions.ts'
import { openStore } from './domain/store.ts'
import { openTags } from './domain/tags.ts'
import { openTrusts } from './domain/trusts.ts'
import { openUsers } from './domain/users.ts'
import { identityPolicies } from './policy.ts'
import { identityMigrations } from './tables.ts'

export const identityKind: ServiceKind = { name: 'identity', migrations: identityMigrations, policies: identityPolicies }

export type IdentitySettings = {
  /** `weak`: password hashes cost next to nothing, for tests only. */
  hashing: 'strong' | 'weak'
  /** Default: none. */
  passwordRules?: PasswordRules
  /** How limits of domains and projects go together. Default: not at all. */
  limitModel?: 'flat' | 'strict_two_level'
  /** Keys that seal credentials, kept outside the database; the first one seals. 32 bytes in base64url. */
  credentialKeys?: string[]
  /** How directories of domains are asked. Default: by LDAP. */
  openDirectory?: OpenDirectory
}

export function openIdentity({ db, clock }: Deps, settings: IdentitySettings): Service<Identity> {
  const { hashing, passwordRules: rules = {}, credentialKeys } = settings
  const store = openStore(db)
  const passwords = openPasswords(hashing)
  const keys = openKeys(store, clock)
  const box = openSecretBox(store, clock, credentialKeys)
  const directories = openDirectories({ store, box, clock, open: settings.openDirectory ?? ldapDirectories() })
  const sessions = openSessions({ store, keys, directories, clock })
  const credentials = openCredentials(store, box, clock)
  const factors = openFactors({ store, sessions, passwords, secrets: credentials, rules, directories, clock })
  const trusts = openTrusts(store, clock)
  const receipts = openReceipts(keys, clock)
  const authentication = openAuthentication({ store, sessions, factors, receipts, trusts, clock })
  const users = openUsers({ store, passwords, clock, factors, rules, directories })
  const limits = openLimits(store, clock, settings.limitModel ?? 'flat')
  const parts = {
    store,
    catalog: openCatalog(store),
    users,
    groups: openGroups(store, clock, directories),
    projects: openProjects(store, clock, limits.model.maxDepth),
    roles: openRoles(store, clock),
    assignments: openAssignments(store),
    tags: openTags(store),
    trusts,
    credentials,
    applicationCredentials: openApplicationCredentials(store, passwords, clock),
    ec2: openEc2(credentials, authentication, clock),
    endpoints: openCatalogEndpoints(store, clock),
    filters: openEndpointFilters(store),
    policies: openPolicies(store, clock),
    associations: openPolicyAssociations(store),
    configs: openDomainConfigs(store, box, clock),
    rules,
    clock,
  }
  const endpoints: Endpoint[] = [
    ...discoveryEndpoints(() => endpoints),
    ...authEndpoints({ ...parts, sessions, authentication }),
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
    ...credentialEndpoints(credentials),
    ...ec2CredentialEndpoints(parts),
    ...applicationCredentialEndpoints(parts),
    ...accessRuleEndpoints(openAccessRules(store)),
    ...trustEndpoints(parts),
    ...endpointEndpoints(parts.endpoints),
    ...endpointFilterEndpoints({ ...parts, groups: openEndpointGroups(store, clock) }),
    ...policyEndpoints(parts),
    ...registeredLimitEndpoints(openRegisteredLimits(store, clock)),
    ...limitEndpoints(limits, parts.projects),
    ...domainConfigEndpoints(parts),
    ...revocationEventEndpoints(store),
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
      async endpoint({ type, region, face, ...who }) {
        const entries = (await parts.catalog.for(who)).filter((entry) => entry.type === type)
        const isIt = (one: { interface: string; regionId: string }) =>
          one.interface === face && one.regionId.toLowerCase() === region.toLowerCase()
        return entries.flatMap(({ endpoints }) => endpoints).find(isIt)?.url
      },
      limits: (ask) => limitsInForce(store, ask),
      bootstrap: bootstrap(store, passwords, clock),
      async rotateKeys() {
        await keys.rotate()
        await box.rotate()
      },
    },
    audit: () => audit(store),
  }
}
