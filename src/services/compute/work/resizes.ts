import { toJson } from '../../../kit/db/columns.ts'
import { go, rest, sleep } from '../../../kit/work/machine.ts'
import { exchange } from '../domain/journey.ts'
import type { Server } from '../domain/server.ts'
import { powerState, restingState } from '../domain/states.ts'
import { glance, type ServerWorld, type Standing, task, wiringMicros } from './standing.ts'
import type { Next, Step, Way } from './way.ts'

/** A server that was moved switched off: started in its new place, it waits for a word. */
export function resizeSteps(
  world: ServerWorld,
  { portsOf }: Standing,
  way: Way,
): Record<'finish' | 'resized' | 'revert' | 'comeHome', Step> {
  const { db, clock, servers, actions, migrations, network, placement } = world
  const { hint, change, plan, moving, untilDone, end, zoneOf, isWiredAt, isCleared, isWithoutLost, commit, owner } = way

  /** It cannot be started there: it goes back to where it was. */
  const undo = async (server: Server, why: string): Promise<Next> => {
    await migrations.save(server.moveId, { error: why })
    return go('revert', { reason: why })
  }

  return {
    /** Moved cold, it is started as it was. */
    finish: untilDone(
      moving(async (server) => {
        const migration = (await migrations.find(server.moveId))!
        if (server.vmState === 'resized') return go('resized')
        if (server.taskState !== 'resize_finish' || server.power !== migration.power) {
          await change(server, { ...servers.next(server), power: migration.power, task_state: task('resize_finish') })
          hint(server.host)
          return sleep(glance)
        }
        if (await isWithoutLost(server)) return sleep(glance)
        const verdict = way.verdict(server)
        if (verdict.is === 'failing') return undo(server, verdict.why)
        if (verdict.is === 'on its way') return sleep(glance)
        if (server.power !== 'off' && !(await isWiredAt(server, server.host))) {
          if (clock.now() - server.seenAt < wiringMicros) return sleep(glance)
          return undo(server, `No traffic flows at its ports on ${server.host}.`)
        }
        const ports = await portsOf(server)
        await db.transaction(async (tx) => {
          const at = clock.now()
          const power_state = powerState(server.seen.power)
          const set = {
            vm_state: 'resized',
            task_state: task(''),
            power_state,
            progress: 100,
            launched_at: at,
            ports: toJson(ports),
          }
          await servers.change(tx, server.id, set, { deleted: 0 })
          await migrations.change(tx, migration.uuid, { status: 'finished' })
          await actions.finish(tx, server.id, server.host)
        })
        return go('resized')
      }),
    ),

    /** Waits for its owner's word. An admin who says that it is active or broken has spoken too. */
    resized: untilDone(
      moving(async (server) => {
        const migration = await migrations.find(server.moveId)
        if (migration?.status === 'reverting') return go('revert')
        if (migration?.status === 'confirming' || server.vmState !== 'resized') return go('vacate')
        if (server.seenHost === server.host && server.powerState !== powerState(server.seen.power))
          await change(server, { power_state: powerState(server.seen.power) })
        return rest()
      }),
    ),

    /** What was made where it went is dropped, then what it left behind is its own again. */
    revert: untilDone(
      moving(async (server) => {
        const { move } = server
        if (server.host === move.to) {
          const { oldFlavor } = (await migrations.find(move.id))!
          const zone = await zoneOf(move.from)
          await commit(server, async () => ({
            ...exchange(server, move.from, clock.now()),
            ...{ zone, power: 'off', flavor: toJson(oldFlavor), flavor_id: oldFlavor.id },
            ...{ move_there: 0, move_withdrawn_at: clock.now() },
            move: toJson({ ...move, arrives: false, leaves: false }),
          }))
          hint(move.to, move.from)
          return go('revert')
        }
        if (!(await isCleared(server))) return sleep(glance)
        await network().bind({ owner: server.id, host: move.from, availabilityZone: server.zone })
        await placement().takeBack({ consumer: server.id, aside: move.id, ...owner(server) })
        const { power } = (await migrations.find(move.id))!
        await plan(server, { returns: true }, { power })
        hint(move.from)
        return go('comeHome')
      }),
    ),

    comeHome: untilDone(
      moving(async (server) => {
        if (await isWithoutLost(server)) return sleep(glance)
        const verdict = way.verdict(server)
        if (verdict.is === 'on its way') return sleep(glance)
        const { error } = (await migrations.find(server.moveId))!
        const isUndone = error !== ''
        const set = {
          vm_state: restingState[server.power],
          power_state: powerState(server.seen.power),
          ports: toJson(await portsOf(server)),
        }
        await end(server, isUndone ? 'error' : 'reverted', { ...servers.next(server), ...set }, isUndone ? error : undefined)
        hint(server.host)
        return go('active')
      }),
    ),
  }
}
