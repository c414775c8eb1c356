/** Who is asking, as identity vouches for it. Nothing a request's headers say can change it. */
export type Caller = {
  userId: string
  userName: string
  userDomainId: string
  /** At most one of project, domain and system is set; none: an unscoped token. */
  projectId: string | undefined
  projectName: string | undefined
  projectDomainId: string | undefined
  domainId: string | undefined
  system: boolean
  /** Names of the roles in effect, implied ones included. */
  roles: string[]
  /** How the token came about, newest first: password, token, application_credential, trust, … */
  methods: string[]
  /** Set on tokens that were delegated: such callers may not make new identities or credentials. */
  delegation: 'trust' | 'application_credential' | 'application_credential_unrestricted' | 'ec2' | undefined
  /** Id of the trust or application credential the token was delegated by. */
  delegationId?: string | undefined
  /** The only requests the token is good for; undefined: any. */
  accessRules?: AccessRule[] | undefined
  auditIds: string[]
  expiresAt: number
}

/**
 * A request that an application credential is good for. `service` is a type of the catalog; in `path` (from the root on) `*` or a name in braces
 * stands for one step, `**` for any number of them.
 */
export type AccessRule = { service: string; method: string; path: string }

/** The facts a rule may compare, by the names oslo.policy gives them. */
export const credentials = (caller: Caller): Record<string, unknown> => ({
  user_id: caller.userId,
  user_domain_id: caller.userDomainId,
  project_id: caller.projectId,
  tenant_id: caller.projectId,
  project_domain_id: caller.projectDomainId,
  domain_id: caller.domainId,
  system_scope: caller.system ? 'all' : undefined,
  roles: caller.roles,
  is_admin_project: true,
  'token.domain.id': caller.domainId,
  'token.project.domain.id': caller.projectDomainId,
})
