import { sql } from 'kysely'
import { type Clock, second } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import { done, go, type Machine, machine, type Outcome, rest, sleep } from '../../../kit/work/machine.ts'
import type { Network } from '../../network/contract.ts'
import type { Placement } from '../../placement/contract.ts'
import type { Hosts } from '../../service.ts'
import type { Aggregates } from '../domain/aggregates.ts'
import type { ComputeHosts } from '../domain/hosts.ts'
import type { InstanceActions } from '../domain/instance-actions.ts'
import { followPorts } from '../domain/interfaces.ts'
import { choose, type GroupRule, resourcesOf, traitsAsked, zoneOf } from '../domain/scheduling.ts'
import { type Fault, type Server, unseen } from '../domain/server.ts'
import type { ServerGroups } from '../domain/server-groups.ts'
import { type Change, type Servers, serverKind } from '../domain/servers.ts'
import { judge, powerState, restingState, type TaskState } from '../domain/states.ts'
import type { ComputeTables } from '../tables.ts'

export type ServerState =
  | 'place'
  | 'plug'
  | 'boot'
  | 'active'
  | 'replug'
  | 'retreat'
  | 'abandon'
  | 'error'
  | 'withdraw'
  | 'unplug'
  | 'release'

export type ServerWorld = {
  db: Db<ComputeTables>
  clock: Clock
  hosts: Hosts
  servers: Servers
  actions: InstanceActions
  computeHosts: ComputeHosts
  aggregates: Aggregates
  groups: ServerGroups
  network: () => Network
  placement: () => Placement
}

/** How long traffic may take to flow once the guest runs (`vif_plugging_timeout`). */
const wiringMicros = 300 * second
/** Who changes the world wakes the machine; after so long it looks by itself. */
const glance = 30

