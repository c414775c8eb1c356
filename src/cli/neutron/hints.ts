import type { Row } from '../output.ts'
import { pyText } from '../python.ts'
import { Refused } from '../session.ts'
import type { Ask, Cloud } from './command.ts'
import { listAll, Missing } from './command.ts'
import { Unclear } from './extra.ts'
import { nouns } from './nouns/nouns.ts'

/** Characters that text editors and web pages make of plain ones. */
const odd: Record<string, { name: string; plain: string }> = {
  '\u3001': { name: 'an ideographic comma (U+3001)', plain: '/' },
  '\uff0c': { name: 'a full-width comma (U+FF0C)', plain: ',' },
  '\uff0f': { name: 'a full-width slash (U+FF0F)', plain: '/' },
  '\uff1a': { name: 'a full-width colon (U+FF1A)', plain: ':' },
  '\uff0e': { name: 'a full-width stop (U+FF0E)', plain: '.' },
  '\u3002': { name: 'an ideographic stop (U+3002)', plain: '.' },
  '\uff1d': { name: 'a full-width equals sign (U+FF1D)', plain: '=' },
  '\u2013': { name: 'an en dash (U+2013)', plain: '-' },
  '\u2014': { name: 'an em dash (U+2014)', plain: '--' },
  '\u2018': { name: 'a curly quote (U+2018)', plain: "'" },
  '\u2019': { name: 'a curly quote (U+2019)', plain: "'" },
  '\u201c': { name: 'a curly quote (U+201C)', plain: '"' },
  '\u201d': { name: 'a curly quote (U+201D)', plain: '"' },
  '\u00a0': { name: 'a no-break space (U+00A0)', plain: ' ' },
}
const oddPattern = new RegExp(`[${Object.keys(odd).join('')}]`, 'gu')
const plainly = (word: string) => word.replace(oddPattern, (char) => odd[char]!.plain)

const oddWords = (words: readonly string[]): string[] =>
  words.flatMap((word) => {
    const found = word.match(oddPattern)
    return found ? [`"${word}" has ${odd[found[0]]!.name}: did you mean ${plainly(word)}?`] : []
  })

/** Settings of the server's files that are sometimes typed as if they were words of a command. */
const settings = [
  'tunnel_id_ranges',
  'enable_tunneling',
  'tunnel_type',
  'network_vlan_ranges',
  'bridge_mappings',
  'local_ip',
  'vni_ranges',
]
const tunnels = ['gre', 'vxlan', 'geneve']

function settingHints(command: string, words: readonly string[]): string[] {
  const found = settings.filter((name) => words.some((word) => word === name || word.startsWith(`${name}=`)))
  if (command !== 'net-create' || found.length === 0) return []
  const kind = words[words.indexOf('--provider:network_type') + 1] ?? 'gre'
  const isTunnel = tunnels.includes(kind)
  return [
    `options of a command begin with dashes; ${found.join(' and ')} ${found.length === 1 ? 'is a setting' : 'are settings'} of ovs_neutron_plugin.ini (today ml2_conf.ini), not of a network.`,
    ...(isTunnel && words.includes('--provider:physical_network')
      ? [`a ${kind} network lies on no physical network: leave --provider:physical_network out.`]
      : []),
    ...(isTunnel
      ? [`this works: neutron net-create ${nameIn(words)} --provider:network_type ${kind} --provider:segmentation_id N`]
      : []),
  ]
}

const nameIn = (words: readonly string[]) => words.find((word) => !word.startsWith('-')) ?? 'NAME'

/** What a user may have meant, after a command failed. Asks the cloud where that helps; never fails itself. */
export async function hintsFor(command: string, words: readonly string[], error: unknown, cloud: Cloud): Promise<string[]> {
  const hints = [...oddWords(words), ...settingHints(command, words)]
  if (error instanceof Unclear && error.hint !== '') hints.push(error.hint)
  if (error instanceof Missing) hints.push(...(await nearNames(error, cloud).catch(() => [])))
  if (error instanceof Refused && error.status === 400 && command === 'net-create' && settingHints(command, words).length === 0)
    hints.push(...physicalTunnel(words))
  return hints
}

function physicalTunnel(words: readonly string[]): string[] {
  const kind = words[words.indexOf('--provider:network_type') + 1] ?? ''
  if (!tunnels.includes(kind) || !words.some((word) => word.startsWith('--provider:physical_network'))) return []
  return [`a ${kind} network lies on no physical network: leave --provider:physical_network out.`]
}

async function nearNames({ noun, word }: Missing, cloud: Cloud): Promise<string[]> {
  if (noun.hasNames === false) return []
  const names = (await listAll(cloud, noun, { fields: 'name' })).map((row) => pyText(row['name']))
  const near = names.filter((name) => name.toLowerCase() === plainly(word).toLowerCase() && name !== word)
  return near.length === 0
    ? []
    : [`names are told apart by upper and lower case: did you mean ${[...new Set(near)].join(' or ')}?`]
}

