import { toJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import { done, go, type Machine, machine, rest, sleep } from '../../../kit/work/machine.ts'
import { followPorts } from '../domain/interfaces.ts'
import { resourcesOf } from '../domain/scheduling.ts'
import type { Server } from '../domain/server.ts'
import { serverKind } from '../domain/servers.ts'
import { judge, powerState } from '../domain/states.ts'
import { moveSteps } from './moves.ts'
import { glance, nowhere, type ServerWorld, type Standing, task, wiringMicros } from './standing.ts'
import type { MoveState } from './way.ts'

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
  | MoveState

/** The life of a server, from the request to the row that only admins see any more. */
export function serverWork(world: ServerWorld, standing: Standing): Machine {
  const { db, clock, hosts, servers, actions } = world
  const { settle, fail, faultOf, wait, portsOf } = standing

  /** Of the server, and what its way to another host holds. */
  const letRoomGo = async ({ id, moveId }: Server) => {
    await world.placement().release({ consumer: id })
    if (moveId !== '') await world.placement().release({ consumer: moveId })
  }

  return machine<Server, ServerState>({
    kind: serverKind,
    first: 'place',
    teardown: 'withdraw',
    failed: 'abandon',
    load: servers.living,
    steps: {
      ...moveSteps(world, standing),

      async place(server) {
        const resources = resourcesOf(server.flavor)
        const { hosts: chosen, refused } = await standing.choose(server, server.flavor, server)
        for (const { name, zone, provider } of chosen) {
          const { id: consumer, projectId, userId } = server
          if (!(await world.placement().claim({ consumer, provider, resources, projectId, userId }))) {
            refused[name] = 'placement: its room went to somebody else meanwhile'
            continue
          }
          await servers.save(server.id, { host: name, zone, task_state: task('networking') }, { deleted: 0 })
          return go('plug', { reason: `placed on ${name}`, detail: refused })
        }
        throw noValidHost(server, refused)
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
        if (server.moveId !== '') return go('depart')
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
        await letRoomGo(server)
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
        await letRoomGo(server)
        await db.transaction(async (tx) => {
          const at = clock.now()
          if (server.moveId !== '')
            await world.migrations.change(tx, server.moveId, { status: server.vmState === 'resized' ? 'confirmed' : 'cancelled' })
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
}

/** It rests elsewhere than the guest does: after a crash and a new start, say. */
const isAstray = ({ vmState, powerState: shown, seen }: Server): boolean =>
  vmState !== 'error' && shown !== powerState(seen.power)

function noValidHost({ id, refusedHosts }: Server, detail: Record<string, string>): Problem {
  const message =
    refusedHosts.length > 0
      ? `Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for instance ${id}.`
      : 'No valid host was found. There are not enough hosts available.'
  return new Problem('no-capacity', message, { detail })
}
