import { sql } from 'kysely'
import type { SegmentType } from '../../../agents/document.ts'
import { uuid } from '../../../kit/ids.ts'
import { badInput, fault } from './faults.ts'
import type { NetworkSettings } from './settings.ts'
import type { Change } from './store.ts'

export type SegmentAsk = { type: SegmentType; physicalNetwork: string; segmentationId: number | undefined }
/** `segmentationId` -1: this kind has none. */
export type SegmentTaken = { type: SegmentType; physicalNetwork: string; segmentationId: number }
type Range = { physicalNetwork: string; from: number; to: number }

export const segmentTypes: SegmentType[] = ['local', 'flat', 'vlan', 'gre', 'vxlan', 'geneve']
export const tunnelTypes: SegmentType[] = ['gre', 'vxlan', 'geneve']
export const isTunnelled = (type: string): boolean => tunnelTypes.some((one) => one === type)

const maxId: Record<SegmentType, number> = {
  local: 0,
  flat: 0,
  vlan: 4094,
  gre: 2 ** 32 - 1,
  vxlan: 2 ** 24 - 1,
  geneve: 2 ** 24 - 1,
}

/** Bytes each frame loses to its wrapping over IPv4: 20 of IP, and 30 of VXLAN and Geneve (RFC 7348, 8926) or 22 of GRE with a key. */
const overhead: Record<SegmentType, number> = { local: 0, flat: 0, vlan: 0, gre: 42, vxlan: 50, geneve: 50 }

export const mtuOf = (settings: NetworkSettings, type: SegmentType): number => settings.physicalMtu - overhead[type]

function rangesOf(settings: NetworkSettings, type: SegmentType): Range[] {
  if (type === 'vlan') return settings.vlanRanges
  const tunnels = type === 'gre' ? settings.tunnelIdRanges : settings.vniRanges
  return tunnels.map(([from, to]) => ({ physicalNetwork: '', from, to }))
}

/** The segment asked for, or one from the pools: taken for the network in this transaction. */
export async function takeSegment(change: Change, networkId: string, ask: SegmentAsk | undefined): Promise<SegmentTaken> {
  if (ask) return takeAsked(change, networkId, ask)
  for (const type of change.settings.tenantTypes) {
    const taken = await takeFree(change, networkId, type, undefined)
    if (taken) return taken
  }
  throw fault('unavailable', 'NoNetworkAvailable', 'Unable to create the network. No tenant network is available for allocation.')
}

async function takeAsked(change: Change, networkId: string, ask: SegmentAsk): Promise<SegmentTaken> {
  checkAsk(change.settings, ask)
  const { type, physicalNetwork, segmentationId } = ask
  if (type !== 'flat' && type !== 'local' && segmentationId === undefined) {
    const taken = await takeFree(change, networkId, type, physicalNetwork)
    if (!taken) throw fault('unavailable', 'NoNetworkAvailable', 'Unable to create the network. No segment of this kind is left.')
    return taken
  }
  const segment = { type, physicalNetwork, segmentationId: segmentationId ?? -1 }
  if (!(await insert(change, networkId, segment))) throw inUse(segment)
  return segment
}

function checkAsk(settings: NetworkSettings, { type, physicalNetwork, segmentationId }: SegmentAsk): void {
  const physical = type === 'flat' || type === 'vlan'
  if (!physical && physicalNetwork !== '') throw badInput(`provider:physical_network specified for ${type} network`)
  if (type === 'flat' && physicalNetwork === '') throw badInput('physical_network required for flat provider network')
  if (type === 'flat' && !settings.flat.includes('*') && !settings.flat.includes(physicalNetwork))
    throw badInput(`physical_network '${physicalNetwork}' unknown for flat provider network`)
  if ((type === 'flat' || type === 'local') && segmentationId !== undefined)
    throw badInput(`segmentation_id specified for ${type} network`)
  if (type === 'vlan') checkVlan(settings, physicalNetwork, segmentationId)
  if (segmentationId !== undefined && (segmentationId < 1 || segmentationId > maxId[type]))
    throw badInput(`segmentation_id out of range (1 through ${maxId[type]})`)
}

function checkVlan(settings: NetworkSettings, physicalNetwork: string, segmentationId: number | undefined): void {
  const known = settings.vlanRanges.some((range) => range.physicalNetwork === physicalNetwork)
  if (physicalNetwork !== '' && !known) throw badInput(`physical_network '${physicalNetwork}' unknown for VLAN provider network`)
  if (physicalNetwork === '' && segmentationId !== undefined)
    throw badInput('segmentation_id requires physical_network for VLAN provider network')
}

const inUse = ({ type, physicalNetwork, segmentationId }: SegmentTaken) => {
  if (type === 'flat')
    return fault(
      'conflict',
      'FlatNetworkInUse',
      `Unable to create the flat network. Physical network ${physicalNetwork} is in use.`,
    )
  if (type === 'vlan')
    return fault(
      'conflict',
      'VlanIdInUse',
      `Unable to create the network. The VLAN ${segmentationId} on physical network ${physicalNetwork} is in use.`,
    )
  return fault('conflict', 'TunnelIdInUse', `Unable to create the network. The tunnel ID ${segmentationId} is in use.`)
}

/** False: somebody has it. Local segments are as many as there are networks. */
async function insert({ tx }: Change, networkId: string, segment: SegmentTaken): Promise<boolean> {
  const physical = segment.type === 'local' ? uuid() : segment.physicalNetwork
  const row = await tx
    .insertInto('network_segment')
    .values({ type: segment.type, physical_network: physical, segmentation_id: segment.segmentationId, network_id: networkId })
    .onConflict((conflict) => conflict.doNothing())
    .returning('network_id')
    .executeTakeFirst()
  return row !== undefined
}

async function takeFree(
  change: Change,
  networkId: string,
  type: SegmentType,
  physicalNetwork: string | undefined,
): Promise<SegmentTaken | undefined> {
  if (type === 'local') {
    const segment: SegmentTaken = { type, physicalNetwork: '', segmentationId: -1 }
    await insert(change, networkId, segment)
    return segment
  }
  const ranges = rangesOf(change.settings, type)
    .filter((range) => !physicalNetwork || range.physicalNetwork === physicalNetwork)
    // From 1 to 0 stands for a physical network whose numbers are given by hand only.
    .filter(({ from, to }) => from <= to)
  for (const range of ranges) {
    // Another transaction may take the same number first: the next look sees that.
    for (let id = await lowestFree(change, type, range); id !== undefined; id = await lowestFree(change, type, range)) {
      const segment = { type, physicalNetwork: range.physicalNetwork, segmentationId: id }
      if (await insert(change, networkId, segment)) return segment
    }
  }
  return undefined
}

async function lowestFree({ tx }: Change, type: SegmentType, { physicalNetwork, from, to }: Range): Promise<number | undefined> {
  const taken = tx.selectFrom('network_segment as s').where('s.type', '=', type).where('s.physical_network', '=', physicalNetwork)
  const first = await taken.select('s.segmentation_id').where('s.segmentation_id', '=', from).executeTakeFirst()
  if (!first) return from
  const before = await taken
    .select('s.segmentation_id')
    .where('s.segmentation_id', '>=', from)
    .where('s.segmentation_id', '<', to)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('network_segment as n')
            .select('n.network_id')
            .whereRef('n.type', '=', 's.type')
            .whereRef('n.physical_network', '=', 's.physical_network')
            .where('n.segmentation_id', '=', sql<number>`s.segmentation_id + 1`),
        ),
      ),
    )
    .orderBy('s.segmentation_id')
    .executeTakeFirst()
  return before && before.segmentation_id + 1
}
