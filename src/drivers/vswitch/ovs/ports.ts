import type { SwitchPort } from '../driver.ts'
import type { Json } from './ovsdb/connection.ts'
import { many, map, type Operation, optional, type Row, record, uuidOf } from './ovsdb/database.ts'

/** A port of ours as the database has it. */
export type PortRow = {
  id: string
  kind: 'vm' | 'internal'
  device: string
  networkId: string
  guarded: boolean
  bridge: string
  /** 0: the switch could not open the device. */
  ofport: number
  vlan: number
  zone: number
  mac: string
  mtu: number
  error: string | undefined
}

/** Keys of external_ids by which we know our own. */
const key = {
  what: 'altostack',
  id: 'altostack-port',
  kind: 'altostack-kind',
  network: 'altostack-network',
  zone: 'altostack-zone',
  guarded: 'altostack-guarded',
} as const

/** external_ids of a bridge or patch port that we made. */
export const infrastructure: Json = map({ [key.what]: 'infrastructure' })

export const isInfrastructure = (port: Row): boolean => record(port['external_ids'])[key.what] === 'infrastructure'

export function readPorts(bridges: Row[], ports: Row[], interfaces: Row[]): PortRow[] {
  const bridgeOf = new Map(bridges.flatMap((row) => many(row['ports']).map((port) => [uuidOf(port), String(row['name'])])))
  const byUuid = new Map(interfaces.map((row) => [uuidOf(row['_uuid']), row]))
  return ports.flatMap((row) => {
    const ids = record(row['external_ids'])
    const link = byUuid.get(uuidOf(many(row['interfaces'])[0]))
    if (ids[key.what] !== 'port' || !link) return []
    const ofport = Number(optional(link['ofport']) ?? 0)
    const error = optional(link['error'])
    return {
      id: ids[key.id] ?? '',
      kind: ids[key.kind] === 'internal' ? 'internal' : 'vm',
      device: String(row['name']),
      networkId: ids[key.network] ?? '',
      guarded: ids[key.guarded] !== 'no',
      bridge: bridgeOf.get(uuidOf(row['_uuid'])) ?? '',
      ofport: ofport > 0 ? ofport : 0,
      vlan: Number(optional(row['tag']) ?? 0),
      zone: Number(ids[key.zone] ?? 0),
      mac: record(link['external_ids'])['attached-mac'] ?? '',
      mtu: Number(optional(link['mtu_request']) ?? 0),
      error: typeof error === 'string' && error !== '' ? error : undefined,
    }
  })
}

export type Numbers = { vlan: number; zone: number }

const lowestFree = (taken: ReadonlySet<number>, last: number): number => {
  for (let number = 1; number <= last; number++) if (!taken.has(number)) return number
  return 0
}

/** The port's local numbers: those it has, else its network's and the lowest free zone. 0: none is left. */
export function numbersOf(port: SwitchPort, rows: readonly PortRow[]): Numbers {
  const own = rows.find((row) => row.id === port.id)
  const mate = rows.find((row) => row.networkId === port.segment.networkId && row.vlan > 0)
  return {
    vlan: mate?.vlan ?? lowestFree(new Set(rows.map((row) => row.vlan)), 4094),
    zone: own && own.zone > 0 ? own.zone : lowestFree(new Set(rows.map((row) => row.zone)), 65_000),
  }
}

const portIds = (port: SwitchPort, { zone }: Numbers): Json =>
  map({
    [key.what]: 'port',
    [key.id]: port.id,
    [key.kind]: port.kind,
    [key.network]: port.segment.networkId,
    [key.zone]: String(zone),
    [key.guarded]: port.guarded ? 'yes' : 'no',
  })

const interfaceColumns = (port: SwitchPort): Record<string, Json> => ({
  external_ids: map({ 'iface-id': port.id, 'attached-mac': port.mac, 'iface-status': 'active' }),
  ...(port.kind === 'internal' ? { mtu_request: port.segment.mtu } : {}),
})

export const isCurrent = (row: PortRow, port: SwitchPort): boolean =>
  row.mac === port.mac && row.guarded === port.guarded && (port.kind === 'vm' || row.mtu === port.segment.mtu)

export function insertPort(bridge: string, port: SwitchPort, numbers: Numbers): Operation[] {
  const type = port.kind === 'internal' ? 'internal' : ''
  return join(
    bridge,
    port.device,
    { type, ...interfaceColumns(port) },
    { tag: numbers.vlan, external_ids: portIds(port, numbers) },
  )
}

export const updatePort = (port: SwitchPort, numbers: Numbers): Operation[] => [
  {
    op: 'update',
    table: 'Port',
    where: [['name', '==', port.device]],
    row: { external_ids: portIds(port, numbers), tag: numbers.vlan },
  },
  { op: 'update', table: 'Interface', where: [['name', '==', port.device]], row: interfaceColumns(port) },
]

/** Puts an interface into a bridge; several may be put in one transaction. */
export function join(bridge: string, name: string, link: Record<string, Json>, port: Record<string, Json>): Operation[] {
  const id = name.replace(/\W/g, '_')
  const [linkId, portId] = [`link_${id}`, `port_${id}`]
  return [
    { op: 'insert', table: 'Interface', 'uuid-name': linkId, row: { name, ...link } },
    { op: 'insert', table: 'Port', 'uuid-name': portId, row: { name, interfaces: ['named-uuid', linkId], ...port } },
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['name', '==', bridge]],
      mutations: [['ports', 'insert', ['set', [['named-uuid', portId]]]]],
    },
  ]
}

/** Takes ports out of their bridges; the database then forgets them. */
export const leave = (bridge: string, uuids: string[]): Operation[] => [
  {
    op: 'mutate',
    table: 'Bridge',
    where: [['name', '==', bridge]],
    mutations: [['ports', 'delete', ['set', uuids.map((uuid): Json => ['uuid', uuid])]]],
  },
]
