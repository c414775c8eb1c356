/** What a network card has that goes with it when it becomes part of a bridge: texts as ip(8) takes them, without the device. Pure. */
export type Holding = { addresses: string[]; routes: string[] }

/** A device as `ip -j -d address show` tells it. */
export type Device = {
  ifname: string
  address: string
  mtu: number
  master?: string
  linkinfo?: { info_kind?: string }
  addr_info?: AddressJson[]
}

type AddressJson = {
  family: 'inet' | 'inet6'
  local: string
  prefixlen: number
  scope: string
  address?: string
  broadcast?: string
  noprefixroute?: boolean
  metric?: number
  valid_life_time: number
}

/** A route as `ip -j route show table all dev …` tells it. */
export type RouteJson = {
  type?: string
  dst: string
  gateway?: string
  via?: { host: string }
  table?: string
  protocol?: string
  scope?: string
  prefsrc?: string
  metric?: number
  flags?: string[]
}

const forever = 4_294_967_295

const addressText = ({ local, prefixlen, address, broadcast, noprefixroute, metric, family }: AddressJson): string =>
  [
    address === undefined ? `${local}/${prefixlen}` : `${local} peer ${address}/${prefixlen}`,
    ...(broadcast === undefined ? [] : [`broadcast ${broadcast}`]),
    ...(metric === undefined ? [] : [`metric ${metric}`]),
    ...(noprefixroute ? ['noprefixroute'] : []),
    // Nobody else has it: it was ours all the time.
    ...(family === 'inet6' ? ['nodad'] : []),
  ].join(' ')

const routeText = (version: 4 | 6, { dst, gateway, via, table, protocol, scope, prefsrc, metric, flags = [] }: RouteJson) =>
  [
    dst === 'default' ? (version === 4 ? '0.0.0.0/0' : '::/0') : dst,
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    ...(via === undefined ? [] : [`via inet6 ${via.host}`]),
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(protocol === undefined ? [] : [`proto ${protocol}`]),
    ...(scope === undefined ? [] : [`scope ${scope}`]),
    ...(prefsrc === undefined ? [] : [`src ${prefsrc}`]),
    ...(metric === undefined ? [] : [`metric ${metric}`]),
    ...(flags.includes('onlink') ? ['onlink'] : []),
  ].join(' ')

/** Routes the kernel makes by itself come with the address; those of a link-local or multicast kind belong to every device. */
const isOwn = ({ type = 'unicast', dst, protocol }: RouteJson, hasOwnPrefixes: boolean) =>
  type === 'unicast' && !dst.startsWith('fe80:') && !dst.startsWith('ff00:') && (protocol !== 'kernel' || hasOwnPrefixes)

/** Addresses that others may use; link-local ones stay, the bridge has its own. */
const movable = (device: Device): AddressJson[] =>
  (device.addr_info ?? []).filter(({ scope, local }) => scope !== 'link' && scope !== 'host' && !local.startsWith('fe80:'))

/** Routes to a gateway come last: they need the others. */
export function holdingOf(device: Device, routes4: readonly RouteJson[], routes6: readonly RouteJson[]): Holding {
  const addresses = movable(device)
  const hasOwnPrefixes = addresses.some(({ noprefixroute }) => noprefixroute)
  const texts = (version: 4 | 6, all: readonly RouteJson[]) =>
    [...all]
      .filter((route) => isOwn(route, hasOwnPrefixes))
      .sort((a, b) => Number(a.gateway !== undefined) - Number(b.gateway !== undefined))
      .map((route) => routeText(version, route))
  return { addresses: addresses.map(addressText), routes: [...texts(4, routes4), ...texts(6, routes6)] }
}

/** Whether an address comes from a DHCP client or router advertisements, which go on giving it to the card. */
export const isLeased = (device: Device): boolean => movable(device).some((one) => one.valid_life_time < forever)

/** `192.0.2.7/24` of an address's text. */
export const bare = (address: string): string => address.split(' ')[0] ?? ''

/** Addresses of a device, bare. */
export const bareAddresses = (device: Device | undefined): string[] =>
  (device ? movable(device) : []).map(({ local, prefixlen }) => `${local}/${prefixlen}`)

export const gatewaysOf = ({ routes }: Holding): string[] => [
  ...new Set(routes.flatMap((route) => /\bvia (?!inet6 )(\S+)/.exec(route)?.[1] ?? [])),
]

/** What was moved before and what the card was given since: by whom the card is addressed anew at each boot. */
export const together = (before: Holding, now: Holding): Holding => {
  const kept = before.addresses.filter((one) => !now.addresses.some((other) => bare(other) === bare(one)))
  const isKnown = (route: string) => now.routes.some((other) => keyOf(other) === keyOf(route))
  return {
    addresses: [...now.addresses, ...kept],
    routes: [...before.routes.filter((route) => !isKnown(route)), ...now.routes].sort(
      (a, b) => Number(a.includes(' via ')) - Number(b.includes(' via ')),
    ),
  }
}

/** Two routes with one key stand in each other's place. */
const keyOf = (route: string) =>
  `${route.split(' ')[0]} ${/table \S+/.exec(route)?.[0] ?? ''} ${/metric \S+/.exec(route)?.[0] ?? ''}`

/** Lines for `ip -batch`: first everything is there twice, then on the new device only, so that at no time there is no way out. */
export function moveLines({ addresses, routes }: Holding, from: string, to: string): string[] {
  return [
    `link set dev ${to} up`,
    ...addresses.map((address) => `address replace ${address} dev ${to}`),
    ...routes.map((route) => `route replace ${route} dev ${to}`),
    ...routes.map((route) => `route delete ${route} dev ${from}`),
    ...addresses.map((address) => `address delete ${bareWithPeer(address)} dev ${from}`),
  ]
}

const bareWithPeer = (address: string) => /^\S+ peer \S+/.exec(address)?.[0] ?? bare(address)
