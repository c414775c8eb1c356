import { createHmac } from 'node:crypto'
import { versionFourKey } from './ec2-signature.ts'

/** The signature of what an S3 service says was signed: version 1 (HMAC-SHA1 of any text) or 4. Undefined when the text is neither. */
export function s3Signature(text: Buffer, secret: string): string | undefined {
  if (text.subarray(0, 4).toString() !== 'AWS4') return createHmac('sha1', secret).update(text).digest('base64')
  const lines = text.toString('utf8').split('\n')
  const [date = '', region = '', service = '', end, ...rest] = (lines[2] ?? '').split('/')
  if (lines.length !== 4 || lines[0] !== 'AWS4-HMAC-SHA256' || end !== 'aws4_request' || rest.length > 0) return undefined
  if (!['s3', 'iam', 'sts'].includes(service)) return undefined
  return createHmac('sha256', versionFourKey(secret, [date, region, service]))
    .update(text)
    .digest('hex')
}
