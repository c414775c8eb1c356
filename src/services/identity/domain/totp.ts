import { createHmac, timingSafeEqual } from 'node:crypto'

const periodSeconds = 30
const digits = 6

/** RFC 6238 with HMAC-SHA1, 30 seconds and six digits: what authenticator programs take for granted. */
export function totpCode(key: Buffer, seconds: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / periodSeconds)))
  const mac = createHmac('sha1', key).update(counter).digest()
  const offset = mac[mac.length - 1]! & 15
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits
  return String(number).padStart(digits, '0')
}

/** Whether a code is of this moment or of the 30 seconds before; `secret` in base32, padded or not. */
export function isTotpCode(secret: string, code: string, seconds: number): boolean {
  const key = fromBase32(secret)
  if (!key || !/^\d{6}$/.test(code)) return false
  const windows = [seconds, seconds - periodSeconds].filter((at) => at >= 0)
  return windows.some((at) => timingSafeEqual(Buffer.from(totpCode(key, at)), Buffer.from(code)))
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648; undefined when it is none. */
export function fromBase32(text: string): Buffer | undefined {
  const letters = text.trim().replace(/=+$/, '')
  if (letters === '' || [...letters].some((letter) => !alphabet.includes(letter))) return undefined
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of letters) {
    held = (held << 5) | alphabet.indexOf(letter)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 255)
    held &= (1 << bits) - 1
  }
  return Buffer.from(bytes)
}
