/** Addresses as numbers. Texts are canonical: dotted quads, and RFC 5952 for IPv6. */
export type Ip = { version: 4 | 6; value: bigint }
export type Cidr = { version: 4 | 6; first: bigint; last: bigint; prefix: number; text: string }

const bits = (version: 4 | 6) => (version === 4 ? 32 : 128)

/** An address; undefined: it is none. IPv4 needs four decimal parts without leading zeros. */
export function parseIp(text: string): Ip | undefined {
  if (text.includes(':')) {
    const value = parseV6(text)
    return value === undefined ? undefined : { version: 6, value }
  }
  const value = parseV4(text)
  return value === undefined ? undefined : { version: 4, value }
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n)
}

function parseV6(text: string): bigint | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups = [withV4(head!), withV4(tail ?? [])]
  if (groups.some((group) => group === undefined)) return undefined
  const [left, right] = groups as [string[], string[]]
  const gap = 8 - left.length - right.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined
  const all = [...left, ...Array<string>(gap).fill('0'), ...right]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n)
}

/** The last group may be an IPv4 address. */
function withV4(groups: string[]): string[] | undefined {
  const last = groups.at(-1)
  if (!last?.includes('.')) return groups
  const value = parseV4(last)
  if (value === undefined) return undefined
  return [...groups.slice(0, -1), (value >> 16n).toString(16), (value & 0xffffn).toString(16)]
}

export const formatIp = ({ version, value }: Ip): string => (version === 4 ? formatV4(value) : formatV6(value))

const formatV4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')

function formatV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(':')
  const zeros = groups.match(/(?<![0-9a-f])0(:0)+(?![0-9a-f])/g) ?? []
  const longest = zeros.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return groups
  const at = groups.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`))
  return `${groups.slice(0, at).replace(/:$/, '')}::${groups.slice(at + longest.length).replace(/^:/, '')}`
}

/** The canonical text of an address; undefined: it is none. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text)
  return ip && formatIp(ip)
}

/** A prefix whose host bits are zero or not: the text is always that of the network. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length, more] = text.split('/')
  const ip = parseIp(address)
  if (!ip || more !== undefined || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined
  const prefix = length === undefined ? bits(ip.version) : Number(length)
  if (prefix > bits(ip.version)) return undefined
  const size = 1n << BigInt(bits(ip.version) - prefix)
  const first = ip.value - (ip.value % size)
  return {
    version: ip.version,
    first,
    last: first + size - 1n,
    prefix,
    text: `${formatIp({ version: ip.version, value: first })}/${prefix}`,
  }
}

export const holds = (cidr: Cidr, ip: Ip): boolean =>
  ip.version === cidr.version && ip.value >= cidr.first && ip.value <= cidr.last

export const overlap = (a: Cidr, b: Cidr): boolean => a.version === b.version && a.first <= b.last && b.first <= a.last

export const ipAt = (cidr: Cidr, position: bigint): string => formatIp({ version: cidr.version, value: cidr.first + position })

/** The address a card makes for itself from a /64 and its MAC (RFC 4291, appendix A). */
export function eui64(cidr: Cidr, mac: string): string {
  const octets = mac.split(':').map((part) => BigInt(`0x${part}`))
  const [a, b, c, d, e, f] = octets as [bigint, bigint, bigint, bigint, bigint, bigint]
  const id = [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((sum, octet) => (sum << 8n) + octet, 0n)
  return formatIp({ version: 6, value: ((cidr.first >> 64n) << 64n) + id })
}
