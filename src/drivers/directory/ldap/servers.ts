import { BlockList, isIP } from 'node:net'
import type { DirectoryServer } from '../driver.ts'

/** `ldap://one,ldaps://two:1636`; undefined: not that. With `startTls`, plain ones are asked for TLS first (RFC 4511, 4.14), and `ldaps` makes no sense. */
export function parseServers(text: string, startTls: boolean): DirectoryServer[] | undefined {
  const urls = text.split(/[\s,]+/).filter((url) => url !== '')
  const servers = urls.map((url) => parseServer(url, startTls))
  return servers.length > 0 && servers.every((server) => server !== undefined) ? servers : undefined
}

function parseServer(text: string, startTls: boolean): DirectoryServer | undefined {
  const [, scheme, bracketed, plain, port] =
    /^(ldaps?):\/\/(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?\/?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1) return undefined
  const isLdaps = scheme!.toLowerCase() === 'ldaps'
  if (isLdaps && startTls) return undefined
  return { host, port: Number(port ?? (isLdaps ? 636 : 389)), tls: isLdaps ? 'ldaps' : startTls ? 'starttls' : 'none' }
}

const never: [address: string, prefix: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

/** No directory lives where a machine keeps what it knows of itself, nor at an address of nobody or of many. Private networks are where they do live. */
export function mayBeDirectory(address: string): boolean {
  const closed = new BlockList()
  for (const [network, prefix, family] of never) closed.addSubnet(network, prefix, family)
  const family = isIP(address)
  return family !== 0 && !closed.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
