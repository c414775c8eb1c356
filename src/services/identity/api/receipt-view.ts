import { isoMicros } from '../../../kit/clock.ts'
import type { Unfinished } from '../domain/authenticate.ts'

/** What was proved so far, and which methods are asked for beside. */
export const receiptView = ({ receipt, user, missing }: Unfinished) => ({
  receipt: {
    methods: receipt.methods,
    user: { id: user.id, name: user.name, domain: { id: user.domainId, name: user.domainName } },
    expires_at: isoMicros(receipt.expiresAt),
    issued_at: isoMicros(receipt.issuedAt),
  },
  required_auth_methods: missing,
})
