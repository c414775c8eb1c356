import { isoMicros, parseTime } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type ListedRevocation, listRevocations } from '../domain/revocations.ts'
import type { Store } from '../domain/store.ts'
import * as wire from './wire.ts'

export const revocationEventEndpoints = (store: Store): Endpoint[] => [
  endpoint({
    on: 'GET /OS-REVOKE/events',
    policy: 'identity:list_revoke_events',
    summary: 'List which tokens are void',
    async handle(ask) {
      const text = ask.query['since']?.at(-1)
      const since = text === undefined ? 0 : parseTime(text)
      if (since === undefined) throw new Problem('invalid', `invalidate date format ${text}`)
      const events = (await listRevocations(store, since)).map(eventView)
      return { events, links: { next: null, self: wire.linkTo(ask, 'OS-REVOKE/events'), previous: null } }
    },
  }),
]

function eventView({ auditId, auditChainId, userId, projectId, domainId, at }: ListedRevocation): object {
  const said = { audit_id: auditId, audit_chain_id: auditChainId, user_id: userId, project_id: projectId, domain_id: domainId }
  return {
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== '')),
    issued_before: isoMicros(at),
    revoked_at: isoMicros(at),
  }
}
