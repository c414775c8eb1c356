import { isIP } from 'node:net'

export const isMac = (text: string): boolean => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)

/** 4 or 6 of an address or CIDR; 0 when it is neither. */
export function family(text: string): 0 | 4 | 6 {
  const [ip = '', bits, ...more] = text.split('/')
  const version = isIP(ip) as 0 | 4 | 6
  if (version === 0 || more.length > 0 || ip.includes('%')) return 0
  if (bits === undefined) return version
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128) ? version : 0
}

/** The link-local address a card makes of its own (RFC 4291, appendix A). */
export function linkLocal(mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16))
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes
  const word = (high: number, low: number) => ((high << 8) | low).toString(16)
  return `fe80::${word(a ^ 2, b)}:${word(c, 0xff)}:${word(0xfe, d)}:${word(e, f)}`
}

/** A range of 16-bit numbers as the fewest value/mask pairs. */
export function masks(from: number, to: number): string[] {
  const found: string[] = []
  for (let at = from; at <= to; ) {
    let size = 1
    while (at % (size * 2) === 0 && at + size * 2 - 1 <= to && size < 0x10000) size *= 2
    found.push(size === 1 ? `${at}` : `0x${at.toString(16)}/0x${(0x10000 - size).toString(16)}`)
    at += size
  }
  return found
}
