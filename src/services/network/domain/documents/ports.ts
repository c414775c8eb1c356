import type { Desired, HostPort } from '../../../../agents/document.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { PortRow } from '../../tables.ts'
import { deviceOf } from '../devices.ts'
import { type AddressPair, isOurs } from '../ports.ts'
import type { On } from '../store.ts'
import { heldBy, networksBy } from './held.ts'
import { rulesOf } from './rules.ts'
import { segmentsOf } from './segments.ts'

/** What the switch of a host should have. A handful of queries, however many ports; what many ports have in common is said once. */
export async function desiredPorts(on: On, host: string): Promise<Desired<HostPort>> {
  const ports = await on
    .selectFrom('network_port')
    .selectAll()
    .where((port) => port.or([port('host', '=', host), port('open_host', '=', host)]))
    .orderBy('created_at')
    .execute()
  const ids = ports.map((port) => port.id)
  const networks = await networksBy(
    on,
    ports.map((port) => port.network_id),
  )
  const segments = await segmentsOf(on, host, [...networks.values()])
  const held = await heldBy(on, ids)
  const servers = await serversPorts(on, ids)
  const { groupsOf, groups, members } = await rulesOf(
    on,
    ports.filter((port) => port.port_security === 1).map((port) => port.id),
  )
  const items = ports.map((port): HostPort => {
    const move = moveOf(port, host)
    return {
      id: port.id,
      // A server's port stays one, whatever its user calls it (OSSA-2015-018, CVE-2026-50266).
      kind: isOurs(port.device_owner) && !servers.has(port.id) ? 'internal' : 'vm',
      device: deviceOf(port),
      mac: port.mac,
      addresses: (held.get(port.id) ?? []).map((one) => one.ip),
      allowedPairs: fromJson<AddressPair[]>(port.allowed_pairs).map(({ ip, mac }) => ({ ip, mac: mac ?? port.mac })),
      adminUp: port.admin_state_up === 1 && networks.get(port.network_id)!.admin_state_up === 1,
      guarded: port.port_security === 1,
      groups: groupsOf.get(port.id) ?? [],
      networkId: port.network_id,
      ...(move && { move }),
    }
  })
  return { complete: true, items, shared: { segments, groups, members } }
}

const moveOf = (port: PortRow, host: string): HostPort['move'] => {
  if (port.open_host === '') return undefined
  return port.open_host === host ? 'comes' : 'leaves'
}

async function serversPorts(on: On, ports: string[]): Promise<Set<string>> {
  if (ports.length === 0) return new Set()
  const rows = await on.selectFrom('network_nic').select('port_id').where('port_id', 'in', ports).execute()
  return new Set(rows.map((row) => row.port_id))
}
