import type { Uplinks } from './flows/pipeline.ts'
import type { Json } from './ovsdb/connection.ts'
import { type Database, many, map, type Operation, optional, type Row } from './ovsdb/database.ts'
import { infrastructure, join } from './ports.ts'

export type BridgeOptions = {
  integration: string
  /** Physical network to bridge. */
  mappings: Record<string, string>
  tunnelIp: string | undefined
  datapath: 'system' | 'netdev'
}

/** ct() needs a newer OpenFlow than the default; bundles need the newest. */
const protocols: Json = ['set', ['OpenFlow10', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15']]

const newBridge = (name: string, options: BridgeOptions): Operation[] => [
  { op: 'insert', table: 'Interface', 'uuid-name': 'newlink', row: { name, type: 'internal' } },
  { op: 'insert', table: 'Port', 'uuid-name': 'newport', row: { name, interfaces: ['named-uuid', 'newlink'] } },
  {
    op: 'insert',
    table: 'Bridge',
    'uuid-name': 'newbridge',
    row: {
      name,
      ports: ['named-uuid', 'newport'],
      external_ids: infrastructure,
      ...(options.datapath === 'netdev' ? { datapath_type: 'netdev' } : {}),
      // Without our flows br-int passes nothing on. Outer bridges are plain switches, so that they work while we are away.
      ...(name === options.integration ? { fail_mode: 'secure', protocols } : { fail_mode: 'standalone' }),
    },
  },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['set', [['named-uuid', 'newbridge']]]]] },
]

const name15 = (prefix: string, bridge: string) => `${prefix}${bridge}`.slice(0, 15)
/** The two ends of the patch between br-int and an outer bridge. */
const patchNames = (bridge: string): { inner: string; outer: string } => ({
  inner: name15('int-', bridge),
  outer: name15('phy-', bridge),
})
const tunnelName = (type: string) => `${type}-tun`

const has = async (database: Database, table: string, name: string) =>
  (await database.select(table, ['name'], [['name', '==', name]])).length > 0

async function ensureBridge(database: Database, name: string, options: BridgeOptions): Promise<void> {
  const [row] = await database.select('Bridge', ['datapath_type', 'protocols', 'fail_mode'], [['name', '==', name]])
  if (!row) return database.change(newBridge(name, options))
  if (name !== options.integration) return
  const fine = optional(row['fail_mode']) === 'secure' && many(row['protocols']).length >= 4
  if (!fine)
    await database.change([
      { op: 'update', table: 'Bridge', where: [['name', '==', name]], row: { fail_mode: 'secure', protocols } },
    ])
}

async function ensurePatch(database: Database, inside: string, outside: string): Promise<void> {
  const { inner, outer } = patchNames(outside)
  const end = (peer: string) => ({ type: 'patch', options: map({ peer }) })
  const mark = { external_ids: infrastructure }
  if (!(await has(database, 'Port', inner))) await database.change(join(inside, inner, end(outer), mark))
  if (!(await has(database, 'Port', outer))) await database.change(join(outside, outer, end(inner), mark))
}

/** Bridges and the patches between them. */
export async function ensureBridges(database: Database, options: BridgeOptions): Promise<void> {
  await ensureBridge(database, options.integration, options)
  for (const outside of new Set(Object.values(options.mappings))) {
    await ensureBridge(database, outside, options)
    await ensurePatch(database, options.integration, outside)
  }
}

/** One port for all tunnels of a type, in br-int itself: which host a packet goes to is said by flows, and there is no br-tun. */
export async function ensureTunnel(database: Database, type: string, { integration, tunnelIp }: BridgeOptions): Promise<void> {
  if (tunnelIp === undefined) return
  const name = tunnelName(type)
  if (await has(database, 'Port', name)) return
  const options = map({ remote_ip: 'flow', key: 'flow', local_ip: tunnelIp })
  await database.change(join(integration, name, { type, options }, { external_ids: infrastructure }))
}

/** Numbers of what leads out of br-int, as the switch has them now. */
export function readUplinks(interfaces: Row[], mappings: Record<string, string>): Uplinks {
  const numbers = new Map(interfaces.map((row) => [String(row['name']), Number(optional(row['ofport']) ?? 0)]))
  const known = (names: [string, string][]) =>
    Object.fromEntries(names.flatMap(([of, name]) => ((numbers.get(name) ?? 0) > 0 ? [[of, numbers.get(name)!]] : [])))
  return {
    physical: known(Object.entries(mappings).map(([network, bridge]) => [network, patchNames(bridge).inner])),
    tunnel: known(['vxlan', 'gre', 'geneve'].map((type) => [type, tunnelName(type)])),
  }
}
