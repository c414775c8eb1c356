import { type Static, Type } from 'typebox'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Issued } from '../domain/authenticate.ts'
import type { Ec2 } from '../domain/ec2.ts'
import { refused } from '../domain/refusals.ts'

const Texts = Type.Record(Type.String(), Type.Unknown())
const Signed = Type.Object({
  access: Type.Optional(Type.String()),
  signature: Type.Optional(Type.String()),
  verb: Type.Optional(Type.String()),
  host: Type.Optional(Type.String()),
  path: Type.Optional(Type.String()),
  params: Type.Optional(Texts),
  headers: Type.Optional(Texts),
  body_hash: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
})
/** Clients know three names for the same thing. */
const Body = Type.Object({
  credentials: Type.Optional(Signed),
  credential: Type.Optional(Signed),
  ec2Credentials: Type.Optional(Signed),
})

const signedIn = (body: Static<typeof Body>): Static<typeof Signed> =>
  body.credentials ?? body.credential ?? body.ec2Credentials ?? {}

/** Values that are no text were signed as Python writes them, which nobody relies on. */
const texts = (values: Record<string, unknown> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))

type Answer = (issued: Issued, how: { withToken: boolean }) => Promise<unknown>

/** For services that were sent a signed request: whose is it? They show who they are; nobody else gets anything for a signature. */
export const signedRequestEndpoints = (ec2: Ec2, answer: Answer): Endpoint[] => [
  endpoint({
    on: 'POST /ec2tokens',
    policy: 'identity:ec2tokens_validate',
    summary: 'Check a request signed with EC2 keys',
    body: Body,
    async handle({ body }) {
      const { access, signature, verb = '', host = '', path = '', params, headers, body_hash: bodyHash = '' } = signedIn(body)
      if (access === undefined || signature === undefined) throw refused()
      const request = { access, signature, verb, host, path, params: texts(params), headers: texts(headers), bodyHash }
      return answer(await ec2.ofRequest(request), { withToken: true })
    },
  }),
  endpoint({
    on: 'POST /s3tokens',
    policy: 'identity:s3tokens_validate',
    summary: 'Check what a client of S3 signed',
    body: Body,
    async handle({ body }) {
      const { access, signature, token } = signedIn(body)
      if (access === undefined || signature === undefined || token === undefined) throw refused()
      const issued = await ec2.ofText({ access, signature, text: Buffer.from(token, 'base64url') })
      return answer(issued, { withToken: false })
    },
  }),
]
