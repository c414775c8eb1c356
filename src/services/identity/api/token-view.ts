import { isoMicros } from '../../../kit/clock.ts'
import type { CatalogEntry } from '../domain/catalog.ts'
import type { Session } from '../domain/sessions.ts'
import { ruleView } from './application-credentials.ts'

/** The body of a token. No catalog for unscoped tokens, nor when it was not wanted. */
export function tokenView({ payload, user, project, domain, roles, delegation }: Session, catalog: CatalogEntry[] | undefined) {
  const { scope } = payload
  return {
    token: {
      methods: payload.methods,
      user: {
        domain: user.domain,
        id: user.id,
        name: user.name,
        password_expires_at: user.passwordExpiresAt === undefined ? null : isoMicros(user.passwordExpiresAt),
      },
      audit_ids: payload.auditIds,
      expires_at: isoMicros(payload.expiresAt),
      issued_at: isoMicros(payload.issuedAt),
      ...(project && { project: { domain: project.domain, id: project.id, name: project.name }, is_domain: project.isDomain }),
      ...(domain && { domain }),
      ...(scope.kind === 'system' && { system: { all: true } }),
      ...(scope.kind !== 'unscoped' && { roles }),
      ...delegationView(delegation),
      ...(catalog && scope.kind !== 'unscoped' && { catalog: catalogView(catalog) }),
    },
  }
}

function delegationView({ trust, credential }: Session['delegation']): object {
  if (trust)
    return {
      'OS-TRUST:trust': {
        id: trust.id,
        trustor_user: { id: trust.trustorId },
        trustee_user: { id: trust.trusteeId },
        impersonation: trust.impersonation,
      },
    }
  if (!credential) return {}
  const { id, name, unrestricted, rules } = credential
  const accessRules = rules.length > 0 && { access_rules: rules.map(ruleView) }
  return { application_credential: { id, name, restricted: !unrestricted, ...accessRules } }
}

export const catalogView = (catalog: CatalogEntry[]) =>
  catalog.map(({ id, type, name, endpoints }) => ({
    endpoints: endpoints.map((one) => ({
      id: one.id,
      interface: one.interface,
      region_id: one.regionId === '' ? null : one.regionId,
      url: one.url,
      region: one.regionId === '' ? null : one.regionId,
    })),
    id,
    type,
    name,
  }))