/** For `--tenant-id` whose value was an empty variable, which the shell left out. */
export function emptyTenant(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === '--tenant-id' || word === '--tenant_id')
  const next = words[at + 1]
  if (words.includes('--tenant-id=') || words.includes('--tenant_id=')) return tenantAdvice
  return at >= 0 && (next === undefined || next === '' || next.startsWith('-')) ? tenantAdvice : undefined
}

const tenantAdvice =
  'the value of --tenant-id is empty: is the shell variable set? An id is told by: openstack project show -f value -c id NAME (set it so: tenant=$(openstack project show -f value -c id demo))'

/** Legal, yet probably not meant: says so and lets it pass. */
export async function checkSubnet(body: Row, ask: Ask): Promise<Row> {
  const { cloud, warn, values } = ask
  const id = String(body['network_id'])
  const [network] = await listAll(cloud, nouns['net']!, { id }).catch(() => [])
  if (!network) return body
  const troubles = [
    ...ownerTrouble(body, network),
    ...(await nameTrouble(body, network, cloud).catch(() => [])),
    ...(network['router:external'] && !body['allocation_pools'] && !values['subnetpool'] ? await poolTrouble(body, cloud) : []),
  ]
  for (const trouble of troubles) warn(`Warning: ${trouble}`)
  return body
}

function ownerTrouble(body: Row, network: Row): string[] {
  const owner = body['tenant_id']
  if (owner === undefined || owner === network['tenant_id'] || network['shared']) return []
  return [
    `the network ${network['name']} belongs to another project and is not shared: project ${owner} still cannot use it (neutron net-update ${network['name']} --shared=True).`,
  ]
}

async function nameTrouble(body: Row, network: Row, cloud: Cloud): Promise<string[]> {
  const name = String(body['name'] ?? '')
  const given = String(network['name'])
  if (name === '' || name.startsWith(given)) return []
  const names = (await listAll(cloud, nouns['net']!, { fields: 'name' })).map((row) => String(row['name'] ?? ''))
  const meant = names
    .filter((other) => other !== '' && other !== given && name.startsWith(other))
    .toSorted((a, b) => b.length - a.length)[0]
  return meant === undefined ? [] : [`the name ${name} suggests network ${meant}, the network given is ${given}.`]
}

const numberOf = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const isAddress = (text: unknown): text is string => typeof text === 'string' && /^\d{1,3}(\.\d{1,3}){3}$/.test(text)

/** An external range of its own accord covers every address of it: also those of the hosts. Only an administrator sees these. */
async function poolTrouble(body: Row, cloud: Cloud): Promise<string[]> {
  const [, base, bits] = /^([\d.]+)\/(\d+)$/.exec(String(body['cidr'] ?? '')) ?? []
  if (!isAddress(base)) return []
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(numberOf(base) / size) * size
  const within = (await hostAddresses(cloud)).filter(
    (address) => numberOf(address) > first && numberOf(address) < first + size - 1,
  )
  if (within.length === 0) return []
  const [from, to] = largestGap(
    first + 2,
    first + size - 2,
    [...within, ...(isAddress(body['gateway_ip']) ? [body['gateway_ip']] : [])].map(numberOf),
  )
  return [
    `the addresses given away will include ${within.length === 1 ? 'that of a host' : 'those of hosts'} (${within.join(', ')}): choose others with --allocation-pool start=${addressOf(from)},end=${addressOf(to)}`,
  ]
}

async function hostAddresses(cloud: Cloud): Promise<string[]> {
  const session = await cloud.session()
  type Hypervisors = { hypervisors: { host_ip: string }[] }
  const [agents, hypervisors] = await Promise.all([
    listAll(cloud, nouns['agent']!, {}).catch(() => []),
    session.request<Hypervisors>('compute', 'GET', '/os-hypervisors/detail').catch(() => ({ hypervisors: [] })),
  ])
  const tunnels = agents.map((row) => (row['configurations'] as Row | undefined)?.['tunneling_ip'])
  return [...new Set([...hypervisors.hypervisors.map((one) => one.host_ip), ...tunnels])]
    .filter(isAddress)
    .toSorted((a, b) => numberOf(a) - numberOf(b))
}

/** The longest run of numbers from `from` to `to` without those taken. */
export function largestGap(from: number, to: number, taken: number[]): [number, number] {
  const edges = [from - 1, ...taken.filter((one) => one >= from && one <= to).toSorted((a, b) => a - b), to + 1]
  let best: [number, number] = [from, from]
  for (let at = 1; at < edges.length; at++)
    if (edges[at]! - edges[at - 1]! - 2 > best[1] - best[0]) best = [edges[at - 1]! + 1, edges[at]! - 1]
  return best
}

const addressOf = (number: number) => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.')
