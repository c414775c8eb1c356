import type { NsAddress, NsLink, NsRoute, NsShape } from '../driver.ts'

export type SeenLink = { device: string; mac: string; mtu: number; up: boolean; carrier: boolean; addresses: NsAddress[] }
export type SeenRoute = { destination: string; nexthop: string; device: string }
export type Seen = { links: SeenLink[]; routes: SeenRoute[] }

type LinkJson = {
  ifname?: string
  address?: string
  mtu?: number
  flags?: string[]
  addr_info?: { local?: string; prefixlen?: number; scope?: string }[]
}
type RouteJson = { dst?: string; gateway?: string; dev?: string; protocol?: string }

const parse = <Item>(text: string): Item[] => (text.trim() === '' ? [] : (JSON.parse(text) as Item[]))

/** Reads `ip -j addr`. Link-local addresses that the kernel made are not told. */
export const readLinks = (text: string): SeenLink[] =>
  parse<LinkJson>(text).flatMap(({ ifname, address = '', mtu = 0, flags = [], addr_info = [] }) =>
    ifname === undefined
      ? []
      : {
          device: ifname,
          mac: address,
          mtu,
          up: flags.includes('UP'),
          carrier: flags.includes('LOWER_UP'),
          addresses: addr_info
            .filter(({ local, scope }) => local !== undefined && !(scope === 'link' && local.startsWith('fe80')))
            .map(({ local = '', prefixlen = 0 }) => ({ ip: local, prefix: prefixlen })),
        },
  )

const withPrefix = (destination: string, nexthop: string) => {
  if (destination === 'default') return nexthop.includes(':') ? '::/0' : '0.0.0.0/0'
  if (destination.includes('/')) return destination
  return `${destination}/${destination.includes(':') ? 128 : 32}`
}

/** Reads `ip -j route`: only those with a gateway are somebody's wish. */
export const readRoutes = (text: string): SeenRoute[] =>
  parse<RouteJson>(text).flatMap(({ dst, gateway, dev }) =>
    dst === undefined || gateway === undefined
      ? []
      : { destination: withPrefix(dst, gateway), nexthop: gateway, device: dev ?? '' },
  )

const same = (one: NsAddress, two: NsAddress) => one.ip === two.ip && one.prefix === two.prefix
const text = ({ ip, prefix }: NsAddress) => `${ip}/${prefix}`

function linkChanges(wanted: NsLink, seen: SeenLink): string[] {
  const { device, mac, mtu, addresses } = wanted
  const extra = seen.addresses.filter((address) => !addresses.some((other) => same(address, other)))
  const missing = addresses.filter((address) => !seen.addresses.some((other) => same(address, other)))
  const rename = seen.mac === mac.toLowerCase() ? [] : [`link set dev ${device} down`, `link set dev ${device} address ${mac}`]
  return [
    ...rename,
    ...(seen.mtu === mtu ? [] : [`link set dev ${device} mtu ${mtu}`]),
    ...(seen.up && rename.length === 0 ? [] : [`link set dev ${device} up`]),
    ...extra.map((address) => `addr del ${text(address)} dev ${device}`),
    ...missing.map((address) => `addr replace ${text(address)} dev ${device}`),
  ]
}

/** Lines for `ip -batch` that make the links of a namespace what they should be. Devices that are not there are left out. */
export function linkLines({ links }: NsShape, seen: Seen): string[] {
  const here = new Map(seen.links.map((link) => [link.device, link]))
  const lo = here.get('lo')
  return [
    ...(lo && !lo.up ? ['link set dev lo up'] : []),
    ...links.flatMap((link) => {
      const found = here.get(link.device)
      return found ? linkChanges(link, found) : []
    }),
  ]
}

/** Addresses that were not there before: their neighbours have to hear of them. */
export const newAddresses = ({ links }: NsShape, seen: Seen): { device: string; ip: string }[] =>
  links.flatMap(({ device, addresses }) => {
    const old = seen.links.find((link) => link.device === device)?.addresses ?? []
    return addresses
      .filter((address) => !address.ip.includes(':') && !old.some((other) => same(address, other)))
      .map(({ ip }) => ({ device, ip }))
  })

/** Lines for `ip -batch` that make the routes what they should be. A route whose device is not there waits for it. */
export function routeLines({ routes }: NsShape, seen: Seen): string[] {
  const here = new Set(seen.links.map((link) => link.device))
  const usable = routes.filter(({ device }) => device === undefined || here.has(device))
  const matches = (route: NsRoute, other: SeenRoute) => route.destination === other.destination && route.nexthop === other.nexthop
  const extra = seen.routes.filter((other) => !usable.some((route) => route.destination === other.destination))
  const missing = usable.filter((route) => !seen.routes.some((other) => matches(route, other)))
  const family = (ip: string) => (ip.includes(':') ? '-6 ' : '')
  const device = (route: NsRoute) => (route.device === undefined ? '' : ` dev ${route.device} onlink`)
  return [
    ...extra.map(({ destination, nexthop }) => `${family(nexthop)}route del ${destination} via ${nexthop}`),
    ...missing.map((route) => `${family(route.nexthop)}route replace ${route.destination} via ${route.nexthop}${device(route)}`),
  ]
}
