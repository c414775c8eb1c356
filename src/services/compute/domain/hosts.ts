import type { HostFacts } from '../../../agents/document.ts'
import { type Clock, second } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { uuid } from '../../../kit/ids.ts'
import type { Inventory, Placement } from '../../placement/contract.ts'
import type { ComputeTables, HostRow } from '../tables.ts'
import { next } from './counter.ts'

export type ComputeHost = {
  name: string
  number: number
  serviceId: string
  nodeId: string
  facts: HostFacts
  enabled: boolean
  disabledReason: string | null
  forcedDown: boolean
  heartbeatAt: number
  createdAt: number
  up: boolean
  vmHeardAt: number
}

export type ComputeHosts = ReturnType<typeof openComputeHosts>

/** A host that was silent for longer is down. */
const downAfter = 60 * second

/** Ratios and reserves of a new cloud (`initial_cpu_allocation_ratio` and its like). */
export function inventoriesOf(facts: HostFacts): Record<string, Inventory> {
  const of = (total: number, allocationRatio: number, reserved = 0): Inventory => ({
    total,
    reserved,
    allocationRatio,
    minUnit: 1,
    maxUnit: total,
    stepSize: 1,
  })
  return {
    VCPU: of(facts.cpus, 4),
    MEMORY_MB: of(facts.memoryMb, 1, Math.min(512, facts.memoryMb)),
    ...(facts.diskGb > 0 ? { DISK_GB: of(facts.diskGb, 1) } : {}),
  }
}

/** What every host of ours can do, by the standard names. */
export const traits: string[] = [
  'COMPUTE_NODE',
  'COMPUTE_NET_ATTACH_INTERFACE',
  'COMPUTE_GRAPHICS_MODEL_VGA',
  'COMPUTE_IMAGE_TYPE_QCOW2',
  'COMPUTE_IMAGE_TYPE_RAW',
]

export function openComputeHosts(db: Db<ComputeTables>, clock: Clock, placement: () => Placement) {
  const hostOf = (row: HostRow): ComputeHost => ({
    name: row.name,
    number: row.number,
    serviceId: row.service_id,
    nodeId: row.node_id,
    facts: fromJson(row.facts),
    enabled: fromBit(row.enabled),
    disabledReason: row.disabled_reason,
    forcedDown: fromBit(row.forced_down),
    heartbeatAt: row.heartbeat_at,
    createdAt: row.created_at,
    up: !fromBit(row.forced_down) && clock.now() - row.heartbeat_at < downAfter,
    vmHeardAt: row.vm_heard_at,
  })
  const beat = async (facts: HostFacts): Promise<HostRow> => {
    const at = clock.now()
    return db.transaction(async (tx) => {
      const known = await tx
        .updateTable('compute_host')
        .set({ facts: toJson(facts), heartbeat_at: at })
        .where('name', '=', facts.name)
        .returningAll()
        .executeTakeFirst()
      if (known) return known
      const row: HostRow = {
        name: facts.name,
        number: await next(tx, 'host'),
        service_id: uuid(),
        node_id: uuid(),
        facts: toJson(facts),
        enabled: 1,
        disabled_reason: null,
        forced_down: 0,
        created_at: at,
        heartbeat_at: at,
        vm_asked_at: 0,
        vm_heard_at: 0,
      }
      const made = await tx
        .insertInto('compute_host')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst()
      // Another controller heard the new host in the same moment.
      return made ?? tx.selectFrom('compute_host').selectAll().where('name', '=', facts.name).executeTakeFirstOrThrow()
    })
  }
  const byName = () => db.read.selectFrom('compute_host').selectAll().orderBy('number')
  return {
    /** A host is alive and says what it has: its provider in placement follows. */
    async heard(facts: HostFacts): Promise<void> {
      const row = await beat(facts)
      await placement().ensureProvider({
        id: row.node_id,
        name: row.name,
        inventories: inventoriesOf(facts),
        traits: [...traits, ...(fromBit(row.enabled) ? [] : ['COMPUTE_STATUS_DISABLED'])],
      })
    },
    async list(): Promise<ComputeHost[]> {
      return (await byName().execute()).map(hostOf)
    },
    async find(name: string): Promise<ComputeHost | undefined> {
      const row = await byName().where('name', '=', name).executeTakeFirst()
      return row && hostOf(row)
    },
    async update(name: string, set: { enabled?: boolean; disabledReason?: string | null; forcedDown?: boolean }): Promise<void> {
      await db.transaction((tx) =>
        tx
          .updateTable('compute_host')
          .set({
            ...(set.enabled === undefined ? {} : { enabled: toBit(set.enabled) }),
            ...(set.disabledReason === undefined ? {} : { disabled_reason: set.disabledReason }),
            ...(set.forcedDown === undefined ? {} : { forced_down: toBit(set.forcedDown) }),
          })
          .where('name', '=', name)
          .execute(),
      )
    },
    async forget({ name, nodeId }: ComputeHost): Promise<void> {
      await placement().removeProvider({ id: nodeId })
      await db.transaction(async (tx) => {
        await tx.deleteFrom('compute_aggregate_host').where('host', '=', name).execute()
        await tx.deleteFrom('compute_host').where('name', '=', name).execute()
      })
    },
  }
}