/** The life of a server, from the request to the row that only admins see any more. */
export function serverWork(world: ServerWorld): Machine {
  const { db, clock, hosts, servers, actions, computeHosts, aggregates, groups } = world

  const groupOf = async ({ id, groupId }: Server): Promise<GroupRule | undefined> => {
    const group = groupId === '' ? undefined : await groups.find(groupId)
    if (!group) return undefined
    const others = (await servers.ofGroup(groupId)).filter((one) => one.id !== id && one.host !== '')
    return { policy: group.policy, maxPerHost: group.maxPerHost, hosts: others.map((one) => one.host) }
  }

  /** Says what the guest does now, and ends the action that wanted it. */
  const settle = (server: Server, more: Change = {}): Promise<boolean> =>
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
    })

  const faultOf = (message: string, details: string): Fault => ({ code: 500, message, details, created: clock.now() })

  const fail = (server: Server, set: { failing: 0 | 1 }, fault: Fault) =>
    db.transaction(async (tx) => {
      const still = { deleted: 0, generation: server.generation }
      const columns = { vm_state: 'error', task_state: '', fault: toJson(fault), ...set }
      if (await servers.change(tx, server.id, columns, still)) await actions.finish(tx, server.id, server.host, fault.message)
    })

  /**
   * Takes the server out of its host's document, then waits until the host says that it is gone; undefined: it is. A dead host is not
   * waited for.
   */
  const wait = async (server: Server): Promise<Outcome<never> | undefined> => {
    if (server.host === '') return undefined
    if (server.assigned) {
      await servers.save(server.id, { assigned: 0, withdrawn_at: clock.now() })
      hosts.hint(server.host, 'vm')
      return sleep(glance)
    }
    const host = await computeHosts.find(server.host)
    const isGone = server.seenHost === '' && (host?.vmHeardAt ?? 0) > server.withdrawnAt
    const wasNeverThere = server.withdrawnAt === 0
    if (isGone || wasNeverThere || !host?.up) return undefined
    hosts.hint(server.host, 'vm')
    return sleep(glance)
  }
  const nowhere = { host: '', zone: '', assigned: 0, withdrawn_at: 0, power_state: 0, ...unseen }

  return machine<Server, ServerState>({
    kind: serverKind,
    first: 'place',
    teardown: 'withdraw',
    failed: 'abandon',
    load: servers.living,
    steps: {
      async place(server) {
        const placement = world.placement()
        const { fitting, refused: full } = await placement.candidates({
          resources: resourcesOf(server.flavor),
          requiredTraits: traitsAsked(server.flavor, 'required'),
          forbiddenTraits: traitsAsked(server.flavor, 'forbidden'),
        })
        const zones = await aggregates.zones()
        const around = { hosts: await computeHosts.list(), zones, group: await groupOf(server) }
        const { chosen, refused } = choose(server, fitting, around)
        for (const { provider, name } of chosen) {
          const { id: consumer, projectId, userId } = server
          const ask = { consumer, provider, resources: resourcesOf(server.flavor), projectId, userId }
          if (!(await placement.claim(ask))) {
            refused[name] = 'placement: its room went to somebody else meanwhile'
            continue
          }
          await servers.save(server.id, { host: name, zone: zoneOf(zones, name), task_state: task('networking') }, { deleted: 0 })
          return go('plug', { reason: `placed on ${name}`, detail: refusals(full, refused) })
        }
        throw noValidHost(server, refusals(full, refused))
      },

      /** From here on the host makes the ports and the guest. */
      async plug(server) {
        const { id: owner, projectId, securityGroups, hostname } = server
        const ports = []
        for (const { index, ...nic } of server.nics)
          ports.push(await world.network().ensurePort({ owner, index, projectId, nic, securityGroups, hostname }))
        await world.network().bind({ owner, host: server.host, availabilityZone: server.zone })
        const set = { ports: toJson(ports), assigned: 1, withdrawn_at: 0, task_state: task('spawning') }
        await servers.save(server.id, set, { deleted: 0 })
        hosts.hint(server.host, 'vm')
        return go('boot')
      },

      async boot(server) {
        const verdict = server.seenHost === server.host ? judge(server, server.seen) : ({ is: 'on its way' } as const)
        if (verdict.is === 'failing') return go('retreat', { reason: `${server.host}: ${verdict.why}` })
        const ports = await portsOf(server)
        if (server.ports.some((known) => !ports.some((port) => port.id === known.id))) {
          // Somebody deleted a port that the guest waits for.
          await followPorts(servers, world.network, server)
          await servers.save(server.id, servers.next(server), { deleted: 0, generation: server.generation })
          hosts.hint(server.host, 'vm')
          return sleep(glance, { reason: 'a port was deleted meanwhile' })
        }
        if (verdict.is === 'on its way') return sleep(glance)
        const dark = ports.filter((port) => !port.wired)
        if (dark.length === 0) {
          await settle(server, { ports: toJson(ports), ports_followed: server.portsChanged })
          return go('active')
        }
        if (clock.now() - server.seenAt < wiringMicros) return sleep(glance)
        const names = dark.map((port) => port.id).join(', ')
        return go('retreat', { reason: `${server.host}: no traffic flows at port ${names}` })
      },

      async active(server) {
        if (server.portsChanged > server.portsFollowed) return go('replug')
        if (server.seenHost !== server.host) return rest()
        const verdict = judge(server, server.seen)
        switch (verdict.is) {
          case 'there':
            // What an admin said of its state stands until something is asked of it.
            if (server.taskState !== '' || server.failing || isAstray(server)) await settle(server)
            return rest()
          case 'gone off by itself':
            await servers.save(
              server.id,
              { ...servers.next(server), power: 'off', vm_state: 'stopped', task_state: '', power_state: powerState('off') },
              { generation: server.generation, deleted: 0 },
            )
            hosts.hint(server.host, 'vm')
            return sleep(glance, { reason: 'the guest powered itself off' })
          case 'failing':
            if (server.failing) return rest()
            await fail(server, { failing: 1 }, faultOf('The host could not do what was asked of the server.', verdict.why))
            return sleep(glance, { reason: `${server.host}: ${verdict.why}` })
          case 'on its way':
            if (server.powerState !== powerState(server.seen.power))
              await servers.save(server.id, { power_state: powerState(server.seen.power) }, { deleted: 0 })
            return sleep(glance)
          default:
            return verdict satisfies never
        }
      },

      /** Ports came or went: by a request of ours, or because somebody deleted one. */
      async replug(server) {
        await followPorts(servers, world.network, server)
        return go('active')
      },

      /** This host cannot: another may. */
      async retreat(server) {
        const waiting = await wait(server)
        if (waiting) return waiting
        await world.network().bind({ owner: server.id, host: undefined, availabilityZone: '' })
        const refused = [...new Set([...server.refusedHosts, server.host])].filter((name) => name !== '')
        await servers.save(
          server.id,
          { ...nowhere, refused_hosts: toJson(refused), task_state: task('scheduling') },
          { deleted: 0 },
        )
        return go('place')
      },

      /** Nothing is kept for a server that could not be built. */
      async abandon(server) {
        const waiting = await wait(server)
        if (waiting) return waiting
        await world.network().release({ owner: server.id })
        await world.placement().release({ consumer: server.id })
        await servers.save(server.id, { ...nowhere, ports: '[]' })
        return go('error')
      },

      error: async () => rest(),

      async withdraw(server) {
        return (await wait(server)) ?? go('unplug')
      },

      async unplug(server) {
        await world.network().release({ owner: server.id })
        return go('release')
      },

      async release(server) {
        await world.placement().release({ consumer: server.id })
        await db.transaction(async (tx) => {
          const at = clock.now()
          const set = { ...nowhere, ports: '[]', vm_state: 'deleted', task_state: '', terminated_at: at, deleted: 1 }
          await servers.change(tx, server.id, set, { deleted: 0 })
          await actions.finish(tx, server.id, server.host)
        })
        return done('deleted')
      },
    },
    async onFailure(server, problem) {
      await fail(server, { failing: 0 }, faultOf(problem.message, toJson(problem.detail)))
    },
  })

  function portsOf({ id }: Server) {
    return world
      .network()
      .portsOf({ owners: [id] })
      .then((found) => found[id] ?? [])
  }
}

/** What the build is at, unless somebody asked to delete it meanwhile. */
const task = (name: TaskState) => sql<string>`case when task_state = 'deleting' then task_state else ${name} end`

/** It rests elsewhere than the guest does: after a crash and a new start, say. */
const isAstray = ({ vmState, powerState: shown, seen }: Server): boolean =>
  vmState !== 'error' && shown !== powerState(seen.power)

const refusals = (full: { name: string; reason: string }[], refused: Record<string, string>): Record<string, string> => ({
  ...Object.fromEntries(full.map(({ name, reason }) => [name, `placement: ${reason}`])),
  ...refused,
})

function noValidHost({ id, refusedHosts }: Server, detail: Record<string, string>): Problem {
  const message =
    refusedHosts.length > 0
      ? `Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for instance ${id}.`
      : 'No valid host was found. There are not enough hosts available.'
  return new Problem('no-capacity', message, { detail })
}
