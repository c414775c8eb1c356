import { BlockList, isIP, isIPv4 } from 'node:net'

/** IANA's special-purpose registries (RFC 6890 and its updates): nothing of them is a public host; the IPv6 ones that carry an IPv4 address are refused whole. */
const special: [address: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')

/** Throws on what is no `address` or `address/prefix`. */
export function addressList(texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    if (isIP(address) === 0) throw new Error(`${text} is no address and no network`)
    list.addSubnet(address, prefix === undefined ? (isIPv4(address) ? 32 : 128) : Number(prefix), family(address))
  }
  return list
}

/** Whether an address belongs to the public Internet, or to the networks allowed beside it. */
export function openAddresses(allowed: readonly string[] = []): (address: string) => boolean {
  const [closed, open] = [addressList(special.map(([address, prefix]) => `${address}/${prefix}`)), addressList(allowed)]
  return (address) => {
    const plain = unmapped(address)
    if (isIP(plain) === 0) return false
    return open.check(plain, family(plain)) || !closed.check(plain, family(plain))
  }
}

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are 127.0.0.1. */
function unmapped(address: string): string {
  const [, dotted, high, low] = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address) ?? []
  if (dotted !== undefined) return dotted
  if (high === undefined || low === undefined) return address
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}
