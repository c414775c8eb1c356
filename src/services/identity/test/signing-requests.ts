import { createHash, createHmac } from 'node:crypto'
import type { Client, Json } from '../../../../test/cloud.ts'
import type { IdentityCloud } from './signing-in.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** `20260101T000000Z` of a clock's microseconds. */
export const stampOf = (micros: number): string =>
  new Date(micros / 1000)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d{3}/, '')

/** What an EC2 service hands on of a GET signed with version 4, as the AWS documentation describes it. */
export function signedV4({ access, secret }: { access: string; secret: string }, stamp: string): Json {
  const scope = `${stamp.slice(0, 8)}/region/ec2/aws4_request`
  const canonical = ['GET', '/', 'Action=Foo', `host:cloud\nx-amz-date:${stamp}\n`, 'host;x-amz-date', hash('')].join('\n')
  const key = ['region', 'ec2', 'aws4_request'].reduce(mac, mac(`AWS4${secret}`, stamp.slice(0, 8)))
  const signature = mac(key, ['AWS4-HMAC-SHA256', stamp, scope, hash(canonical)].join('\n')).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${access}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`
  return {
    access,
    signature,
    host: 'cloud',
    verb: 'GET',
    path: '/',
    params: { Action: 'Foo' },
    headers: { Host: 'cloud', 'X-Amz-Date': stamp, Authorization: authorization },
    body_hash: hash(''),
  }
}

/** A token that a service got for a request signed with keys of this user. */
export async function ec2Token(
  cloud: IdentityCloud,
  { client, userId, projectId }: { client: Client; userId: string; projectId: string },
): Promise<Client & { token: string }> {
  const made = await client.identity.post(`/users/${userId}/credentials/OS-EC2`, { tenant_id: projectId })
  const credentials = signedV4(made.body.credential, stampOf(cloud.clock.now()))
  const answer = await cloud.service.identity.post('/ec2tokens', { credentials })
  if (answer.status !== 200) throw new Error(`no token: ${JSON.stringify(answer.body)}`)
  const token = answer.headers['x-subject-token']!
  return { ...cloud.withToken(token), token }
}
