import { BlockList } from 'node:net'
import type { Exec } from '../../kit/exec/exec.ts'
import type { Uplink } from '../answers/cards.ts'
import type { Settings } from '../answers/settings.ts'

export type HostProblem = { what: string; remedy: string }

/** What a host says of its network cards. */
export type CardsSeen = {
  /** Every IPv4 address, with its interface. */
  pairs: [name: string, address: string][]
  cards: string[]
  /** Bridge of the switch by card. */
  bridged: Map<string, string>
}

/** Prints a pair. */
export const sayScript = `say() { printf '%s=%s\\n' "$1" "$2"; }`

/** What was said, by key. */
export function readSaid(text: string): (key: string) => string[] {
  const pairs = text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  return (key) => pairs.filter(([name]) => name === key).map(([, value]) => value)
}

/** Cards of this machine. */
export const lookAtCards = async (exec: Exec): Promise<CardsSeen> =>
  readCards(readSaid(await exec.run(['sh', '-s'], { input: `${sayScript}\n${cardScript}true\n` })))

/** For a shell; lines of `say`. Ports of br-int and br-tun are not cards, and may be many. */
export const cardScript = `
for card in /sys/class/net/*; do say card "\${card##*/}"; done
ip -4 -o address show 2>/dev/null | while read -r _ device _ address _; do say address "$device \${address%/*}"; done
for bridge in $(ovs-vsctl --timeout=3 list-br 2>/dev/null); do
  case $bridge in br-int|br-tun) continue ;; esac
  for port in $(ovs-vsctl --timeout=3 list-ports "$bridge"); do [ ! -e "/sys/class/net/$port" ] || say bridged "$port $bridge"; done
done
`

/** `all`: values of a key that was said. */
export const readCards = (all: (key: string) => string[]): CardsSeen => {
  const pairs = (key: string) => all(key).map((pair) => pair.split(' ', 2) as [string, string])
  return { cards: all('card'), pairs: pairs('address'), bridged: new Map(pairs('bridged')) }
}

export type CardsWanted = Pick<Settings, 'tunnelInterface' | 'tunnelSubnets'> & { uplinks: readonly Uplink[] }

/** Cards of a host: of bridges that it has. */
export const cardsWanted = (settings: Settings, isNetworkHost: boolean): CardsWanted => {
  const bridges = Object.values(mappingsOf(settings, isNetworkHost))
  return { ...settings, uplinks: settings.uplinks.filter(({ bridge }) => bridges.includes(bridge)) }
}

/** A host without routers has the bridges that are named for it; where none are, all but the one to the outside. */
export function mappingsOf(
  { bridgeMappings, computeBridges, externalBridge }: Settings,
  isNetworkHost: boolean,
): Record<string, string> {
  const has = (bridge: string) =>
    isNetworkHost || (computeBridges.length > 0 ? computeBridges.includes(bridge) : bridge !== externalBridge.bridge)
  return Object.fromEntries(Object.entries(bridgeMappings).filter(([, bridge]) => has(bridge)))
}

/** A card that is part of a bridge has left its address to it. */
const addressOf = ({ pairs, bridged }: CardsSeen, card: string): string | undefined =>
  [card, bridged.get(card)].flatMap((name) => pairs.find(([device]) => device === name) ?? [])[1]

/** Where tunnels of the host begin, as far as the answers say so. */
export function tunnelAddress(seen: CardsSeen, { tunnelInterface, tunnelSubnets }: CardsWanted): string | undefined {
  const isAmong = within(tunnelSubnets)
  if (tunnelInterface !== '') return addressOf(seen, tunnelInterface)
  return tunnelSubnets.length === 0 ? undefined : seen.pairs.map(([, address]) => address).find(isAmong)
}

function within(subnets: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [ip = '', prefix] = subnet.split('/')
    list.addSubnet(ip, Number(prefix))
  }
  return (address) => list.check(address)
}

/** What the answers want of the host's cards and it does not have. */
export function cardTroubles(seen: CardsSeen, wanted: CardsWanted): HostProblem[] {
  const { uplinks, tunnelInterface, tunnelSubnets } = wanted
  const has = `It has: ${seen.cards.filter((card) => card !== 'lo').join(', ')}.`
  const missing = uplinks.filter(({ nic }) => !seen.cards.includes(nic))
  const elsewhere = uplinks.filter(({ nic, bridge }) => (seen.bridged.get(nic) ?? bridge) !== bridge)
  const address = tunnelAddress(seen, wanted)
  const isOutside = tunnelSubnets.length > 0 && (address === undefined || !within(tunnelSubnets)(address))
  return [
    ...missing.map(({ nic, bridge }) => ({
      what: `it has no network card ${nic}, which is to be part of ${bridge}`,
      remedy: `${has} See CONFIG_NEUTRON_OVS_BRIDGE_IFACES.`,
    })),
    ...elsewhere.map(({ nic, bridge }) => ({
      what: `its network card ${nic} is part of ${seen.bridged.get(nic)}, and is to be part of ${bridge}`,
      remedy: `ovs-vsctl del-port ${nic}, if nobody needs it there.`,
    })),
    ...(tunnelInterface !== '' && address === undefined
      ? [
          {
            what: `its interface ${tunnelInterface} has no IPv4 address, and is to carry tunnels`,
            remedy: `It has: ${[...new Set(seen.pairs.map(([name]) => name))].join(', ')}. See CONFIG_NEUTRON_OVS_TUNNEL_IF.`,
          },
        ]
      : isOutside
        ? [
            {
              what: `${address === undefined ? 'it has no address' : `its tunnels would begin at ${address}, which is not`} within ${tunnelSubnets.join(', ')}`,
              remedy: 'See CONFIG_NEUTRON_OVS_TUNNEL_SUBNETS.',
            },
          ]
        : []),
  ]
}

/** In the plan: what becomes of cards that are not where they are to be. */
export const cardLines = (seen: CardsSeen, { uplinks }: CardsWanted): string[] =>
  uplinks
    .filter(({ nic, bridge }) => seen.bridged.get(nic) !== bridge)
    .map(({ nic, bridge }) => {
      const addresses = seen.pairs.filter(([device]) => device === nic).map(([, address]) => address)
      const what = addresses.length === 0 ? '' : `, and its address ${addresses.join(', ')} goes to the bridge`
      return `           ${nic} becomes part of ${bridge}${what}`
    })
