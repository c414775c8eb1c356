import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Fernet (github.com/fernet/spec): 0x80, seconds in 8 bytes, IV, AES-128-CBC with PKCS7, HMAC-SHA256 over all before it; base64url,
 * here without the padding, as identity's tokens are. A key is 16 bytes to sign and 16 to encrypt.
 */
export type FernetKey = Buffer

export const newFernetKey = (): FernetKey => randomBytes(32)

export function sealFernet(key: FernetKey, content: Buffer, seconds: number, iv = randomBytes(16)): string {
  const head = Buffer.alloc(9)
  head[0] = 0x80
  head.writeBigUInt64BE(BigInt(seconds), 1)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv)
  const signed = Buffer.concat([head, iv, cipher.update(content), cipher.final()])
  return Buffer.concat([signed, sign(key, signed)]).toString('base64url')
}

/** The content, and when it was sealed; undefined when none of the keys made it. */
export function openFernet(keys: FernetKey[], token: string): { content: Buffer; seconds: number } | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length < 73 || bytes[0] !== 0x80 || (bytes.length - 57) % 16 !== 0) return undefined
  const signed = bytes.subarray(0, -32)
  const key = keys.find((one) => timingSafeEqual(sign(one, signed), bytes.subarray(-32)))
  if (!key) return undefined
  try {
    const decipher = createDecipheriv('aes-128-cbc', key.subarray(16), signed.subarray(9, 25))
    const content = Buffer.concat([decipher.update(signed.subarray(25)), decipher.final()])
    return { content, seconds: Number(signed.readBigUInt64BE(1)) }
  } catch {
    return undefined
  }
}

const sign = (key: FernetKey, signed: Buffer): Buffer => createHmac('sha256', key.subarray(0, 16)).update(signed).digest()
