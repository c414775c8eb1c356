import { sql } from 'kysely'
import { type Clock, second } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { type Outcome, sleep } from '../../../kit/work/machine.ts'
import type { Network, NetworkPort } from '../../network/contract.ts'
import type { Placement } from '../../placement/contract.ts'
import type { Hosts } from '../../service.ts'
import type { Aggregates } from '../domain/aggregates.ts'
import type { ComputeHosts } from '../domain/hosts.ts'
import type { InstanceActions } from '../domain/instance-actions.ts'
import type { Migrations } from '../domain/migrations.ts'
import { choose, type GroupRule, type Placed, resourcesOf, traitsAsked, zoneOf } from '../domain/scheduling.ts'
import { type Fault, type FlavorSnapshot, type Server, unmoved, unseen } from '../domain/server.ts'
import type { ServerGroups } from '../domain/server-groups.ts'
import type { Change, Servers } from '../domain/servers.ts'
import { powerState, restingState, type TaskState } from '../domain/states.ts'
import type { ComputeTables } from '../tables.ts'

export type ServerWorld = {
  db: Db<ComputeTables>
  clock: Clock
  hosts: Hosts
  servers: Servers
  actions: InstanceActions
  migrations: Migrations
  computeHosts: ComputeHosts
  aggregates: Aggregates
  groups: ServerGroups
  network: () => Network
  placement: () => Placement
}

/** Who changes the world wakes the machine; after so long it looks by itself. */
export const glance = 30
/** How long traffic may take to flow once the guest runs (`vif_plugging_timeout`). */
export const wiringMicros = 300 * second

/** It is on no host and goes to none. */
export const nowhere = { host: '', zone: '', assigned: 0, withdrawn_at: 0, power_state: 0, ...unseen, ...unmoved }

/** What the build is at, unless somebody asked to delete it meanwhile. */
export const task = (name: TaskState) => sql<string>`case when task_state = 'deleting' then task_state else ${name} end`

/** Host by name, best first, with its zone and its provider; and why not any other one. */
export type Choice = { hosts: { name: string; zone: string; provider: string }[]; refused: Record<string, string> }

export type Standing = ReturnType<typeof openStanding>

/** What all steps of a server know: how it stands, and how to say so. */
export function openStanding({
  db,
  clock,
  hosts,
  servers,
  actions,
  computeHosts,
  aggregates,
  groups,
  network,
  placement,
}: ServerWorld) {
  const groupOf = async ({ id, groupId }: Server): Promise<GroupRule | undefined> => {
    const group = groupId === '' ? undefined : await groups.find(groupId)
    if (!group) return undefined
    const others = (await servers.ofGroup(groupId)).filter((one) => one.id !== id && one.host !== '')
    return { policy: group.policy, maxPerHost: group.maxPerHost, hosts: others.map((one) => one.host) }
  }

  const withdrawal = ({ moveHost }: Server): Change => {
    const at = clock.now()
    return { assigned: 0, withdrawn_at: at, ...(moveHost === '' ? {} : { move_there: 0, move_withdrawn_at: at }) }
  }

  /** A dead host is not waited for: it removes the guest when it comes back. */
  const isRid = async (name: string, ofIt: { seen: boolean; withdrawnAt: number }): Promise<boolean> => {
    if (name === '' || ofIt.withdrawnAt === 0) return true
    const host = await computeHosts.find(name)
    return !host?.up || (!ofIt.seen && host.vmHeardAt > ofIt.withdrawnAt)
  }

  /** The other host of its move says that nothing of it is there. */
  const isGoneFromOther = ({ moveHost, moveWithdrawnAt, otherSeen }: Server): Promise<boolean> =>
    isRid(moveHost, { seen: otherSeen !== undefined, withdrawnAt: moveWithdrawnAt })

  return {
    faultOf: (message: string, details: string): Fault => ({ code: 500, message, details, created: clock.now() }),

    /** Where a server of this size may be. */
    async choose(server: Server, flavor: FlavorSnapshot, placed: Placed): Promise<Choice> {
      const { fitting, refused: full } = await placement().candidates({
        resources: resourcesOf(flavor),
        requiredTraits: traitsAsked(flavor, 'required'),
        forbiddenTraits: traitsAsked(flavor, 'forbidden'),
      })
      const zones = await aggregates.zones()
      const around = { hosts: await computeHosts.list(), zones, group: await groupOf(server) }
      const { chosen, refused } = choose(placed, fitting, around)
      return {
        hosts: chosen.map(({ name, provider }) => ({ name, provider, zone: zoneOf(zones, name) })),
        refused: { ...Object.fromEntries(full.map(({ name, reason }) => [name, `placement: ${reason}`])), ...refused },
      }
    },

    /** Says what the guest does now, and ends the action that wanted it. */
    settle: (server: Server, more: Change = {}): Promise<boolean> =>
      db.transaction(async (tx) => {
        const at = clock.now()
        const set = {
          ...more,
          vm_state: restingState[server.power],
          task_state: '',
          power_state: powerState(server.seen.power),
          failing: 0,
          progress: 100,
          ...(server.launchedAt === 0 ? { launched_at: at } : {}),
        }
        const still = { generation: server.generation, deleted: 0, task_state: server.taskState }
        const changed = await servers.change(tx, server.id, set, still)
        if (changed) await actions.finish(tx, server.id, server.host)
        return changed
      }),

    fail: (server: Server, set: Change, fault: Fault): Promise<void> =>
      db.transaction(async (tx) => {
        const still = { deleted: 0, generation: server.generation }
        const columns = { vm_state: 'error', task_state: '', fault: toJson(fault), ...set }
        if (await servers.change(tx, server.id, columns, still)) await actions.finish(tx, server.id, server.host, fault.message)
      }),

    /** Takes the server out of every document, then waits until the hosts say that it is gone; undefined: it is. */
    async wait(server: Server): Promise<Outcome<never> | undefined> {
      if (server.host === '') return undefined
      const names = [server.host, server.moveHost].filter((name) => name !== '')
      if (server.assigned) {
        await servers.save(server.id, withdrawal(server))
        for (const name of names) hosts.hint(name, 'vm')
        return sleep(glance)
      }
      const isGone = await isRid(server.host, { seen: server.seenHost !== '', withdrawnAt: server.withdrawnAt })
      if (isGone && (await isGoneFromOther(server))) return undefined
      for (const name of names) hosts.hint(name, 'vm')
      return sleep(glance)
    },

    isGoneFromOther,

    portsOf: async ({ id }: Server): Promise<NetworkPort[]> => (await network().portsOf({ owners: [id] }))[id] ?? [],
  }
}
