import { isIP } from 'node:net'

/** A network card that is to be part of a bridge. */
export type Uplink = { bridge: string; nic: string }

type Wrong = (what: string) => void

const longest = 15

/** `bridge:card` pairs. A card can be in one bridge only, and a bridge with two cards may close a ring among the switches outside. */
export function uplinksOf(words: readonly string[], bridges: readonly string[], wrong: Wrong): Uplink[] {
  const taken = new Set<string>()
  return words.flatMap((word): Uplink[] => {
    const [bridge = '', nic = '', ...more] = word.split(':').map((part) => part.trim())
    const trouble =
      bridge === '' || nic === '' || more.length > 0 || nic.length > longest
        ? `"${word}" is no pair; allowed is bridge:card, such as br-eth1:eth1`
        : !bridges.includes(bridge)
          ? `the bridge ${bridge} is in no mapping; there are: ${bridges.join(', ') || 'none'} (CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS)`
          : taken.has(bridge)
            ? `${bridge} has two cards; one is allowed: make a bond of them first`
            : taken.has(nic)
              ? `${nic} is to be in two bridges`
              : undefined
    taken.add(bridge).add(nic)
    if (trouble === undefined) return [{ bridge, nic }]
    wrong(trouble)
    return []
  })
}

export function computeBridgesOf(words: readonly string[], bridges: readonly string[], wrong: Wrong): string[] {
  for (const word of words)
    if (!bridges.includes(word)) wrong(`the bridge ${word} is in no mapping; there are: ${bridges.join(', ')}`)
  return [...words]
}

export function subnetsOf(words: readonly string[], wrong: Wrong): string[] {
  const isSubnet = (word: string) => {
    const [ip = '', prefix = ''] = word.split('/')
    return isIP(ip) === 4 && /^\d+$/.test(prefix) && Number(prefix) <= 32
  }
  for (const word of words) if (!isSubnet(word)) wrong(`"${word}" is no subnet; allowed is such as 192.168.10.0/24`)
  return words.filter(isSubnet)
}
