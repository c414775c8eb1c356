import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { Problem } from '../../../kit/errors.ts'

const invalid = (why: string) => new Problem('invalid', `Keypair data is invalid: ${why}`)

/** Colon-separated MD5 of an SSH key's blob (RFC 4716 section 4): what compute has always called its fingerprint. */
export function sshFingerprint(publicKey: string): string {
  const [type, data] = publicKey.trim().split(/\s+/)
  if (!type || !data || !/^[A-Za-z0-9+/]+=*$/.test(data)) throw invalid('failed to generate fingerprint')
  const blob = Buffer.from(data, 'base64')
  // The blob begins with the name of its own type (RFC 4253 section 6.6): certificates and plain keys alike.
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0
  const named = blob.subarray(4, 4 + length).toString('latin1')
  if (length === 0 || length > 64 || blob.length <= 4 + length || named !== type) throw invalid('failed to generate fingerprint')
  return pairs(createHash('md5').update(blob).digest('hex'))
}

/** Colon-separated SHA-1 of a certificate. */
export function certificateFingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.toLowerCase()
  } catch (error) {
    throw new Problem('invalid', 'Keypair data is invalid: failed to generate X509 fingerprint.', { cause: error })
  }
}

const pairs = (hex: string) => hex.match(/../g)!.join(':')

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A number as SSH writes it (RFC 4251 mpint): never taken for negative. */
const mpint = (bytes: Buffer) => field(bytes[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)

/** A new RSA key of 2048 bits: the private half in PEM (PKCS 1), the public one in OpenSSH's form. Clients before 2.92 ask for it. */
export function generateSshKey(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65537 })
  const { n, e } = publicKey.export({ format: 'jwk' })
  const blob = Buffer.concat([
    field(Buffer.from('ssh-rsa')),
    mpint(Buffer.from(e!, 'base64url')),
    mpint(Buffer.from(n!, 'base64url')),
  ])
  return {
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
    publicKey: `ssh-rsa ${blob.toString('base64')} Generated-by-Nova`,
  }
}
