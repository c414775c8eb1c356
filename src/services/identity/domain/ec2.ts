import { type Clock, minute } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Authentication, Issued } from './authenticate.ts'
import type { Credentials, Ec2Keys } from './credentials.ts'
import { isSame, type SignedRequest, signingOf } from './ec2-signature.ts'
import { s3Signature } from './s3-signature.ts'

/** How old a signature may be. */
const lifeMicros = 15 * minute

/** Tells services whose request it was that was signed with EC2 keys. Throws unauthenticated. */
export type Ec2 = {
  ofRequest(request: SignedRequest): Promise<Issued>
  /** `text`: what an S3 service says was signed. It looks at the time of the request itself. */
  ofText(ask: { access: string; signature: string; text: Buffer }): Promise<Issued>
}

export function openEc2(credentials: Credentials, authentication: Authentication, clock: Clock): Ec2 {
  const keysOf = async (access: string): Promise<Ec2Keys> => {
    const keys = await credentials.findEc2(access)
    if (!keys) throw unauthenticated('EC2 access key not found.')
    return keys
  }
  return {
    async ofRequest(request) {
      const keys = await keysOf(request.access)
      // Some clients sign the host without its port.
      const hosts = [request.host, request.host.replace(/:\d+$/, '')]
      const signing = hosts
        .map((host) => signingOf({ ...request, host }, keys.secret))
        .find((one) => one && isSame(one.expected, request.signature))
      if (!signing) throw unauthenticated('Invalid EC2 signature.')
      const now = clock.now()
      // Without a time that is signed itself it would be good for ever.
      if (signing.at === undefined || signing.at + lifeMicros < now || signing.at - lifeMicros > now)
        throw unauthenticated('Credential is expired')
      return authentication.issueForEc2(keys)
    },
    async ofText({ access, signature, text }) {
      const keys = await keysOf(access)
      const expected = s3Signature(text, keys.secret)
      if (expected === undefined) throw unauthenticated('Invalid EC2 signature.')
      if (!isSame(expected, signature)) throw unauthenticated('Credential signature mismatch')
      return authentication.issueForEc2(keys)
    },
  }
}

const unauthenticated = (message: string): Problem => new Problem('unauthenticated', message)
