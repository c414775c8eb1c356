import { sql } from 'kysely'
import { toBit, toJson } from '../../../kit/db/columns.ts'
import { uuid } from '../../../kit/ids.ts'
import type { NetworkRow } from '../tables.ts'
import { dropDhcp } from './dhcp.ts'
import { badInput, fault, noNetwork } from './faults.ts'
import { networkRipple } from './ripples.ts'
import { mtuOf, type SegmentAsk, takeSegment } from './segments.ts'
import { given, newborn } from './standard.ts'
import type { Change, On } from './store.ts'
import { checkZones } from './zones.ts'

export type NetworkAsk = {
  name?: string | undefined
  description?: string | undefined
  adminUp?: boolean | undefined
  shared?: boolean | undefined
  external?: boolean | undefined
  isDefault?: boolean | undefined
  portSecurity?: boolean | undefined
  mtu?: number | undefined
  zoneHints?: string[] | undefined
  segment?: SegmentAsk | undefined
}

export const findNetwork = (on: On, id: string): Promise<NetworkRow | undefined> =>
  on.selectFrom('network_network').selectAll().where('id', '=', id).executeTakeFirst()

export async function createNetwork(change: Change, projectId: string, ask: NetworkAsk): Promise<NetworkRow> {
  const { tx, settings } = change
  await change.quota.allow(tx, projectId, { network: 1 })
  const { name = '', description = '' } = ask
  const row: NetworkRow = {
    ...newborn(change.now(), projectId, { name, description }, uuid()),
    admin_state_up: toBit(ask.adminUp ?? true),
    shared: toBit(ask.shared ?? false),
    external: toBit(ask.external ?? false),
    is_default: toBit(ask.isDefault ?? false),
    port_security: toBit(ask.portSecurity ?? true),
    mtu: 0,
    zone_hints: toJson(ask.zoneHints ?? []),
    type: '',
    physical_network: '',
    segmentation_id: -1,
  }
  checkZones(ask.zoneHints ?? [])
  if (row.is_default === 1) await checkOnlyDefault(change, row.id)
  await tx.insertInto('network_network').values(row).execute()
  const segment = await takeSegment(change, row.id, ask.segment)
  const columns = {
    type: segment.type,
    physical_network: segment.physicalNetwork,
    segmentation_id: segment.segmentationId,
    mtu: chosenMtu(mtuOf(settings, segment.type), ask.mtu),
  }
  await tx.updateTable('network_network').set(columns).where('id', '=', row.id).execute()
  return { ...row, ...columns }
}

/** IPv4 needs 68 bytes at least (RFC 791). Zero asks for the best there is. */
function chosenMtu(most: number, asked = 0): number {
  if (asked === 0) return most
  if (asked < 68) throw badInput('Requested MTU is too small, the minimum is 68')
  if (asked > most) throw badInput(`Requested MTU is too big, maximum is ${most}`)
  return asked
}

async function checkOnlyDefault({ tx }: Change, id: string): Promise<void> {
  const other = await tx
    .selectFrom('network_network')
    .select('id')
    .where('is_default', '=', 1)
    .where('id', '<>', id)
    .executeTakeFirst()
  if (other) throw fault('conflict', 'DefaultExternalNetworkExists', `A default external network already exists: ${other.id}.`)
}

export async function updateNetwork(change: Change, network: NetworkRow, patch: NetworkAsk): Promise<NetworkRow> {
  const { tx } = change
  if (patch.segment)
    throw badInput(
      'Plugin does not support updating the following provider network attributes: network_type, physical_network, segmentation_id',
    )
  if (patch.shared === false && network.shared === 1) await checkUnsharing(change, network)
  if (patch.external === false && network.external === 1) await checkNotUsedAsExternal(change, network)
  if (patch.isDefault) await checkOnlyDefault(change, network.id)
  const row = await tx
    .updateTable('network_network')
    .set({
      ...given<NetworkRow>({
        name: patch.name,
        description: patch.description,
        admin_state_up: bit(patch.adminUp),
        shared: bit(patch.shared),
        external: bit(patch.external),
        is_default: bit(patch.isDefault),
        port_security: bit(patch.portSecurity),
        mtu: patch.mtu === undefined ? undefined : chosenMtu(mtuOf(change.settings, network.type as never), patch.mtu),
      }),
      ...touched(change),
    })
    .where('id', '=', network.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noNetwork(network.id)
  await networkRipple(change, network.id)
  return row
}

const bit = (value: boolean | undefined) => (value === undefined ? undefined : toBit(value))

export const touched = (change: Pick<Change, 'now'>) => ({ updated_at: change.now(), revision: sql<number>`revision + 1` })

/** Others' ports and subnets must not be left on a network they could no longer see. */
async function checkUnsharing({ tx }: Change, { id, project_id }: NetworkRow): Promise<void> {
  const port = await tx
    .selectFrom('network_port')
    .select('id')
    .where('network_id', '=', id)
    .where('project_id', 'not in', [project_id, ''])
    .limit(1)
    .executeTakeFirst()
  if (port)
    throw fault(
      'conflict',
      'InvalidSharedSetting',
      `Unable to reconfigure sharing settings for network ${id}. Multiple tenants are using it.`,
    )
}

async function checkNotUsedAsExternal({ tx }: Change, { id }: NetworkRow): Promise<void> {
  const port = await tx
    .selectFrom('network_port')
    .select('id')
    .where('network_id', '=', id)
    .where('device_owner', 'in', ['network:router_gateway', 'network:floatingip'])
    .limit(1)
    .executeTakeFirst()
  if (port)
    throw fault(
      'conflict',
      'ExternalNetworkInUse',
      `External network ${id} cannot be updated to be made non-external, since it has existing gateway ports`,
    )
}

export async function deleteNetwork(change: Change, network: NetworkRow): Promise<void> {
  const { tx } = change
  const { id } = network
  const ports = await tx
    .selectFrom('network_port')
    .select('id')
    .where('network_id', '=', id)
    .where('device_owner', '<>', 'network:dhcp')
    .limit(5)
    .execute()
  if (ports.length > 0)
    throw fault(
      'conflict',
      'NetworkInUse',
      `Unable to complete operation on network ${id}. There are one or more ports still in use on the network, id for these ports is: ${ports.map((port) => port.id).join(',')}.`,
    )
  await dropDhcp(change, id)
  const subnets = tx.selectFrom('network_subnet').select('id').where('network_id', '=', id)
  await tx.deleteFrom('network_tag').where('resource_id', 'in', subnets).execute()
  await tx.deleteFrom('network_subnet').where('network_id', '=', id).execute()
  await tx.deleteFrom('network_segment').where('network_id', '=', id).execute()
  await tx.deleteFrom('network_tag').where('resource_id', '=', id).execute()
  await tx.deleteFrom('network_network').where('id', '=', id).execute()
}
