import { createHash } from 'node:crypto'
import type { NsNat, NsShape } from '../driver.ts'

export type Floating = NsNat['floating'][number]

/** Name of our table inside a namespace, and of the map from floating to fixed addresses. */
export const tableName = 'altostack'
export const mapName = 'floating'

const floatingMap = (floating: Floating[]): string[] => {
  const elements = floating.map(({ floatingIp, fixedIp }) => `${floatingIp} : ${fixedIp}`).join(', ')
  return [`  map ${mapName} { type ipv4_addr : ipv4_addr; ${elements === '' ? '' : `elements = { ${elements} }; `}}`]
}

const toFloating = (floating: Floating[]): string =>
  `{ ${floating.map(({ floatingIp, fixedIp }) => `${fixedIp} : ${floatingIp}`).join(', ')} }`

function sourceRules({ external, snatTo, floating }: NsNat): string[] {
  return [
    // From inside to inside, and not by way of a floating address: as it is.
    `    oifname != "${external}" ct status & dnat == 0 accept`,
    // What came in for a floating address keeps its sender.
    `    iifname "${external}" accept`,
    ...(floating.length === 0 ? [] : [`    snat to ip saddr map ${toFloating(floating)}`]),
    // Also for a floating address asked for from inside: the answer has to come back this way.
    ...(snatTo === undefined ? [] : [`    snat to ${snatTo}`]),
  ]
}

const chain = (name: string, hook: string, rules: string[]) => [
  `  chain ${name} {`,
  `    type ${hook}; policy accept;`,
  ...rules,
  '  }',
]

/** The rules of a namespace, without what replaces the old ones; undefined: it needs none. */
function rulesOf({ nat, metadataPort }: NsShape): string[] | undefined {
  if (!nat && metadataPort === undefined) return undefined
  const outer = nat ? `iifname != "${nat.external}" ` : ''
  const metadata =
    metadataPort === undefined ? [] : [`    ${outer}ip daddr 169.254.169.254 tcp dport 80 redirect to :${metadataPort}`]
  const door = metadataPort === undefined ? [] : [`    tcp dport ${metadataPort} ct status & dnat == 0 drop`]
  const translate = nat ? [`    dnat to ip daddr map @${mapName}`] : []
  return [
    ...floatingMap(nat?.floating ?? []),
    ...chain('arriving', 'nat hook prerouting priority -100', [...metadata, ...translate]),
    ...chain('own', 'nat hook output priority -100', translate),
    ...chain('leaving', 'nat hook postrouting priority 100', nat ? sourceRules(nat) : []),
    // Nobody comes to the metadata door but by its proper address: not from outside, not by a forged path.
    ...chain('door', 'filter hook input priority 0', door),
  ]
}

/**
 * What `nft -f -` takes to make the rules those of this shape, at once; `version` is the name of an empty chain by which the next round
 * knows them. Undefined: no rules.
 */
export function natRules(shape: NsShape): { version: string; text: string } | undefined {
  const rules = rulesOf(shape)
  if (!rules) return undefined
  const version = `v${createHash('sha256').update(rules.join('\n')).digest('hex').slice(0, 16)}`
  const replace = [`add table ip ${tableName}`, `delete table ip ${tableName}`]
  return { version, text: [...replace, `table ip ${tableName} {`, ...rules, `  chain ${version} { }`, '}', ''].join('\n') }
}
