import { constants, createVerify, type KeyObject, X509Certificate } from 'node:crypto'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'

/** Gives a certificate in PEM by its id, or undefined. */
export type Certificates = (id: string) => Promise<string | undefined>

export type Verifier = {
  feed(chunk: Uint8Array): void
  /** Throws invalid when the bytes are not what was signed. */
  verify(): void
}

/** A verifier for an image whose properties say that it is signed, else undefined. Throws invalid when what they say cannot be used. */
export type Signatures = (properties: Record<string, string>) => Promise<Verifier | undefined>

const names = ['img_signature', 'img_signature_hash_method', 'img_signature_key_type', 'img_signature_certificate_uuid'] as const
const hashes: Record<string, string> = { 'SHA-224': 'sha224', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' }

/** Glance's key types: kind of key, and for elliptic curves which. */
const keyTypes: Record<string, { key: string; curve?: string }> = {
  'RSA-PSS': { key: 'rsa' },
  DSA: { key: 'dsa' },
  ECC_SECT571K1: { key: 'ec', curve: 'sect571k1' },
  ECC_SECT409K1: { key: 'ec', curve: 'sect409k1' },
  ECC_SECT571R1: { key: 'ec', curve: 'sect571r1' },
  ECC_SECT409R1: { key: 'ec', curve: 'sect409r1' },
  ECC_SECP521R1: { key: 'ec', curve: 'secp521r1' },
  ECC_SECP384R1: { key: 'ec', curve: 'secp384r1' },
}

const unusable = (why: string, cause?: unknown) =>
  new Problem('invalid', `The signature of the image cannot be verified: ${why}.`, { cause })

/** An image is signed when all four properties are there. Without a source of certificates signatures are not looked at, as Glance does without a key manager. */
export function openSignatures(certificates: Certificates | undefined, clock: Clock): Signatures {
  return async (properties) => {
    if (!certificates || !names.every((name) => properties[name] !== undefined)) return undefined
    const [signature, hashMethod, keyType, certificateId] = names.map((name) => properties[name]!) as [
      string,
      string,
      string,
      string,
    ]
    const hash = hashes[hashMethod]
    const kind = keyTypes[keyType]
    if (hash === undefined) throw unusable(`${hashMethod} is no hash method`)
    if (kind === undefined) throw unusable(`${keyType} is no key type`)
    const key = keyOf(await certificates(certificateId), clock)
    if (key.asymmetricKeyType !== kind.key) throw unusable(`the certificate's key is no ${keyType}`)
    if (kind.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== kind.curve)
      throw unusable(`the certificate's key is no ${keyType}`)
    return openVerifier(key, hash, Buffer.from(signature, 'base64'))
  }
}

function keyOf(pem: string | undefined, clock: Clock): KeyObject {
  if (pem === undefined) throw unusable('its certificate is not known')
  const certificate = parse(pem)
  const now = clock.now() / 1000
  if (now < certificate.validFromDate.getTime()) throw unusable('its certificate is not valid yet')
  if (now > certificate.validToDate.getTime()) throw unusable('its certificate has expired')
  return certificate.publicKey
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw unusable('its certificate is none', error)
  }
}

function openVerifier(key: KeyObject, hash: string, signature: Buffer): Verifier {
  const verifying = createVerify(hash)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
  return {
    feed: (chunk) => void verifying.update(chunk),
    verify() {
      const good = verifying.verify(key.asymmetricKeyType === 'rsa' ? { key, ...pss } : key, signature)
      if (!good) throw new Problem('invalid', 'Signature verification for the image failed.')
    },
  }
}
