import type { Uplinks } from './flows/pipeline.ts'
import type { TunnelDoors } from './flows/tunnels.ts'
import type { Json } from './ovsdb/connection.ts'
import { type Database, many, map, type Operation, optional, type Row } from './ovsdb/database.ts'
import { infrastructure, join } from './ports.ts'
import type { TunnelRow } from './tunnels.ts'

export type BridgeOptions = {
  integration: string
  /** Where the tunnels end. */
  tunnel: string
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
      // Without our flows br-int and br-tun pass nothing on. Outer bridges are plain switches, so that they work while we are away.
      ...(isInner(name, options) ? { fail_mode: 'secure', protocols } : { fail_mode: 'standalone' }),
    },
  },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['set', [['named-uuid', 'newbridge']]]]] },
]

const isInner = (name: string, { integration, tunnel }: BridgeOptions) => name === integration || name === tunnel

const name15 = (prefix: string, bridge: string) => `${prefix}${bridge}`.slice(0, 15)
/** The two ends of the patch between br-int and an outer bridge. */
const patchNames = (bridge: string): Patch => ({
  inner: name15('int-', bridge),
  outer: name15('phy-', bridge),
})
/** The two ends of the patch between br-int and br-tun, as users know them. */
const tunnelPatch = { inner: 'patch-tun', outer: 'patch-int' }

const has = async (database: Database, table: string, name: string) =>
  (await database.select(table, ['name'], [['name', '==', name]])).length > 0

export async function ensureBridge(database: Database, name: string, options: BridgeOptions): Promise<void> {
  const [row] = await database.select('Bridge', ['datapath_type', 'protocols', 'fail_mode'], [['name', '==', name]])
  if (!row) return database.change(newBridge(name, options))
  if (!isInner(name, options)) return
  const fine = optional(row['fail_mode']) === 'secure' && many(row['protocols']).length >= 4
  if (!fine)
    await database.change([
      { op: 'update', table: 'Bridge', where: [['name', '==', name]], row: { fail_mode: 'secure', protocols } },
    ])
}

type Patch = { inner: string; outer: string }

async function ensurePatch(database: Database, inside: string, outside: string, { inner, outer }: Patch): Promise<void> {
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
    await ensurePatch(database, options.integration, outside, patchNames(outside))
  }
  if (options.tunnelIp === undefined) return
  await ensureBridge(database, options.tunnel, options)
  await ensurePatch(database, options.integration, options.tunnel, tunnelPatch)
}

/** Numbers of what leads out of br-int and br-tun, as the switch has them now. `doors`: undefined where there is no br-tun. */
export function readUplinks(
  interfaces: Row[],
  tunnels: TunnelRow[],
  mappings: Record<string, string>,
): { uplinks: Uplinks; doors: TunnelDoors | undefined } {
  const numbers = new Map(interfaces.map((row) => [String(row['name']), Number(optional(row['ofport']) ?? 0)]))
  const numberOf = (name: string) => ((numbers.get(name) ?? 0) > 0 ? numbers.get(name) : undefined)
  const physical = Object.entries(mappings).map(([network, bridge]) => [network, numberOf(patchNames(bridge).inner)] as const)
  const inside = numberOf(tunnelPatch.outer)
  const ready = tunnels.filter((row) => row.ofport > 0).map((row) => [row.name, row.ofport] as const)
  return {
    uplinks: { physical: Object.fromEntries(physical.filter(hasNumber)), tunnel: numberOf(tunnelPatch.inner) },
    doors: inside === undefined ? undefined : { inside, tunnels: Object.fromEntries(ready) },
  }
}

const hasNumber = (pair: readonly [string, number | undefined]): pair is [string, number] => pair[1] !== undefined
