import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Factors, Proof } from './factors.ts'
import type { Login } from './login.ts'
import { isEnough, missingMethods } from './multi-factor.ts'
import { newAuditId, type Payload } from './payload.ts'
import { isVoid, type Receipt, type Receipts } from './receipts.ts'
import { expecting, refused } from './refusals.ts'
import { type Aim, aimOf } from './scopes.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Store } from './store.ts'
import { tokenLifeMicros } from './token-life.ts'
import type { Trusts } from './trusts.ts'
import type { Credentials } from './user-credentials.ts'

export type Issued = { token: string; session: Session }

/** Some methods were right, and the rules of the user ask for more of them. */
export type Unfinished = { receipt: Receipt & { text: string }; user: Credentials; missing: string[][] }

export type Authentication = {
  /** A new token. Throws unauthenticated, with the same words after the same work, for whatever is wrong with who asks. */
  login(ask: Login): Promise<Issued | Unfinished>
  /** A token for who signed a request with an EC2 credential. Throws unauthenticated. */
  issueForEc2(who: { userId: string; projectId: string }): Promise<Issued>
}

export type AuthenticationParts = {
  store: Store
  sessions: Sessions
  factors: Factors
  receipts: Receipts
  trusts: Trusts
  clock: Clock
}

export function openAuthentication(parts: AuthenticationParts): Authentication {
  const { store, sessions, factors, receipts, trusts, clock } = parts
  const issue = async (common: Omit<Payload, 'scope'>, { scope, via, endsAt, mayFallBack }: Aim): Promise<Issued> => {
    const expiresAt = Math.min(common.expiresAt, endsAt ?? common.expiresAt)
    const made = await sessions.issue({ ...common, expiresAt, scope, via })
    if (made) return made
    // A default project that cannot be used any more is no reason to lock somebody out.
    const unscoped = mayFallBack ? await sessions.issue({ ...common, scope: { kind: 'unscoped' } }) : undefined
    if (!unscoped) throw refused()
    return unscoped
  }
  const earlierOf = async (receipt: string | undefined, user: Credentials): Promise<Receipt | undefined> => {
    if (receipt === undefined) return undefined
    const found = await receipts.open(receipt)
    if (found?.userId !== user.id || (await isVoid(store, found))) throw refused()
    return found
  }

  return {
    async login(ask) {
      // Before anything else is looked at: see revocations.ts.
      const now = await store.generation()
      const proofs: Proof[] = []
      for (const method of new Set(ask.methods)) proofs.push(await factors.prove(method, ask))
      const proof = together(proofs)
      const earlier = await earlierOf(ask.receipt, proof.user)
      const methods = [...new Set([...proof.methods, ...(earlier?.methods ?? [])])]
      const generation = Math.min(now, earlier?.generation ?? now)
      const { user } = proof
      if (!isEnough(user.options, methods)) {
        // What was delegated is no half of a login that is not.
        if (proof.via) throw refused()
        const receipt = await receipts.seal({ userId: user.id, methods, generation })
        return { receipt, user, missing: missingMethods(user.options, methods) }
      }
      const aim = await aimOf({ store, trusts }, ask, proof)
      const common = {
        userId: user.id,
        methods,
        issuedAt: clock.now(),
        generation,
        // A token made of a token ends when that one does, and belongs to its chain.
        expiresAt: proof.expiresAt,
        auditIds: [newAuditId(), ...(proof.chain === undefined ? [] : [proof.chain])],
      }
      const issued = await issue(common, aim)
      // Only who really gets a token uses the trust up.
      if (aim.via?.kind === 'trust' && !(await trusts.use(aim.via.id))) throw refused()
      return issued
    },
    async issueForEc2({ userId, projectId }) {
      const generation = await store.generation()
      const issuedAt = clock.now()
      const common = {
        userId,
        methods: ['ec2credential'],
        issuedAt,
        generation,
        expiresAt: issuedAt + tokenLifeMicros,
        auditIds: [newAuditId()],
      }
      return issue(common, { scope: { kind: 'project', id: projectId } })
    },
  }
}

/** Several methods must speak of one user; the earliest end holds. What delegates goes with nothing else. */
function together(proofs: Proof[]): Proof {
  const [first] = proofs
  if (!first) throw expecting('methods', 'identity')
  if (proofs.some((proof) => proof.user.id !== first.user.id)) throw refused()
  const via = proofs.find((proof) => proof.via)?.via
  if (via && proofs.length > 1)
    throw new Problem('unauthenticated', 'Error authenticating with application credential: it goes with no other method.')
  return {
    user: first.user,
    methods: [...new Set(proofs.flatMap((proof) => proof.methods))],
    chain: proofs.find((proof) => proof.chain !== undefined)?.chain,
    expiresAt: Math.min(...proofs.map((proof) => proof.expiresAt)),
    ...(via && { via }),
  }
}
