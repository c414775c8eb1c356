import type { NsLink, NsNat, NsRoute, NsShape } from '../../drivers/netns/driver.ts'
import type { Desired, HostRouter, RouterInterface } from '../document.ts'

export type RouterAction =
  | { do: 'remove'; namespace: string }
  | { do: 'shape'; router: HostRouter; namespace: string; shape: NsShape }

const prefix = 'qrouter-'
/** Where a router's metadata requests are turned to, as neutron's agent has it. */
export const metadataPort = 9697

export const namespaceOf = (routerId: string): string => `${prefix}${routerId}`
export const routerOf = (namespace: string): string | undefined =>
  namespace.startsWith(prefix) ? namespace.slice(prefix.length) : undefined

const isV6 = (ip: string) => ip.includes(':')

const link = ({ device, mac, mtu, addresses }: RouterInterface): NsLink => ({ device, mac, mtu, addresses: [...addresses] })

const floatingIn = (router: HostRouter): NsNat['floating'] =>
  router.floatingIps.map(({ floatingIp, fixedIp }) => ({ floatingIp, fixedIp }))

function externalLink(router: HostRouter): NsLink[] {
  if (!router.external) return []
  const outer = link(router.external)
  return [
    {
      ...outer,
      addresses: [...outer.addresses, ...router.floatingIps.map(({ floatingIp }) => ({ ip: floatingIp, prefix: 32 }))],
    },
  ]
}

const routes = ({ external, routes: own }: HostRouter): NsRoute[] => [
  ...(external?.gatewayIps ?? []).map((nexthop) => ({
    destination: isV6(nexthop) ? '::/0' : '0.0.0.0/0',
    nexthop,
    device: external?.device,
  })),
  ...own.map(({ destination, nexthop }) => ({ destination, nexthop, device: undefined })),
]

function nat(router: HostRouter): NsNat | undefined {
  if (!router.external) return undefined
  const { device, snat, addresses } = router.external
  const own = addresses.find(({ ip }) => !isV6(ip))?.ip
  return { external: device, snatTo: snat ? own : undefined, floating: floatingIn(router) }
}

/** The namespace that is this router. */
export const shapeOf = (router: HostRouter): NsShape => ({
  links: [...externalLink(router), ...router.internal.map(link)],
  routes: routes(router),
  forwards: true,
  nat: nat(router),
  metadataPort,
})

/** What this host must do to have these routers and no others. Pure. */
export function plan(desired: Desired<HostRouter>, namespaces: readonly string[]): RouterAction[] {
  const wanted = new Set(desired.items.map((router) => namespaceOf(router.id)))
  const left = desired.complete ? namespaces.filter((name) => routerOf(name) !== undefined && !wanted.has(name)) : []
  return [
    ...left.map((namespace): RouterAction => ({ do: 'remove', namespace })),
    ...desired.items.map(
      (router): RouterAction => ({ do: 'shape', router, namespace: namespaceOf(router.id), shape: shapeOf(router) }),
    ),
  ]
}
